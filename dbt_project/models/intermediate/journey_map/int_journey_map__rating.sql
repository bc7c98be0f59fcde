{#-
    How it feels at each cell of the journey map. What lives here: which scale a touchpoint shows, its mean and interval there,
    and what it is compared with: the whole step and the whole journey on that scale. Not here: sums (int_journey_map__score),
    peaks, troughs and gaps, and what is hidden (mart_journey_map).

    A touchpoint shows the scale with most answers, in every segment the same one; scales are never blended. A view: there are few
    scores, and every mean of a period hangs on all of its others.
-#}
{{ config(materialized='view') }}

{%- set place = ['journey', 'period_key', 'step_order', 'touchpoint_key'] -%}
{%- set counts = ['scores', 'respondents', 'score_p10', 'score_p50', 'score_p90', 'below_floor', 'judged_respondents',
    'low_judged', 'low_exited', 'other_judged', 'other_exited'] %}

with scored as (
    select * from {{ ref('int_journey_map__score') }}
),

shown_scales as (
    select {{ place | join(', ') }}, score_scale
    from (
        select
            {{ place | join(', ') }},
            score_scale,
            row_number() over (partition by {{ place | join(', ') }} order by scores desc, score_scale) as place
        from scored
        where segment = 'all'
    ) as ranked
    where place = 1
),

journey_means as (
    select
        period_key,
        segment,
        score_scale,
        {{ mean_value('sum(total)', 'sum(scores)') }} as journey_score_mean,
        count(*) as touchpoints
    from scored
    where journey = 'customer' and touchpoint_key <> {{ all_touchpoints() }}
    group by period_key, segment, score_scale
),

final as (
    select
        {{ columns_of('scored', map_cell()) }},
        scored.score_scale,
        {{ columns_of('scored', counts) }},
        {{ mean_value('scored.total', 'scored.scores') }} as score_mean,
        {{ mean_interval_end('scored.total', 'scored.squares', 'scored.scores', '-') }} as score_ci_low,
        {{ mean_interval_end('scored.total', 'scored.squares', 'scored.scores', '+') }} as score_ci_high,
        {{ mean_value('whole_steps.total', 'whole_steps.scores') }} as step_score_mean,
        journey_means.journey_score_mean,
        journey_means.touchpoints
    from scored
    inner join shown_scales as shown on {{ equal_columns('shown', 'scored', place) }} and shown.score_scale = scored.score_scale
    inner join scored as whole_steps
        on {{ equal_columns('whole_steps', 'scored', ['journey', 'period_key', 'step_order', 'segment', 'score_scale']) }}
        and whole_steps.touchpoint_key = {{ all_touchpoints() }}
    inner join journey_means on {{ equal_columns('journey_means', 'scored', ['period_key', 'segment', 'score_scale']) }}
)

select * from final
