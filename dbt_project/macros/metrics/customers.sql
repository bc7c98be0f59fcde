{#-
    From a record to its customer. What lives here: the way by the CRM's ids, where the record's own source does not know the
    person, and the way of what surveys send and get back. Not here: which contacts are one person (int_identity__resolved).
-#}

{#-
    A CTE body: of the ids in `column` of `records` those that CRMs give to one person only, and whose they are. An id is spelled by
    salesforce_id() once, however many records hold it, and only ids of the CRM that may be among these are read.
-#}
{%- macro crm_customers_by_id(records, column) -%}
    select spelled.contact_id, known.customer_key
    from (
        select contact_id, {{ salesforce_id('contact_id') }} as crm_id
        from (select distinct {{ column }} as contact_id from {{ records }}) as ids
    ) as spelled
    inner join (
        select {{ salesforce_id('contact_id') }} as crm_id, min(customer_key) as customer_key
        from {{ ref('map_customer_identity') }}
        where
            {{ is_crm('source') }}
            and contact_id in ({{ salesforce_id_spellings(column, '(select distinct ' ~ column ~ ' from ' ~ records ~ ') as ids') }})
        group by {{ salesforce_id('contact_id') }}
        having count(distinct customer_key) = 1
    ) as known on known.crm_id = spelled.crm_id
{%- endmacro -%}

{#- Conditions of touched_by: whom a row of survey_links_ctes names may be somebody else, or what it is about; and the same of what it was about. -#}
{%- macro survey_links_moved() -%}
    ((source, contact_id) in (select source, contact_id from {{ touched('map_customer_identity') }})
    or respondent_key in (select node_key from {{ touched('int_identity__resolved') }})
    or ticket_id in (select ticket_id from {{ touched('int_ticket__unioned') }})
    or order_id in (select order_id from {{ touched('int_order__unioned') }}))
{%- endmacro -%}

{%- macro survey_subject_moved() -%}
    (ticket_key in (select ticket_key from {{ touched('int_ticket__customer') }})
    or order_key in (select order_key from {{ touched('int_order__customer') }}))
{%- endmacro -%}

{#-
    CTEs, to be put after others: `linked` has the columns `kept`, and the customer_key, ticket_key and order_key of the rows of
    `records` (source, contact_id, respondent_key, ticket_id, order_id, is_nobodys). Whose: the contact's of its own source,
    else the customer's whom the respondent was found to be, else that of the ticket or order it is about. A respondent in
    conflict is nobody rather than somebody else. A ticket or order of another source is meant only if a single source knows
    that id. What is nobody's keeps neither, because a ticket or an order leads to a person.
-#}
{%- macro survey_links_ctes(records, kept) -%}
ticket_ids as (
    select ticket_id, min(ticket_key) as ticket_key from {{ ref('int_ticket__unioned') }} group by ticket_id having count(*) = 1
),

order_ids as (
    select order_id, min(order_key) as order_key from {{ ref('int_order__unioned') }} group by order_id having count(*) = 1
),

about as (
    select
        {% for column in kept %}records.{{ column }}, {% endfor %}
        records.source,
        records.contact_id,
        records.respondent_key,
        records.is_nobodys,
        coalesce(own_tickets.ticket_key, ticket_ids.ticket_key) as ticket_key,
        coalesce(own_orders.order_key, order_ids.order_key) as order_key
    from {{ records }} as records
    left join {{ ref('int_ticket__unioned') }} as own_tickets
        on own_tickets.source = records.source
        and own_tickets.ticket_id = records.ticket_id
    left join ticket_ids on ticket_ids.ticket_id = records.ticket_id
    left join {{ ref('int_order__unioned') }} as own_orders
        on own_orders.source = records.source
        and own_orders.order_id = records.order_id
    left join order_ids on order_ids.order_id = records.order_id
),

linked as (
    select
        {% for column in kept %}about.{{ column }}, {% endfor %}
        case
            when about.is_nobodys then -1
            when own.contact_key is null and respondents.is_conflict then respondents.customer_key
            else coalesce(
                own.customer_key,
                nullif(respondents.customer_key, -1),
                nullif(ticket_customers.customer_key, -1),
                nullif(order_customers.customer_key, -1),
                -1
            )
        end as customer_key,
        case when about.is_nobodys then -1 else coalesce(about.ticket_key, -1) end as ticket_key,
        case when about.is_nobodys then -1 else coalesce(about.order_key, -1) end as order_key
    from about
    left join {{ ref('map_customer_identity') }} as own
        on own.source = about.source
        and own.contact_id = about.contact_id
    left join {{ ref('int_identity__resolved') }} as respondents
        on respondents.node_key = about.respondent_key
        and not respondents.is_contact
    left join {{ ref('int_ticket__customer') }} as ticket_customers on ticket_customers.ticket_key = about.ticket_key
    left join {{ ref('int_order__customer') }} as order_customers on order_customers.order_key = about.order_key
)
{%- endmacro -%}
