{#-
    The journey map: who comes to each step and touchpoint, who goes on, how it feels there, and what a low score costs.
    What lives here: counts, times and scores per journey, segment, step, touchpoint and period. Not here: what became of one
    journey (fct_journey), means and their intervals (macros/kpi/means.sql), which cells are hidden (macros/privacy).

    A journey counts in the month it started in; in the whole journey (`customer`) a customer counts in every month with an
    event, from the first event there, and has 30 days to come to a later stage. Only what has had its time is judged. Answers
    count on their own day. A touchpoint shows the scale with most answers, in every segment the same one; scales are never
    blended. Segments are those of today. Hidden parts are NULL: flow, scores and exits each by the people in them; the last 365
    days hide what any month within them hides.

    Longer than 150 lines: a row has three parts (flow, scores, exits), each with its own records, people and hiding,
    and they meet only here.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['period', 'period_start'],
    touched_by="{{ touched_journey_periods(by_segment=true) }}"
) }}

{%- set cell_columns = ['journey', 'period', 'period_start', 'step', 'touchpoint'] -%}
{%- set cell = cell_columns | join(', ') -%}
{#- The parts of a row that are hidden each by its own people, each with a figure that is NULL only there. -#}
{%- set parts = {'flow': 'entered', 'score': 'scores', 'exit': 'low_scores'} -%}
{%- set days_to_go_on = 30 -%}
{%- set days_to_come_back = 90 %}


with night as (
    select as_of, {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

period_days as (
    {{ period_days() }}
),

bounds as (
    select
        min(period_days.date_key) as first_key,
        max({{ date_key('night.as_of') }}) as last_key
    from period_days
    cross join night
),

segments as (
    select customer_key, segment from {{ ref('dim_customer') }}
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

{#- What is known up to the business date; nothing before the first period to be worked out is asked. -#}
events as (
    select
        events.event_key,
        events.customer_key,
        coalesce(segments.segment, 'unknown') as segment,
        events.journey_key,
        events.journey,
        touchpoints.touchpoint,
        touchpoints.stage,
        touchpoints.stage_order,
        events.direction,
        events.occurred_at,
        events.date_key,
        events.metric,
        events.score_scale,
        events.score_norm
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    left join segments on segments.customer_key = events.customer_key
    inner join bounds on events.date_key between bounds.first_key and bounds.last_key
),

{#- Journeys of a kind: each reached step with the next one reached in the window. -#}
journeys as (
    select
        journeys.journey_key,
        journeys.journey,
        period_days.period,
        period_days.period_start,
        coalesce(segments.segment, 'unknown') as segment,
        case when journeys.customer_key = -1 then -1 - journeys.journey_key else journeys.customer_key end as respondent,
        {% for place in range(1, steps_per_journey() + 1) -%}
        journeys.step_{{ place }}_at,
        case when journeys.step_{{ place }}_at <= journeys.window_ends_at then journeys.step_{{ place }}_at end as in_window_{{ place }}_at,
        {% endfor -%}
        journeys.is_matured,
        journeys.is_completed
    from {{ ref('fct_journey') }} as journeys
    inner join period_days on period_days.date_key = journeys.start_date_key
    left join segments on segments.customer_key = journeys.customer_key
),

reached_steps as (
    {%- for place in range(1, steps_per_journey() + 1) %}
    select
        journey_key, journey, period, period_start, segment, respondent, {{ place }} as step_order,
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

judged_steps as (
    select
        reached.journey_key,
        reached.journey,
        reached.period,
        reached.period_start,
        steps.step,
        reached.segment,
        reached.respondent,
        reached.is_matured and reached.next_at is not null as is_progressed,
        reached.is_matured and reached.next_at is null and not reached.is_completed and not steps.is_last as is_dropped,
        not reached.is_matured and reached.next_at is null and not reached.is_completed and not steps.is_last as is_open,
        case when reached.is_matured then {{ minutes_between('reached.reached_at', 'reached.next_at') }} end as minutes_to_next
    from reached_steps as reached
    inner join steps on steps.journey = reached.journey and steps.step_order = reached.step_order
),

step_touchpoints as (
    select distinct
        events.journey_key,
        events.step,
        touchpoints.touchpoint
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    where
        events.object <> 'survey_answer'
        and events.step is not null
        and events.journey_key in (select journey_key from journeys)
),

{#-
    The whole journey. After each event, the first event of a later stage: a customer's events of later stages are lined up
    with the events of each stage, and the nearest one that is not earlier is taken.
-#}
customer_events as (
    select event_key, customer_key, segment, touchpoint, stage, stage_order, occurred_at, date_key
    from events
    where customer_key <> -1 and touchpoint <> 'unknown'
),

lined_up as (
    select event_key, customer_key, stage_order, occurred_at, cast(null as timestamptz) as later_at from customer_events
    union all
    select null, customer_events.customer_key, stages.stage_order, customer_events.occurred_at, customer_events.occurred_at
    from (select distinct customer_key, stage_order, occurred_at from customer_events) as customer_events
    inner join (select distinct stage_order from customer_events) as stages on stages.stage_order < customer_events.stage_order
),

followed as (
    select
        event_key,
        min(later_at) over (
            partition by customer_key, stage_order
            order by occurred_at desc
            range between unbounded preceding and current row
        ) as next_at
    from lined_up
),

first_events as (
    select
        period_days.period,
        period_days.period_start,
        events.customer_key,
        events.segment,
        events.stage,
        events.touchpoint,
        events.occurred_at,
        followed.next_at,
        row_number() over (
            partition by period_days.period, period_days.period_start, events.customer_key, events.touchpoint
            order by events.occurred_at, events.event_key
        ) as place_at_touchpoint,
        row_number() over (
            partition by period_days.period, period_days.period_start, events.customer_key, events.stage
            order by events.occurred_at, events.event_key
        ) as place_in_stage
    from customer_events as events
    inner join followed on followed.event_key = events.event_key
    inner join period_days on period_days.date_key = events.date_key
    where followed.event_key is not null
),

judged_customers as (
    select
        first_events.period,
        first_events.period_start,
        first_events.stage,
        first_events.touchpoint,
        first_events.segment,
        first_events.customer_key,
        first_events.place_at_touchpoint,
        first_events.place_in_stage,
        {{ after_days('first_events.occurred_at', days_to_go_on) }} <= night.ends_at as is_matured,
        coalesce(first_events.next_at <= {{ after_days('first_events.occurred_at', days_to_go_on) }}, false) as has_next,
        {{ minutes_between('first_events.occurred_at', 'first_events.next_at') }} as minutes_to_next,
        steps.is_last
    from first_events
    cross join night
    inner join steps on steps.journey = 'customer' and steps.step = first_events.stage
    where first_events.place_at_touchpoint = 1 or first_events.place_in_stage = 1
),

units as (
    select
        journey, period, period_start, step, 'all' as touchpoint, segment, respondent, is_progressed, is_dropped, is_open, minutes_to_next
    from judged_steps
    union all
    select
        judged_steps.journey, judged_steps.period, judged_steps.period_start, judged_steps.step, step_touchpoints.touchpoint,
        judged_steps.segment, judged_steps.respondent, judged_steps.is_progressed, judged_steps.is_dropped, judged_steps.is_open,
        judged_steps.minutes_to_next
    from judged_steps
    inner join step_touchpoints on step_touchpoints.journey_key = judged_steps.journey_key and step_touchpoints.step = judged_steps.step
    {%- for touchpoint, place in [("'all'", 'place_in_stage'), ('touchpoint', 'place_at_touchpoint')] %}
    union all
    select
        'customer', period, period_start, stage, {{ touchpoint }}, segment, customer_key,
        is_matured and has_next,
        is_matured and not has_next and not is_last,
        not is_matured and not has_next and not is_last,
        case when is_matured and has_next then minutes_to_next end
    from judged_customers
    where {{ place }} = 1
    {%- endfor %}
),

flow as (
    select
        {{ cell }},
        case when grouping(segment) = 1 then 'all' else segment end as segment,
        count(*) as entered,
        count(distinct respondent) as customers,
        sum(case when is_progressed then 1 else 0 end) as progressed,
        sum(case when is_dropped then 1 else 0 end) as dropped,
        sum(case when is_open then 1 else 0 end) as still_open,
        count(minutes_to_next) as timed,
        {{ sorted_values('minutes_to_next') }} as sorted_minutes
    from units
    group by grouping sets (({{ cell }}), ({{ cell }}, segment))
),

{#- Answers, each in the whole journey and in the journey it was part of. -#}
next_contacts as (
    select
        customer_key,
        occurred_at,
        lead(occurred_at) over (partition by customer_key order by occurred_at) as next_at
    from (select distinct customer_key, occurred_at from events where direction = 'inbound' and customer_key <> -1) as contacts
),

answers as (
    select
        events.event_key,
        events.customer_key,
        events.segment,
        events.journey_key,
        events.journey,
        events.stage,
        events.touchpoint,
        events.date_key,
        events.score_scale,
        {{ score_units('events.score_norm') }} as units,
        events.score_norm,
        events.score_norm <= {{ score_floor() }} as is_low,
        events.customer_key <> -1 and {{ after_days('events.occurred_at', days_to_come_back) }} <= night.ends_at as is_judged,
        coalesce(next_contacts.next_at <= {{ after_days('events.occurred_at', days_to_come_back) }}, false) as is_back
    from events
    cross join night
    left join next_contacts on next_contacts.customer_key = events.customer_key and next_contacts.occurred_at = events.occurred_at
    where events.score_norm is not null and events.score_scale is not null and events.metric <> 'enps' and events.touchpoint <> 'unknown'
),

placed_answers as (
    {%- for touchpoint in ["'all'", 'touchpoint'] %}
    select
        'customer' as journey, stage as step, {{ touchpoint }} as touchpoint, segment,
        case when customer_key = -1 then -1 - event_key else customer_key end as respondent,
        date_key, score_scale, units, score_norm, is_low, is_judged, is_back
    from answers
    union all
    select
        answers.journey, served.step, {{ "'all'" if touchpoint == "'all'" else 'answers.touchpoint' }}, answers.segment,
        case when answers.customer_key = -1 then -1 - answers.journey_key else answers.customer_key end,
        answers.date_key, answers.score_scale, answers.units, answers.score_norm, answers.is_low, answers.is_judged, answers.is_back
    from answers
    inner join {{ ref('journey_touchpoints') }} as served
        on served.journey = answers.journey
        and served.touchpoint = answers.touchpoint
    where served.step is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

scored as (
    select
        placed.journey,
        period_days.period,
        period_days.period_start,
        placed.step,
        placed.touchpoint,
        placed.score_scale,
        case when grouping(placed.segment) = 1 then 'all' else placed.segment end as segment,
        count(*) as scores,
        count(distinct placed.respondent) as respondents,
        {{ sum_of_units('placed.units') }} as total,
        {{ sum_of_squares('placed.units') }} as squares,
        {{ sorted_values('placed.score_norm') }} as sorted_scores,
        sum(case when placed.is_low then 1 else 0 end) as below_floor,
        count(distinct case when placed.is_judged then placed.respondent end) as judged_respondents,
        {%- for low, condition in [('low', 'placed.is_low'), ('other', 'not placed.is_low')] %}
        sum(case when placed.is_judged and {{ condition }} then 1 else 0 end) as {{ low }}_judged,
        sum(case when placed.is_judged and {{ condition }} and not placed.is_back then 1 else 0 end) as {{ low }}_exited{{ ',' if not loop.last }}
        {%- endfor %}
    from placed_answers as placed
    inner join period_days on period_days.date_key = placed.date_key
    group by grouping sets (
        (placed.journey, period_days.period, period_days.period_start, placed.step, placed.touchpoint, placed.score_scale),
        (placed.journey, period_days.period, period_days.period_start, placed.step, placed.touchpoint, placed.score_scale, placed.segment)
    )
),

shown_scales as (
    select {{ cell }}, score_scale
    from (
        select
            {{ cell }},
            score_scale,
            row_number() over (partition by {{ cell }} order by scores desc, score_scale) as place
        from scored
        where segment = 'all'
    ) as ranked
    where place = 1
),

journey_means as (
    select
        period,
        period_start,
        segment,
        score_scale,
        {{ mean_value('sum(total)', 'sum(scores)') }} as journey_score_mean,
        count(*) as touchpoints
    from scored
    where journey = 'customer' and touchpoint <> 'all'
    group by period, period_start, segment, score_scale
),

means as (
    select
        scored.journey,
        scored.period,
        scored.period_start,
        scored.step,
        scored.touchpoint,
        scored.segment,
        scored.scores,
        scored.respondents,
        scored.judged_respondents,
        scored.sorted_scores,
        scored.below_floor,
        scored.low_judged,
        scored.low_exited,
        scored.other_judged,
        scored.other_exited,
        {{ mean_value('scored.total', 'scored.scores') }} as score_mean,
        {{ mean_interval_end('scored.total', 'scored.squares', 'scored.scores', '-') }} as score_ci_low,
        {{ mean_interval_end('scored.total', 'scored.squares', 'scored.scores', '+') }} as score_ci_high,
        {{ mean_value('whole_steps.total', 'whole_steps.scores') }} as step_score_mean,
        journey_means.journey_score_mean,
        journey_means.touchpoints
    from scored
    inner join shown_scales as shown on {{ equal_columns('shown', 'scored', cell_columns) }} and shown.score_scale = scored.score_scale
    inner join scored as whole_steps
        on whole_steps.journey = scored.journey
        and whole_steps.period = scored.period
        and whole_steps.period_start = scored.period_start
        and whole_steps.step = scored.step
        and whole_steps.touchpoint = 'all'
        and whole_steps.score_scale = scored.score_scale
        and whole_steps.segment = scored.segment
    inner join journey_means
        on journey_means.period = scored.period
        and journey_means.period_start = scored.period_start
        and journey_means.segment = scored.segment
        and journey_means.score_scale = scored.score_scale
),

cells as (
    select
        keys.journey,
        keys.period,
        keys.period_start,
        keys.step,
        keys.touchpoint,
        keys.segment,
        coalesce(flow.customers, 0) as flow_people,
        coalesce(means.respondents, 0) as score_people,
        coalesce(means.judged_respondents, 0) as exit_people
    from (
        select {{ cell }}, segment from flow
        union
        select {{ cell }}, segment from means
    ) as keys
    left join flow on {{ equal_columns('flow', 'keys', cell_columns) }} and flow.segment = keys.segment
    left join means on {{ equal_columns('means', 'keys', cell_columns) }} and means.segment = keys.segment
),

parts as (
    {%- for part in parts %}
    select '{{ part }}' as part, {{ cell }}, segment, {{ part }}_people as people, {{ is_small(part ~ '_people') }} as hidden
    from cells
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{%- set part_columns = ['part'] + cell_columns[:-1] %}
{%- set stored_months %}
    {%- for part, figure in parts.items() %}
    select '{{ part }}' as part, {{ cell }}, segment from {{ this }} where period = 'month' and {{ figure }} is null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endset %}

{{ hide_in_table('parts', 'hidden_in_periods', part_columns, 'touchpoint', 'segment', 'people') }},

{{ hide_with_months(
    'hidden_in_periods', 'parts_and_months', part_columns + ['touchpoint', 'segment', 'people'],
    ['part', 'journey', 'step', 'touchpoint', 'segment'], stored_months
) }},

{{ hide_in_table('parts_and_months', 'hidden_parts', part_columns, 'touchpoint', 'segment', 'people') }},

hidden_cells as (
    select
        {{ cell }},
        segment,
        {%- for part in parts %}
        max(case when part = '{{ part }}' then people end) as {{ part }}_people,
        max(case when part = '{{ part }}' and hidden then 1 else 0 end) = 1 as hides_{{ part }}{{ ',' if not loop.last }}
        {%- endfor %}
    from hidden_parts
    group by {{ cell }}, segment
),

final as (
    select
        cells.journey,
        cells.segment,
        cells.step,
        steps.step_order,
        steps.stage,
        cells.touchpoint,
        coalesce(touchpoints.touchpoint_key, -1) as touchpoint_key,
        coalesce(touchpoints.channel, 'all') as channel,
        coalesce(touchpoints.channel_class, 'all') as channel_class,
        coalesce(touchpoints.owner_department, 'all') as owner_department,
        coalesce(touchpoints.initiated_by, 'all') as initiated_by,
        cells.period,
        cells.period_start,
        {%- for measure in ['entered', 'customers', 'progressed', 'dropped', 'still_open'] %}
        case when not cells.hides_flow then cast(coalesce(flow.{{ measure }}, 0) as bigint) end as {{ measure }},
        {%- endfor %}
        case when not cells.hides_flow and not steps.is_last then
            round(cast(flow.progressed as double) / nullif(flow.progressed + flow.dropped, 0), 4)
        end as progress_rate,
        {%- for name, q in [('p50', 0.5), ('p90', 0.9)] %}
        case when not cells.hides_flow then round({{ quantile_value('flow.sorted_minutes', 'flow.timed', q) }}, 4) end as minutes_to_next_{{ name }},
        {%- endfor %}
        cast(steps.target_minutes as double) as target_minutes,
        shown.score_scale,
        case when not cells.hides_score then coalesce(means.scores, 0) end as scores,
        {%- for measure in ['score_mean', 'score_ci_low', 'score_ci_high'] %}
        case when not cells.hides_score then round(means.{{ measure }}, 4) end as {{ measure }},
        {%- endfor %}
        {%- for name, q in [('p10', 0.1), ('p50', 0.5), ('p90', 0.9)] %}
        case when not cells.hides_score then round({{ quantile_value('means.sorted_scores', 'means.scores', q) }}, 4) end as score_{{ name }},
        {%- endfor %}
        case when not cells.hides_score then round(cast(means.below_floor as double) / means.scores, 4) end as share_below_floor,
        case when not cells.hides_score then round(means.journey_score_mean, 4) end as journey_score_mean,
        case when not cells.hides_score then round(means.score_mean - means.journey_score_mean, 4) end as score_gap,
        {%- for name, condition in [
            ('is_peak', 'means.score_ci_low > means.journey_score_mean and round(means.score_mean - means.journey_score_mean, 9) >= ' ~ least_score_gap()),
            ('is_trough', 'means.score_ci_high < means.journey_score_mean and round(means.journey_score_mean - means.score_mean, 9) >= ' ~ least_score_gap())
        ] %}
        case when not cells.hides_score then
            coalesce({{ condition }} and means.scores >= {{ n_low() }} and means.touchpoints >= 2 and cells.touchpoint <> 'all', false)
        end as {{ name }},
        {%- endfor %}
        case when not cells.hides_exit then cast(coalesce(means.low_judged, 0) as bigint) end as low_scores,
        case when not cells.hides_exit then round(cast(means.low_exited as double) / nullif(means.low_judged, 0), 4) end
            as exit_rate_after_low,
        case when not cells.hides_exit then round(cast(means.other_exited as double) / nullif(means.other_judged, 0), 4) end
            as exit_rate_otherwise,
        case when not cells.hides_score and not whole_steps.hides_score and cells.touchpoint <> 'all' then
            round(means.score_mean - means.step_score_mean, 4)
        end as channel_gap,
        case when not cells.hides_flow and not cells.hides_score then
            round(coalesce(flow.entered, 0) * case
                when means.score_mean < means.journey_score_mean then means.journey_score_mean - means.score_mean
                when means.score_mean is not null then 0.0
            end, 4)
        end as opportunity_size,
        cells.hides_flow or (cells.flow_people = 0 and cells.hides_score) as is_suppressed,
        coalesce(flow.entered, 0) < {{ n_low() }} as is_low_n
    from hidden_cells as cells
    inner join steps on steps.journey = cells.journey and steps.step = cells.step
    left join hidden_cells as whole_steps
        on {{ equal_columns('whole_steps', 'cells', cell_columns[:-1] + ['segment']) }} and whole_steps.touchpoint = 'all'
    left join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint = cells.touchpoint
    left join flow on {{ equal_columns('flow', 'cells', cell_columns) }} and flow.segment = cells.segment
    left join means on {{ equal_columns('means', 'cells', cell_columns) }} and means.segment = cells.segment
    left join shown_scales as shown on {{ equal_columns('shown', 'cells', cell_columns) }}
)

select * from final
