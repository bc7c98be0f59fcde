{#-
    The journey map: who comes to each step and touchpoint, who goes on, how it feels there, and what a low score costs.
    What lives here: the figures of each cell, brought together and shown or hidden. Not here: how they are counted
    (models/intermediate/journey_map), what became of one journey (fct_journey), which cells are hidden (int_journey_map__cell).

    A journey counts in the month it started in; in the whole journey (`customer`) a customer counts in every month with an
    event, from the first event there, and has 30 days to come to a later stage. Only what has had its time is judged. Answers
    count on their own day. Segments are those of today. Hidden parts are NULL: flow, scores and exits each by the people in them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['period', 'period_start'],
    touched_by="{{ touched_map_periods(['int_journey_map__cell', 'int_journey_map__flow', 'int_journey_map__time', 'int_journey_map__score']) }}"
) }}

-- Ratings are a view of scores. depends_on: {{ ref('int_journey_map__score') }}

with cells as (
    select * from {{ ref('int_journey_map__cell') }} where {{ is_touched(['period', 'period_start']) }}
),

steps as (
    select
        journey,
        step,
        step_order,
        stage,
        target_minutes,
        step_order = max(step_order) over (partition by journey) as is_last
    from {{ ref('dim_journey_step') }}
),

final as (
    select
        cells.journey,
        cells.segment,
        steps.step,
        cells.step_order,
        steps.stage,
        cells.touchpoint,
        cells.touchpoint_key,
        {%- for column in ['channel', 'channel_class', 'owner_department', 'initiated_by'] %}
        coalesce(touchpoints.{{ column }}, 'all') as {{ column }},
        {%- endfor %}
        cells.period,
        cells.period_start,
        {%- for measure in ['entered', 'customers', 'progressed', 'dropped', 'still_open'] %}
        case when not cells.hides_flow then coalesce(flow.{{ measure }}, 0) end as {{ measure }},
        {%- endfor %}
        case when not cells.hides_flow and not steps.is_last then
            round(cast(flow.progressed as double) / nullif(flow.progressed + flow.dropped, 0), 4)
        end as progress_rate,
        case when not cells.hides_flow then round(times.minutes_p50, 4) end as minutes_to_next_p50,
        case when not cells.hides_flow then round(times.minutes_p90, 4) end as minutes_to_next_p90,
        cast(steps.target_minutes as double) as target_minutes,
        cells.score_scale,
        case when not cells.hides_score then coalesce(ratings.scores, 0) end as scores,
        {%- for measure in ['score_mean', 'score_ci_low', 'score_ci_high', 'score_p10', 'score_p50', 'score_p90'] %}
        case when not cells.hides_score then round(ratings.{{ measure }}, 4) end as {{ measure }},
        {%- endfor %}
        case when not cells.hides_score then round(cast(ratings.below_floor as double) / ratings.scores, 4) end as share_below_floor,
        case when not cells.hides_score then round(ratings.journey_score_mean, 4) end as journey_score_mean,
        case when not cells.hides_score then round(ratings.score_mean - ratings.journey_score_mean, 4) end as score_gap,
        {%- for name, condition in [
            ('is_peak', 'ratings.score_ci_low > ratings.journey_score_mean and round(ratings.score_mean - ratings.journey_score_mean, 9) >= ' ~ least_score_gap()),
            ('is_trough', 'ratings.score_ci_high < ratings.journey_score_mean and round(ratings.journey_score_mean - ratings.score_mean, 9) >= ' ~ least_score_gap())
        ] %}
        case when not cells.hides_score then
            coalesce({{ condition }} and ratings.scores >= {{ n_low() }} and ratings.touchpoints >= 2 and cells.touchpoint <> 'all', false)
        end as {{ name }},
        {%- endfor %}
        case when not cells.hides_exit then coalesce(ratings.low_judged, 0) end as low_scores,
        {%- for name, scores in [('after_low', 'low'), ('otherwise', 'other')] %}
        case when not cells.hides_exit then
            round(cast(ratings.{{ scores }}_exited as double) / nullif(ratings.{{ scores }}_judged, 0), 4)
        end as exit_rate_{{ name }},
        {%- endfor %}
        case when not cells.hides_score and not cells.hides_step_score and cells.touchpoint <> 'all' then
            round(ratings.score_mean - ratings.step_score_mean, 4)
        end as channel_gap,
        case when not cells.hides_flow and not cells.hides_score then
            round(coalesce(flow.entered, 0) * case
                when ratings.score_mean < ratings.journey_score_mean then ratings.journey_score_mean - ratings.score_mean
                when ratings.score_mean is not null then 0.0
            end, 4)
        end as opportunity_size,
        cells.hides_flow or (flow.customers is null and cells.hides_score) as is_suppressed,
        coalesce(flow.entered, 0) < {{ n_low() }} as is_low_n
    from cells
    inner join steps on steps.journey = cells.journey and steps.step_order = cells.step_order
    left join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint = cells.touchpoint
    left join {{ ref('int_journey_map__flow') }} as flow on {{ equal_columns('flow', 'cells', map_cell()) }}
    left join {{ ref('int_journey_map__time') }} as times on {{ equal_columns('times', 'cells', map_cell()) }}
    left join {{ ref('int_journey_map__rating') }} as ratings on {{ equal_columns('ratings', 'cells', map_cell()) }}
)

select * from final
