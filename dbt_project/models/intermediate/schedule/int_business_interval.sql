{#-
    When each schedule is open, as stretches of time with the minutes open before them: between two instants lie as many
    business minutes as the clock of open minutes moves on (macros/metrics/business_time.sql). What lives here: local
    hours, clock changes, holidays and seasons turned into instants. Not here: which schedule a team keeps.
-#}
{{ config(materialized='table', incremental_strategy=none) }}

with night as (
    select
        cast('2000-01-01' as date) as first_day,
        {{ plus_days('as_of', 400) }} as last_day
    from {{ night() }}
),

days as (
    {{ days_between('night', 'first_day', 'last_day') }}
),

open_hours as (
    select
        hours.schedule,
        {{ instant_of('days.date_day', 'hours.opens', 'schedules.timezone') }} as opens_at,
        {{ instant_of('days.date_day', 'hours.closes', 'schedules.timezone') }} as closes_at
    from {{ ref('schedule_hours') }} as hours
    inner join {{ ref('schedules') }} as schedules on schedules.schedule = hours.schedule
    inner join days
        on {{ iso_weekday('days.date_day') }} = hours.iso_weekday
        and days.date_day >= coalesce(hours.valid_from, days.date_day)
        and days.date_day <= coalesce(hours.valid_to, days.date_day)
    left join {{ ref('schedule_holidays') }} as holidays
        on holidays.schedule = hours.schedule
        and holidays.holiday = days.date_day
    where holidays.holiday is null
),

{#- Hours that overlap or follow each other are one stretch. -#}
marked as (
    select
        schedule,
        opens_at,
        closes_at,
        coalesce(
            opens_at > max(closes_at) over (
                partition by schedule order by opens_at, closes_at rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_new
    from open_hours
    where closes_at > opens_at
),

numbered as (
    select
        schedule,
        opens_at,
        closes_at,
        sum(case when is_new then 1 else 0 end) over (
            partition by schedule order by opens_at, closes_at rows unbounded preceding
        ) as stretch
    from marked
),

stretches as (
    select
        schedule,
        min(opens_at) as opens_at,
        max(closes_at) as closes_at
    from numbered
    group by schedule, stretch
)

select
    schedule,
    opens_at,
    closes_at,
    coalesce(
        sum({{ minutes_between('opens_at', 'closes_at') }}) over (
            partition by schedule order by opens_at rows between unbounded preceding and 1 preceding
        ),
        0
    ) as minutes_before
from stretches
