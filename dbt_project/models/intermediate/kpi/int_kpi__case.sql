{#-
    Closed-loop cases as records of the KPIs. What lives here: which case belongs to which measure, on which day. Not here:
    what a case is and what became of it (fct_closed_loop_case), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['case_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select case_key from {{ touched('fct_closed_loop_case') }}
        union {{ records_moved_by_customers(['case_key']) }}
    "
) }}

with cases as (
    select
        cases.case_key,
        cases.customer_key,
        coalesce(cases.channel, 'unknown') as channel,
        coalesce(touchpoints.touchpoint, 'unknown') as touchpoint,
        coalesce(cases.team, 'none') as team,
        {{ date_of_key('cases.opened_date_key') }} as opened_on,
        {{ date_of_key('cases.due_date_key') }} as due_on,
        {{ date_of_key('cases.responded_date_key') }} as responded_on,
        {{ minutes_between('cases.opened_at', 'cases.responded_at') }} as response_minutes,
        cases.is_responded_in_time,
        cases.is_recovery_matured,
        cases.is_recovered
    from {{ ref('fct_closed_loop_case') }} as cases
    left join {{ ref('dim_touchpoint') }} as touchpoints
        on touchpoints.touchpoint_key = cases.touchpoint_key and touchpoints.touchpoint_key <> -1
    where {{ is_touched(['cases.case_key']) }}
),

counted as (
    select case_key, 'loop_due' as measure, due_on as date_day, case when is_responded_in_time then 1 else 0 end as positives, cast(null as double) as minutes
    from cases
    where is_responded_in_time is not null
    union all
    select case_key, 'loop_minutes', responded_on, 0, response_minutes
    from cases
    where response_minutes is not null
    union all
    select case_key, 'recovery', {{ plus_days('opened_on', recovery_days()) }}, case when is_recovered then 1 else 0 end, null
    from cases
    where is_recovery_matured
),

named as (
    select
        counted.case_key,
        counted.measure,
        counted.date_day,
        counted.positives,
        counted.minutes,
        cases.customer_key,
        {{ respondent('cases.customer_key', 'cases.case_key') }} as respondent,
        cases.channel,
        cases.touchpoint,
        cases.team
    from counted
    inner join cases on cases.case_key = counted.case_key
)

{{ kpi_records('named', ['case_key'], ['positives', 'minutes', 'channel', 'touchpoint', 'team']) }}
