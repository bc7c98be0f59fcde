{#-
    Journeys of a kind, for the journey map. What lives here: the steps each journey reached, at which touchpoints, and whether a
    later step followed in its window. Not here: the whole journey (int_journey_map__customer), counts of journeys
    (int_journey_map__flow).

    A journey counts in the periods of the day it started.
-#}
{{ config(
    touched_key=['journey_key'],
    touched_by="{{ touched_map_journeys() }}",
    keeps_changes=true
) }}

{%- set places = range(1, steps_per_journey() + 1) %}

with journeys as (
    select
        journeys.journey_key,
        journeys.journey,
        case when journeys.customer_key = -1 then -1 - journeys.journey_key else journeys.customer_key end as respondent,
        coalesce(customers.segment, 'unknown') as segment,
        journeys.start_date_key as date_key,
        {%- for place in places %}
        journeys.step_{{ place }}_at,
        case when journeys.step_{{ place }}_at <= journeys.window_ends_at then journeys.step_{{ place }}_at end as in_window_{{ place }}_at,
        {%- endfor %}
        journeys.is_matured,
        journeys.is_completed
    from {{ ref('fct_journey') }} as journeys
    left join {{ ref('dim_customer') }} as customers on customers.customer_key = journeys.customer_key
    where {{ is_touched(['journeys.journey_key']) }}
),

reached_steps as (
    {%- for place in places %}
    select
        journey_key, journey, respondent, segment, date_key, {{ place }} as step_order,
        step_{{ place }}_at as reached_at,
        {% if loop.last -%}
        cast(null as timestamptz)
        {%- else -%}
        coalesce({% for later in range(place + 1, steps_per_journey() + 1) %}in_window_{{ later }}_at{{ ', ' if not loop.last }}{% endfor %})
        {%- endif %} as next_at,
        is_matured,
        is_completed
    from journeys
    where step_{{ place }}_at is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

steps as (
    select journey, step, step_order, step_order = max(step_order) over (partition by journey) as is_last from {{ ref('dim_journey_step') }}
),

judged_steps as (
    select
        reached.journey_key,
        reached.journey,
        reached.respondent,
        reached.segment,
        reached.date_key,
        reached.step_order,
        reached.is_matured and reached.next_at is not null as is_progressed,
        reached.is_matured and reached.next_at is null and not reached.is_completed and not steps.is_last as is_dropped,
        not reached.is_matured and reached.next_at is null and not reached.is_completed and not steps.is_last as is_open,
        case when reached.is_matured then {{ whole_seconds_between('reached.reached_at', 'reached.next_at') }} end as seconds
    from reached_steps as reached
    inner join steps on steps.journey = reached.journey and steps.step_order = reached.step_order
),

step_touchpoints as (
    select distinct
        events.journey_key,
        steps.step_order,
        events.touchpoint_key
    from {{ ref('fct_journey_event') }} as events
    inner join steps on steps.journey = events.journey and steps.step = events.step
    where events.object <> 'survey_answer' and {{ is_touched(['events.journey_key']) }}
),

at_touchpoints as (
    select *, {{ all_touchpoints() }} as touchpoint_key from judged_steps
    union all
    select judged_steps.*, step_touchpoints.touchpoint_key
    from judged_steps
    inner join step_touchpoints
        on step_touchpoints.journey_key = judged_steps.journey_key
        and step_touchpoints.step_order = judged_steps.step_order
),

final as (
    {{ in_periods('at_touchpoints', [
        'journey_key', 'journey', 'respondent', 'segment', 'step_order', 'touchpoint_key',
        'is_progressed', 'is_dropped', 'is_open', 'seconds',
    ]) }}
)

select * from final
