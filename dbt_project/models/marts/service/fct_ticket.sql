{#-
    What became of each ticket. What lives here: whose it is, and whether it was solved on first contact. Removed tickets stay, flagged,
    and KPIs leave them out, but for those that were purged when their time was over. Not here: what its own history tells
    (int_ticket__milestone), what rules make of it (int_ticket__class), when it was unsolved (fct_ticket_transition).

    Whether a ticket was solved on first contact depends on the customer's other tickets and is judged days later: all
    tickets of a customer are worked out together, also when the business date passes the end of those days.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['ticket_key'],
    derived_alone=false,
    touches=['created_date_key', 'first_reply_date_key', 'first_solved_date_key', 'last_solved_date_key', 'customer_key', 'agent_key'],
    touched_by="
        with night as (
            select as_of from {{ night() }}
        ),
        moved as (
            select ticket_key from {{ touched('int_ticket__milestone') }}
            union select ticket_key from {{ touched('int_ticket__class') }}
            union
            select ticket_key from {{ touched('int_ticket__customer') }}
            union
            select tickets.ticket_key from {{ this }} as tickets
            cross join night
            where tickets.is_fcr_matured <> {{ is_fcr_matured('tickets.first_solved_at', 'night.as_of') }}
        ),
        moved_customers as (
            select customer_key from {{ this }} where ticket_key in (select ticket_key from moved)
            union
            select customer_key from {{ ref('int_ticket__customer') }} where ticket_key in (select ticket_key from moved)
        )
        select ticket_key from moved
        union
        select ticket_key from {{ this }} where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
    "
) }}

with night as (
    select as_of from {{ night() }}
),

{#- When a customer came back about a topic, no topic being one of its own. Of a request that was sent twice, one is merged. -#}
contacts as (
    select
        tickets.ticket_key,
        lead(tickets.created_at) over (
            partition by customers.customer_key, tickets.topic order by tickets.created_at, tickets.ticket_key
        ) as next_contact_at
    from {{ ref('int_ticket__milestone') }} as tickets
    inner join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    where
        tickets.is_customer_initiated
        and customers.customer_key <> -1
        and coalesce(tickets.removed_kind <> 'merged', true)
        and {{ is_touched(['tickets.ticket_key']) }}
),

final as (
    select
        tickets.ticket_key,
        tickets.system,
        coalesce(customers.customer_key, -1) as customer_key,
        tickets.agent_key,
        classes.touchpoint_key,
        classes.channel,
        tickets.ticket_type,
        tickets.topic,
        tickets.team,
        tickets.priority,
        tickets.status,
        {%- for moment in ['created', 'first_reply', 'first_solved', 'last_solved'] %}
        tickets.{{ moment }}_at,
        {{ local_date_key('tickets.' ~ moment ~ '_at') }} as {{ moment }}_date_key,
        {%- endfor %}
        {%- for column in [
            'first_automated_reply_at', 'closed_at', 'removed_at', 'escalated_at',
            'first_reply_minutes', 'first_automated_reply_minutes', 'first_resolution_minutes', 'full_resolution_minutes',
            'first_reply_business_minutes', 'first_resolution_business_minutes', 'full_resolution_business_minutes',
            'first_human_minutes', 'escalation_minutes', 'requester_wait_minutes', 'requester_wait_business_minutes', 'on_hold_minutes',
            'replies', 'automated_replies', 'agent_touches', 'customer_contacts', 'automated_share', 'handling_class',
            'reopens', 'is_reopened', 'reassignments', 'team_changes', 'transfers', 'is_escalated',
            'is_customer_initiated', 'conversation', 'is_status_history_known', 'is_team_history_known',
            'is_complaint', 'never_answered', 'awaiting_our_reply', 'is_one_touch', 'is_first_tier_resolution', 'removed_kind'
        ] %}
        tickets.{{ column }},
        {%- endfor %}
        classes.exception_reason is not null as is_exception,
        classes.exception_reason,
        {{ is_fcr_matured('tickets.first_solved_at', 'night.as_of') }} as is_fcr_matured,
        case when contacts.ticket_key is not null and tickets.is_status_history_known and {{ is_fcr_matured('tickets.first_solved_at', 'night.as_of') }} then
            {{ is_first_contact_resolution('tickets.first_solved_at', 'tickets.reopens', 'contacts.next_contact_at') }}
        end as is_fcr
    from {{ ref('int_ticket__milestone') }} as tickets
    cross join night
    inner join {{ ref('int_ticket__class') }} as classes on classes.ticket_key = tickets.ticket_key
    left join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    left join contacts on contacts.ticket_key = tickets.ticket_key
    where {{ is_touched(['tickets.ticket_key']) }}
)

select * from final
