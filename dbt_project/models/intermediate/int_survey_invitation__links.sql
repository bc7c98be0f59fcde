{{ config(materialized='view', incremental_strategy=none) }}

{#-
    Whom each invitation was sent to and what it is about, found as for answers (int_survey_answer__links). An invitation of
    which an anonymous answer came is nobody's: when it was completed would tell whose the answer is. An invitation of
    employees is no customer's.
-#}
with ticket_ids as (
    select ticket_id, min(ticket_key) as ticket_key from {{ ref('int_ticket__unioned') }} group by ticket_id having count(*) = 1
),

order_ids as (
    select order_id, min(order_key) as order_key from {{ ref('int_order__unioned') }} group by order_id having count(*) = 1
),

anonymous as (
    select distinct source, invitation_id
    from {{ ref('int_survey_answer__unioned') }}
    where is_anonymous and invitation_id is not null
),

employee_surveys as (
    {{ employee_surveys() }}
),

linked as (
    select
        invitations.survey_invitation_key,
        invitations.source,
        invitations.contact_id,
        invitations.respondent_key,
        employee_surveys.survey_id is not null as is_employee,
        anonymous.invitation_id is not null or employee_surveys.survey_id is not null as is_nobodys,
        coalesce(own_tickets.ticket_key, ticket_ids.ticket_key) as ticket_key,
        coalesce(own_orders.order_key, order_ids.order_key) as order_key
    from {{ ref('int_survey_invitation__unioned') }} as invitations
    left join anonymous
        on anonymous.source = invitations.source
        and anonymous.invitation_id = invitations.invitation_id
    left join employee_surveys
        on employee_surveys.source = invitations.source
        and employee_surveys.survey_id = invitations.survey_id
    left join {{ ref('int_ticket__unioned') }} as own_tickets
        on own_tickets.source = invitations.source
        and own_tickets.ticket_id = invitations.ticket_id
    left join ticket_ids on ticket_ids.ticket_id = invitations.ticket_id
    left join {{ ref('int_order__unioned') }} as own_orders
        on own_orders.source = invitations.source
        and own_orders.order_id = invitations.order_id
    left join order_ids on order_ids.order_id = invitations.order_id
)

select
    linked.survey_invitation_key,
    case
        when linked.is_nobodys then -1
        when own.contact_key is null and respondents.is_conflict then respondents.customer_key
        else coalesce(
            own.customer_key,
            nullif(respondents.customer_key, -1),
            nullif(ticket_customers.customer_key, -1),
            nullif(order_customers.customer_key, -1),
            -1
        )
    end as customer_key,
    case when linked.is_nobodys then -1 else coalesce(linked.ticket_key, -1) end as ticket_key,
    case when linked.is_nobodys then -1 else coalesce(linked.order_key, -1) end as order_key,
    linked.is_employee
from linked
left join {{ ref('map_customer_identity') }} as own
    on own.source = linked.source
    and own.contact_id = linked.contact_id
left join {{ ref('int_identity__resolved') }} as respondents
    on respondents.node_key = linked.respondent_key
    and not respondents.is_contact
left join {{ ref('int_ticket__customer') }} as ticket_customers on ticket_customers.ticket_key = linked.ticket_key
left join {{ ref('int_order__customer') }} as order_customers on order_customers.order_key = linked.order_key
