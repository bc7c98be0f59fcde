{#-
    What became of each journey. What lives here: when its steps were reached, whether it was completed, dropped or left,
    its contacts, switches and hand-offs, and how it felt at its best, its worst and its end. Not here: which events are part
    of it (fct_journey_event), rates and times over many journeys (mart_journey_map).

    A journey is dropped only after its window has elapsed. Answers never reach a step. Scores of different scales are never
    blended: each score comes with its scale.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['journey_key'],
    touches=['journey', 'customer_key', 'start_date_key'],
    touched_by="
        select journey_key from {{ touched('int_journey__step_time') }}
        union select journey_key from {{ touched('int_journey__experience') }}
        union
        select journeys.journey_key from {{ this }} as journeys
        cross join {{ night() }} as night
        where journeys.is_matured <> (journeys.window_ends_at <= {{ end_of_local_day('night.as_of') }})
    "
) }}

{%- set places = range(1, steps_per_journey() + 1) %}

with night as (
    select {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

timed as (
    select
        times.journey_key,
        times.journey,
        times.customer_key,
        times.started_at,
        times.window_ends_at,
        times.last_event_at,
        times.n_events,
        {% for place in places -%}
        times.step_{{ place }}_at,
        {% endfor -%}
        times.steps_reached,
        times.current_step,
        times.is_completed,
        times.last_required_at,
        times.window_ends_at <= night.ends_at as is_matured,
        times.first_channel,
        times.exit_reason,
        times.exited_at,
        times.step_at_exit
    from {{ ref('int_journey__step_time') }} as times
    cross join night
    where {{ is_touched(['times.journey_key']) }}
),

final as (
    select
        timed.journey_key,
        timed.journey,
        timed.customer_key,
        timed.started_at,
        {{ local_date_key('timed.started_at') }} as start_date_key,
        timed.window_ends_at,
        timed.last_event_at,
        {% for place in places -%}
        timed.step_{{ place }}_at,
        {% endfor -%}
        cast(timed.steps_reached as integer) as steps_reached,
        timed.current_step,
        timed.is_completed,
        case when timed.is_completed then timed.last_required_at end as completed_at,
        case when timed.is_completed then round({{ minutes_between('timed.started_at', 'timed.last_required_at') }}, 4) end as minutes_to_complete,
        timed.is_matured,
        not timed.is_completed and timed.exited_at is null and not timed.is_matured as is_open,
        case
            when timed.exited_at is not null then timed.step_at_exit
            when timed.is_matured and not timed.is_completed then timed.current_step
        end as exit_step,
        case
            when timed.exited_at is not null then timed.exit_reason
            when timed.is_matured and not timed.is_completed then 'dropped'
        end as exit_reason,
        timed.exited_at,
        timed.n_events,
        experiences.n_contacts,
        experiences.n_channels,
        experiences.n_switches,
        experiences.n_handoffs,
        timed.first_channel,
        {% for name in ['peak', 'trough', 'end'] -%}
        experiences.{{ name }}_score,
        experiences.{{ name }}_touchpoint_key,
        experiences.{{ name }}_scale{{ ',' if not loop.last }}
        {% endfor -%}
    from timed
    inner join {{ ref('int_journey__experience') }} as experiences on experiences.journey_key = timed.journey_key
)

select * from final
