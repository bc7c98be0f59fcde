{#-
    From a record to its customer, where its own source does not know the person. What lives here: the two ways by the CRM.
    Not here: which contacts are one person (int_identity__resolved).
-#}

{#- A CTE body: the customer of each contact id the CRM gives to one person only. -#}
{%- macro crm_customers_by_id() -%}
    select contact_id, min(customer_key) as customer_key
    from {{ ref('map_customer_identity') }}
    where system = 'salesforce'
    group by contact_id
    having count(distinct customer_key) = 1
{%- endmacro -%}

{#- A CTE body: the customer of each e-mail address that a single living customer of the CRM has. -#}
{%- macro crm_customers_by_email() -%}
    select contacts.personal_email, min(identity.customer_key) as customer_key
    from {{ ref('int_contact__unioned') }} as contacts
    inner join {{ ref('map_customer_identity') }} as identity on identity.contact_key = contacts.contact_key
    where contacts.system = 'salesforce' and not contacts.is_deleted and contacts.personal_email is not null
    group by contacts.personal_email
    having count(distinct identity.customer_key) = 1
{%- endmacro -%}
