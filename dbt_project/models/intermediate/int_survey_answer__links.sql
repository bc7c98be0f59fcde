{{ config(materialized='view', incremental_strategy=none) }}

{#-
    What each answer is about and whose it is: the contact's of its own source, else the customer's whom its respondent was
    found to be, else that of the ticket or order it is about. A respondent in conflict is nobody rather than somebody else.
    An anonymous answer is nobody's, whatever it names. A ticket or order of another source is meant only if a single
    source knows that id.
-#}
with ticket_ids as (
    select ticket_id, min(ticket_key) as ticket_key from {{ ref('int_ticket__unioned') }} group by ticket_id having count(*) = 1
),

order_ids as (
    select order_id, min(order_key) as order_key from {{ ref('int_order__unioned') }} group by order_id having count(*) = 1
),

linked as (
    select
        answers.survey_answer_key,
        answers.source,
        answers.contact_id,
        answers.respondent_key,
        answers.is_anonymous,
        coalesce(own_tickets.ticket_key, ticket_ids.ticket_key) as ticket_key,
        coalesce(own_orders.order_key, order_ids.order_key) as order_key
    from {{ ref('int_survey_answer__unioned') }} as answers
    left join {{ ref('int_ticket__unioned') }} as own_tickets
        on own_tickets.source = answers.source
        and own_tickets.ticket_id = answers.ticket_id
    left join ticket_ids on ticket_ids.ticket_id = answers.ticket_id
    left join {{ ref('int_order__unioned') }} as own_orders
        on own_orders.source = answers.source
        and own_orders.order_id = answers.order_id
    left join order_ids on order_ids.order_id = answers.order_id
)

select
    linked.survey_answer_key,
    case
        when linked.is_anonymous then -1
        when own.contact_key is null and respondents.is_conflict then respondents.customer_key
        else coalesce(
            own.customer_key,
            nullif(respondents.customer_key, -1),
            nullif(ticket_customers.customer_key, -1),
            nullif(order_customers.customer_key, -1),
            -1
        )
    end as customer_key,
    {#- A ticket or an order leads to a person, so an anonymous answer keeps neither. #}
    case when linked.is_anonymous then -1 else coalesce(linked.ticket_key, -1) end as ticket_key,
    case when linked.is_anonymous then -1 else coalesce(linked.order_key, -1) end as order_key
from linked
left join {{ ref('map_customer_identity') }} as own
    on own.source = linked.source
    and own.contact_id = linked.contact_id
left join {{ ref('int_identity__resolved') }} as respondents
    on respondents.node_key = linked.respondent_key
    and not respondents.is_contact
left join {{ ref('int_ticket__customer') }} as ticket_customers on ticket_customers.ticket_key = linked.ticket_key
left join {{ ref('int_order__customer') }} as order_customers on order_customers.order_key = linked.order_key
