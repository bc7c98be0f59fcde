{#-
    From a record to its customer, where its own source does not know the person. What lives here: the way by the CRM's ids.
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
