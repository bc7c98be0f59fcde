{#-
    The cells of the journey map. What lives here: which there are, which scale they show, and what is hidden in each: flow, scores and exits,
    each by the people in it. Not here: the figures (int_journey_map__flow, __time, __rating), how pools are made (macros/privacy).

    The last 365 days hide what any month within them hides.
-#}
{{ config(
    touched_key=['period', 'period_start'],
    touches=['period_key'],
    touched_by="{{ touched_map_periods(['int_journey_map__flow', 'int_journey_map__score']) }}"
) }}

-- Ratings are a view of scores. depends_on: {{ ref('int_journey_map__score') }}

{%- set parts = ['flow', 'score', 'exit'] -%}
{%- set key = ['journey', 'step_order', 'touchpoint', 'segment'] -%}
{%- set step = ['part', 'journey', 'period', 'period_start', 'step_order'] -%}
{%- set cell = ['journey', 'period', 'period_start', 'step_order', 'touchpoint', 'segment'] -%}

{%- set stored_months %}
    {%- for part in parts %}
    select '{{ part }}' as part, period_start, {{ key | join(', ') }} from {{ this }} where period = 'month' and hides_{{ part }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endset %}

with counted as (
    select {{ map_cell() | join(', ') }}, customers as flow_people, 0 as score_people, 0 as exit_people
    from {{ ref('int_journey_map__flow') }}
    union all
    select {{ map_cell() | join(', ') }}, 0, respondents, judged_respondents from {{ ref('int_journey_map__rating') }}
),

cells as (
    select
        {{ columns_of('counted', ['journey', 'step_order', 'segment', 'period_key']) }},
        {{ map_period('counted.period_key') }} as period,
        {{ map_period_start('counted.period_key', 'night.as_of') }} as period_start,
        case when counted.touchpoint_key = {{ all_touchpoints() }} then 'all' else touchpoints.touchpoint end as touchpoint,
        {%- for part in parts %}
        max(counted.{{ part }}_people) as {{ part }}_people{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    cross join {{ night() }} as night
    left join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = counted.touchpoint_key
    where {{ is_touched([map_period('counted.period_key'), map_period_start('counted.period_key', 'night.as_of')]) }}
    group by all
),

parts as (
    {%- for part in parts %}
    select '{{ part }}' as part, {{ cell | join(', ') }}, {{ part }}_people as people, {{ is_small(part ~ '_people') }} as hidden
    from cells
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ hide_in_table('parts', 'hidden_in_periods', step, 'touchpoint', 'segment', 'people') }},

{{ hide_with_months('hidden_in_periods', 'parts_and_months', step + ['touchpoint', 'segment', 'people'], ['part'] + key, stored_months) }},

{{ hide_in_table('parts_and_months', 'hidden_parts', step, 'touchpoint', 'segment', 'people') }},

hidden_cells as (
    select
        {{ cell | join(', ') }},
        {%- for part in parts %}
        max(case when part = '{{ part }}' and hidden then 1 else 0 end) = 1 as hides_{{ part }}{{ ',' if not loop.last }}
        {%- endfor %}
    from hidden_parts
    group by {{ cell | join(', ') }}
),

shown_scales as (
    select journey, period_key, step_order, touchpoint_key, score_scale from {{ ref('int_journey_map__rating') }} where segment = 'all'
),

final as (
    select
        {{ columns_of('cells', ['journey', 'period_key', 'period', 'period_start', 'step_order', 'touchpoint']) }},
        coalesce(touchpoints.touchpoint_key, {{ all_touchpoints() }}) as touchpoint_key,
        cells.segment,
        shown_scales.score_scale,
        hidden.hides_flow,
        hidden.hides_score,
        hidden.hides_exit,
        whole_steps.hides_score as hides_step_score
    from cells
    inner join hidden_cells as hidden on {{ equal_columns('hidden', 'cells', cell) }}
    inner join hidden_cells as whole_steps
        on {{ equal_columns('whole_steps', 'cells', cell | reject('equalto', 'touchpoint')) }} and whole_steps.touchpoint = 'all'
    left join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint = cells.touchpoint
    left join shown_scales
        on shown_scales.journey = cells.journey
        and shown_scales.period_key = cells.period_key
        and shown_scales.step_order = cells.step_order
        and shown_scales.touchpoint_key = coalesce(touchpoints.touchpoint_key, {{ all_touchpoints() }})
)

select * from final
