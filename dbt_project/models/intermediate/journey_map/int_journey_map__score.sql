{#-
    Scores of the journey map, cell by cell, each scale by itself. What lives here: how many answers and people, their sums and
    quantiles, and how many left after them. Not here: means (int_journey_map__rating), the answers (int_journey_map__answer).

    Quantiles and people need all answers of a cell, so a cell with another answer is counted again from all of its own.
-#}
{{ config(
    touched_key=map_cell() + ['score_scale'],
    touched_by="{{ touched_map_scores() }}"
) }}

{%- set answer = ['score_scale', 'score_norm', 'is_judged', 'is_back'] -%}
{%- set place = map_cell()[:-1] + ['score_scale'] -%}
{%- set counts = ['scores', 'respondents', 'total', 'squares', 'below_floor', 'judged_respondents', 'low_judged', 'low_exited', 'other_judged', 'other_exited'] %}

with placed as (
    {{ placed_answers(ref('int_journey_map__answer'), answer) }}
),

in_periods as (
    {{ in_periods('placed', ['journey', 'step_order', 'touchpoint_key', 'segment', 'respondent'] + answer) }}
),

by_segment as (
    select
        {{ place | join(', ') }}, segment,
        count(*) as scores,
        count(distinct respondent) as respondents,
        {{ sum_of_units(score_units('score_norm')) }} as total,
        {{ sum_of_squares(score_units('score_norm')) }} as squares,
        {{ sorted_values('score_norm') }} as sorted_scores,
        count(case when score_norm <= {{ score_floor() }} then 1 end) as below_floor,
        count(distinct case when is_judged then respondent end) as judged_respondents,
        {%- for low, condition in [('low', 'score_norm <= ' ~ score_floor()), ('other', 'score_norm > ' ~ score_floor())] %}
        count(case when is_judged and {{ condition }} then 1 end) as {{ low }}_judged,
        count(case when is_judged and {{ condition }} and not is_back then 1 end) as {{ low }}_exited{{ ',' if not loop.last }}
        {%- endfor %}
    from in_periods
    where {{ is_at_touched_place('in_periods') }}
    group by {{ place | join(', ') }}, segment
),

{#- Nobody is in two segments, so their people can be added. -#}
in_all as (
    select {{ place | join(', ') }}, segment, sorted_scores, {{ counts | join(', ') }} from by_segment
    union all
    select
        {{ place | join(', ') }}, 'all', {{ sorted_together('sorted_scores') }}
        {%- for count in counts %},
        cast(sum({{ count }}) as {{ 'decimal(38, 0)' if count in ('total', 'squares') else 'bigint' }})
        {%- endfor %}
    from by_segment
    group by {{ place | join(', ') }}
),

final as (
    select
        {{ place | join(', ') }}, segment,
        {%- for name, q in [('p10', 0.1), ('p50', 0.5), ('p90', 0.9)] %}
        {{ quantile_value('sorted_scores', 'scores', q) }} as score_{{ name }},
        {%- endfor %}
        {{ counts | join(', ') }}
    from in_all
    where {{ is_touched(map_cell() + ['score_scale']) }}
)

select * from final
