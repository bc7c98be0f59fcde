{#-
    What we did about each case: when somebody answered, did something about it, and told the customer so. What lives here: the
    three moments. Not here: what opens a case (int_case__failure), whether that was in time (fct_closed_loop_case).

    The moments of a case are at or after its opening, and only a solution that still stands counts. Messages are public ones of
    persons: on the ticket; for low scores also calls and tickets we begin, within 7 days. The register of actions answers themes and
    not customers, so it closes no case.
-#}
{{ config(
    touched_key=['case_key'],
    touched_by="
        with moved_tickets as (
            select ticket_key from {{ touched('fct_ticket') }}
            union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        ),
        moved_customers as (
            select customer_key from {{ touched('fct_journey_event') }}
            union
            select customer_key from {{ ref('fct_journey_event') }}
            where object = 'ticket' and source_ref in (select ticket_key from moved_tickets)
        )
        select case_key from {{ touched('int_case__failure') }}
        union
        select case_key from {{ ref('int_case__failure') }}
        where
            (customer_key <> -1 and customer_key in (select customer_key from moved_customers))
            or ticket_key in (select ticket_key from moved_tickets)
    "
) }}

with cases as (
    select
        case_key,
        source_object,
        customer_key,
        ticket_key,
        opened_at,
        first_reply_at
    from {{ ref('int_case__failure') }}
    where {{ is_touched(['case_key']) }}
),

{#- Calls, and tickets we began: what else reaches a customer by a person. -#}
contacts as (
    select customer_key, object, source_ref, occurred_at
    from {{ ref('fct_journey_event') }}
    where
        direction = 'outbound'
        and handled_by = 'human'
        and (object = 'activity' or event = 'created_by_us')
        and customer_key <> -1
        and customer_key in (select customer_key from cases where source_object <> 'ticket')
),

follow_ups as (
    select cases.case_key, cases.opened_at, contacts.object, contacts.source_ref, contacts.occurred_at
    from cases
    inner join contacts on contacts.customer_key = cases.customer_key
    where cases.source_object <> 'ticket' and contacts.occurred_at >= cases.opened_at
),

{#- On which tickets each case is worked: its own, and those we began in answer to a low score. -#}
case_tickets as (
    select case_key, opened_at, ticket_key from cases where ticket_key <> -1
    union
    select case_key, opened_at, source_ref
    from follow_ups
    where object = 'ticket' and {{ is_within_days('occurred_at', 'opened_at', contact_days()) }}
),

replies as (
    select case_tickets.case_key, events.occurred_at
    from case_tickets
    inner join {{ ref('int_ticket_event__unioned') }} as events on events.ticket_key = case_tickets.ticket_key
    where
        events.event_type = 'comment'
        and events.author_role = 'agent'
        and coalesce(events.is_public, true)
        and not events.is_deleted
        and events.occurred_at >= case_tickets.opened_at
),

solutions as (
    select case_tickets.case_key, min(tickets.last_solved_at) as addressed_at
    from case_tickets
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = case_tickets.ticket_key
    where tickets.status in ('solved', 'closed') and tickets.last_solved_at >= case_tickets.opened_at
    group by case_tickets.case_key
),

responses as (
    select case_key, first_reply_at as occurred_at
    from cases
    where first_reply_at is not null
    union all
    select replies.case_key, replies.occurred_at
    from replies
    inner join cases on cases.case_key = replies.case_key
    where cases.source_object <> 'ticket'
    union all
    select case_key, occurred_at
    from follow_ups
    where {{ is_within_days('occurred_at', 'opened_at', contact_days()) }}
),

reports as (
    select replies.case_key, replies.occurred_at
    from replies
    inner join solutions on solutions.case_key = replies.case_key and replies.occurred_at >= solutions.addressed_at
    union all
    select follow_ups.case_key, follow_ups.occurred_at
    from follow_ups
    inner join solutions
        on solutions.case_key = follow_ups.case_key
        and {{ is_within_days('follow_ups.occurred_at', 'solutions.addressed_at', contact_days()) }}
),

{#- Telling what was done is an answer, however late it comes. -#}
messages as (
    select case_key, min(occurred_at) as responded_at, min(case when is_report then occurred_at end) as communicated_at
    from (
        select case_key, occurred_at, false as is_report from responses
        union all
        select case_key, occurred_at, true from reports
    ) as messages
    group by case_key
)

select
    cases.case_key,
    messages.responded_at,
    solutions.addressed_at,
    messages.communicated_at
from cases
left join solutions on solutions.case_key = cases.case_key
left join messages on messages.case_key = cases.case_key
