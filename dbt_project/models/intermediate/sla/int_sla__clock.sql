{#-
    Targets that a help desk tells as clocks, each time one was applied, and what became of it. What lives here: their due times,
    priorities and outcomes. Not here: what the desk tells of them (int_sla__application), how their clocks ran (int_sla__run), targets
    told as due times (int_ticket__stated_target).

    The desk says when a target was breached; where it does not, the clock says so: minutes it ran from the application on,
    within business hours if the policy says so (of the schedule the ticket was under then). The priority is that of the
    moment of application. A target that another replaced keeps what it was by then.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_sla__application') }}
        union select ticket_key from {{ touched('int_sla__run') }}
        union select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
        union select ticket_key from {{ touched('fct_ticket_transition') }}
        union
        select targets.ticket_key from {{ this }} as targets
        cross join (select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}) as night
        where
            (targets.outcome in ('active', 'paused') and coalesce(targets.due_at <= night.as_of_end, true))
            or (targets.outcome = 'breached' and targets.due_at > night.as_of_end)
    "
) }}

{%- set key = ['ticket_key', 'metric', 'instance_no', 'application_no'] %}
{%- set application = key | join(', ') %}

with night as (
    select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}
),

tickets as (
    select
        ticket_key,
        priority
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

applications as (
    select
        {{ application }},
        applied_at,
        target_minutes,
        is_business_hours,
        policy,
        given_up_at,
        breached_at,
        fulfilled_at
    from {{ ref('int_sla__application') }}
    where {{ is_touched(['ticket_key']) }}
),

departures as (
    select
        {{ columns_of('applications', key) }},
        min(transitions.occurred_at) as gone_at
    from applications
    inner join {{ ref('fct_ticket_transition') }} as transitions
        on transitions.ticket_key = applications.ticket_key
        and transitions.unsolved_change = -1
        and transitions.occurred_at >= applications.applied_at
    group by {{ columns_of('applications', key) }}
),

priorities as (
    select
        ticket_key,
        occurred_at,
        from_value,
        to_value,
        is_event,
        row_number() over (partition by ticket_key order by occurred_at, sequence, event_key) as place
    from {{ ref('int_ticket__change') }}
    where attribute = 'priority' and ticket_key in (select ticket_key from applications)
),

{#- The priority at the moment of application: the last change up to it, else what the first change came from, or what the ticket
    was first known with. -#}
applied_priorities as (
    select
        {{ columns_of('applications', key) }},
        max(case when priorities.occurred_at <= applications.applied_at then priorities.place end) as last_place,
        count(priorities.place) as changes
    from applications
    left join priorities on priorities.ticket_key = applications.ticket_key
    group by {{ columns_of('applications', key) }}
),

judged as (
    select
        {{ columns_of('applications', key) }},
        applications.policy,
        case
            when applied_priorities.changes = 0 then tickets.priority
            when applied_priorities.last_place is not null then lasts.to_value
            when firsts.is_event then firsts.from_value
            else firsts.to_value
        end as priority,
        applications.target_minutes,
        applications.is_business_hours,
        applications.applied_at,
        applications.given_up_at,
        applications.fulfilled_at,
        departures.gone_at,
        coalesce(applications.breached_at, runs.reached_at) as due_at,
        case when applications.fulfilled_at is not null then runs.minutes_run end as minutes_run,
        runs.minutes_paused,
        coalesce(runs.is_paused, false) as is_paused
    from applications
    inner join tickets on tickets.ticket_key = applications.ticket_key
    inner join applied_priorities on {{ equal_columns('applied_priorities', 'applications', key) }}
    left join priorities as lasts on lasts.ticket_key = applied_priorities.ticket_key and lasts.place = applied_priorities.last_place
    left join priorities as firsts on firsts.ticket_key = applied_priorities.ticket_key and firsts.place = 1
    left join {{ ref('int_sla__run') }} as runs on {{ equal_columns('runs', 'applications', key) }}
    left join departures on {{ equal_columns('departures', 'applications', key) }}
)

select
    {{ columns_of('judged', key) }},
    judged.policy,
    case
        when lower(judged.priority) in ('low', 'normal', 'high', 'urgent') then lower(judged.priority)
        when judged.priority is not null then 'other'
    end as priority_applied,
    judged.target_minutes,
    judged.is_business_hours,
    judged.applied_at,
    judged.due_at,
    judged.fulfilled_at,
    round(judged.minutes_run, 4) as minutes_to_fulfil,
    round(judged.minutes_paused, 4) as paused_minutes,
    {{ sla_outcome('judged.due_at', 'judged.fulfilled_at', 'judged.given_up_at', 'judged.gone_at', 'judged.is_paused', 'night.as_of_end') }} as outcome
from judged
cross join night
