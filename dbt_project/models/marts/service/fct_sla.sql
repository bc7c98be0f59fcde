{#-
    Targets of help desks, each time one was applied, and what became of it. What lives here: targets told as clocks and as due
    times, in one shape. Not here: how the clocks run (int_sla__clock), how long tickets took (fct_ticket).

    Of a target stated on the ticket the desk's word decides: breached is breached. Where it does not say, the due time does. Where
    neither the answer nor its lack is known, nobody knows what became of it.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['ticket_key'],
    touches=['due_date_key', 'applied_date_key'],
    touched_by="
        select ticket_key from {{ touched('int_sla__clock') }}
        union select ticket_key from {{ touched('int_ticket__stated_target') }}
        union
        select targets.ticket_key from {{ this }} as targets
        cross join (select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}) as night
        where
            (targets.outcome = 'active' and targets.due_at <= night.as_of_end)
            or (targets.outcome = 'breached' and targets.due_at > night.as_of_end)
    "
) }}

with night as (
    select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}
),

targets as (
    select
        ticket_key,
        metric,
        instance_no,
        application_no,
        policy,
        priority_applied,
        target_minutes,
        is_business_hours,
        applied_at,
        due_at,
        due_at as counted_at,
        fulfilled_at,
        minutes_to_fulfil,
        paused_minutes,
        outcome
    from {{ ref('int_sla__clock') }}
    where {{ is_touched(['ticket_key']) }}
    union all
    {#- Of a target without a due time the day counts on which it was met or missed. #}
    select
        stated.ticket_key,
        stated.metric,
        0,
        1,
        stated.policy,
        stated.priority_applied,
        null,
        null,
        stated.applied_at,
        stated.due_at,
        coalesce(stated.due_at, stated.fulfilled_at),
        stated.fulfilled_at,
        null,
        null,
        {{ stated_outcome('stated', 'night.as_of_end') }}
    from {{ ref('int_ticket__stated_target') }} as stated
    cross join night
    where {{ is_touched(['stated.ticket_key']) }}
),

final as (
    select
        {{ surrogate_key(['ticket_key', 'metric', 'instance_no', 'application_no']) }} as sla_key,
        ticket_key,
        metric,
        instance_no,
        application_no,
        policy,
        priority_applied,
        target_minutes,
        is_business_hours,
        applied_at,
        {{ local_date_key('applied_at') }} as applied_date_key,
        due_at,
        {{ local_date_key('counted_at') }} as due_date_key,
        fulfilled_at,
        minutes_to_fulfil,
        paused_minutes,
        outcome,
        outcome in ('achieved', 'breached') as is_counted
    from targets
)

select * from final
