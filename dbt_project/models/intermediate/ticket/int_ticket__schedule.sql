{#-
    Under which schedule each ticket was when: that of its team at the time. What lives here: the stretches. Not here: opening hours
    (int_business_interval), what is timed by them (int_ticket__duration, int_sla__clock).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
    "
) }}

with tickets as (
    select
        ticket_key,
        team,
        created_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

team_changes as (
    select
        ticket_key,
        occurred_at,
        from_value,
        to_value,
        row_number() over (partition by ticket_key order by occurred_at, sequence, event_key) as place
    from {{ ref('int_ticket__change') }}
    where attribute = 'team' and from_value is distinct from to_value and {{ is_touched(['ticket_key']) }}
),

schedules as (
    {{ schedules_of_tickets('tickets', 'team_changes') }}
)

select
    ticket_key,
    schedule,
    from_at,
    to_at
from schedules
