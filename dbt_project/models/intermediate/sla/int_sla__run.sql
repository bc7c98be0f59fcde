{#-
    How the clock of each applied target ran. What lives here: the minutes it ran and stood still, and when it reaches the target, within
    business hours if the target says so. Not here: what the desk said of it (int_sla__application), what became of it (int_sla__clock).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_sla_event__unioned') }}
        union select ticket_key from {{ touched('int_sla__application') }}
    "
) }}

{%- set key = ['ticket_key', 'metric', 'instance_no', 'application_no'] %}
{%- set application = key | join(', ') %}

with applications as (
    select
        {{ application }},
        applied_at,
        target_minutes,
        is_business_hours,
        is_running,
        given_up_at,
        fulfilled_place,
        schedule
    from {{ ref('int_sla__application') }}
    where {{ is_touched(['ticket_key']) }}
),

events as (
    select
        {{ application }},
        kind,
        moment,
        place
    from {{ ref('int_sla_event__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

{#- The clock from the application on. What is fulfilled runs on in thought, which gives the time it would have been due. -#}
points as (
    select
        {{ application }},
        schedule,
        applied_at as started_at,
        applied_at as moment,
        0 as place,
        is_running,
        false as is_after_fulfilment
    from applications
    where not is_business_hours or schedule is not null
    union all
    select
        {{ columns_of('applications', key) }},
        applications.schedule,
        applications.applied_at,
        events.moment,
        events.place,
        events.kind <> 'pause',
        events.kind = 'fulfill'
    from applications
    inner join events on {{ equal_columns('events', 'applications', key) }}
    where
        events.kind in ('activate', 'pause', 'fulfill')
        and (applications.fulfilled_place is null or events.place <= applications.fulfilled_place)
        and (not applications.is_business_hours or applications.schedule is not null)
),

readings as (
    {{ clock_readings('points', key + ['place', 'is_running', 'is_after_fulfilment']) }}
),

stretches as (
    select
        {{ application }},
        schedule,
        started_at,
        moment,
        place,
        reading,
        is_running,
        is_after_fulfilment,
        lead(moment) over in_order as next_at,
        case when is_running then lead(reading) over in_order - reading end as minutes_run
    from readings
    window in_order as (partition by {{ application }} order by place)
),

run_before as (
    select
        *,
        coalesce(sum(minutes_run) over (
            partition by {{ application }} order by place rows between unbounded preceding and 1 preceding
        ), 0) as minutes_before
    from stretches
),

{#- The stretch in which the clock reaches the target. -#}
reaching as (
    select
        {{ columns_of('run_before', key) }},
        run_before.schedule,
        run_before.started_at,
        run_before.moment,
        run_before.reading + applications.target_minutes - run_before.minutes_before as reading,
        row_number() over (
            partition by {{ columns_of('run_before', key) }}
            order by run_before.place
        ) as reach_no
    from run_before
    inner join applications on {{ equal_columns('applications', 'run_before', key) }}
    where
        run_before.is_running
        and (run_before.next_at is null or run_before.minutes_before + run_before.minutes_run >= applications.target_minutes)
),

first_reaching as (
    select *
    from reaching
    where reach_no = 1
),

dues as (
    {{ clock_instants('first_reaching', key) }}
),

clocks as (
    select
        {{ columns_of('run_before', key) }},
        coalesce(sum(case when not run_before.is_after_fulfilment then run_before.minutes_run end), 0) as minutes_run,
        coalesce(sum(case when not run_before.is_running then {{ minutes_between('run_before.moment', 'coalesce(run_before.next_at, applications.given_up_at)') }} end), 0)
            as minutes_paused,
        max(case when run_before.next_at is null and not run_before.is_running then 1 else 0 end) = 1 as is_paused
    from run_before
    inner join applications on {{ equal_columns('applications', 'run_before', key) }}
    group by {{ columns_of('run_before', key) }}
)

select
    {{ columns_of('applications', key) }},
    dues.reached_at,
    clocks.minutes_run,
    clocks.minutes_paused,
    coalesce(clocks.is_paused, false) as is_paused
from applications
left join dues on {{ equal_columns('dues', 'applications', key) }}
left join clocks on {{ equal_columns('clocks', 'applications', key) }}
