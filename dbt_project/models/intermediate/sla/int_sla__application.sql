{#-
    Targets that were applied to tickets, and how each ended by the desk's word. What lives here: from when to when a target held, and by
    which schedule it is timed. Not here: how its clock ran (int_sla__run), what became of it (int_sla__clock).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_sla_event__unioned') }}
        union select ticket_key from {{ touched('int_ticket__schedule') }}
    "
) }}

{%- set clock = 'ticket_key, metric, instance_no' %}
{%- set application = clock ~ ', application_no' %}

with events as (
    select
        {{ clock }},
        kind,
        moment,
        target_minutes,
        is_business_hours,
        policy,
        place,
        application_no,
        clock_state
    from {{ ref('int_sla_event__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

{#- An application without a target takes a target away. -#}
applications as (
    select
        {{ application }},
        moment as applied_at,
        target_minutes,
        is_business_hours,
        policy,
        coalesce(clock_state, 'activate') = 'activate' as is_running,
        given_up_at
    from (
        select
            {{ application }},
            moment,
            target_minutes,
            is_business_hours,
            policy,
            clock_state,
            lead(moment) over (partition by {{ clock }} order by application_no) as given_up_at
        from events
        where kind = 'apply_sla'
    ) as applied
    where target_minutes is not null
),

ends as (
    select
        {{ application }},
        min(case when kind = 'breach' then moment end) as breached_at,
        min(case when kind = 'fulfill' then moment end) as fulfilled_at,
        min(case when kind = 'fulfill' then place end) as fulfilled_place
    from events
    where application_no > 0 and kind in ('breach', 'fulfill')
    group by {{ application }}
)

select
    applications.ticket_key,
    applications.metric,
    applications.instance_no,
    applications.application_no,
    applications.applied_at,
    applications.target_minutes,
    applications.is_business_hours,
    applications.policy,
    applications.is_running,
    applications.given_up_at,
    ends.breached_at,
    ends.fulfilled_at,
    ends.fulfilled_place,
    schedules.schedule
from applications
left join ends
    on {{ equal_columns('ends', 'applications', application.split(', ')) }}
left join {{ ref('int_ticket__schedule') }} as schedules
    on applications.is_business_hours
    and schedules.ticket_key = applications.ticket_key
    and schedules.from_at <= applications.applied_at
    and (schedules.to_at is null or schedules.to_at > applications.applied_at)
