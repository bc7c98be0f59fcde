{#-
    How the models of the journey map name what they count. What lives here: how long people have, periods and touchpoints as
    numbers, the columns of a cell, what is put into the whole (segment `all`) besides its own segment. Not here: what touches them (map_touched.sql).
-#}

{#- Days a customer has to come to a later stage, and to come back after an answer. -#}
{%- macro days_to_go_on() -%} 30 {%- endmacro -%}
{%- macro days_to_come_back() -%} 90 {%- endmacro -%}

{#- What names a cell. A step is told by its place in its journey. -#}
{%- macro map_cell() -%}
    {{ return(['journey', 'period_key', 'step_order', 'touchpoint_key', 'segment']) }}
{%- endmacro -%}

{#- A period is a number: a month yyyymm, the last 365 days, which move every night, this. -#}
{%- macro last_365_days() -%} 0 {%- endmacro -%}

{#- The month of a date key. -#}
{%- macro month_key(date_key) -%}
    cast(floor({{ date_key }} / 100) as integer)
{%- endmacro -%}

{#- The date key of a period's first day. -#}
{%- macro first_date_key(period_key, as_of) -%}
    case when {{ period_key }} = {{ last_365_days() }} then {{ date_key(plus_days(as_of, -364)) }} else {{ period_key }} * 100 + 1 end
{%- endmacro -%}

{#- What the mart calls a period, and the day it shows it by. -#}
{%- macro map_period(period_key) -%}
    case when {{ period_key }} = {{ last_365_days() }} then 'last_365_days' else 'month' end
{%- endmacro -%}

{%- macro map_period_start(period_key, as_of) -%}
    case when {{ period_key }} = {{ last_365_days() }} then {{ plus_days(as_of, -364) }} else {{ date_of_key('(' ~ period_key ~ ' * 100 + 1)') }} end
{%- endmacro -%}

{#- In place of a touchpoint_key, as in the mart: the step over its touchpoints. -#}
{%- macro all_touchpoints() -%} cast(-1 as bigint) {%- endmacro -%}

{#- How many stages the whole journey can have. -#}
{%- macro stages_per_journey() -%}{{ return(8) }}{%- endmacro -%}

{#-
    A select statement: the columns of `relation`, each row in the month of its `date_key` and, if it lies there, in the last 365
    days, as period_key; nothing after the business date.
-#}
{%- macro in_periods(relation, columns) -%}
    select {{ columns_of('dated', columns) }}, {{ month_key('dated.date_key') }} as period_key
    from {{ relation }} as dated
    cross join {{ night() }} as night
    where dated.date_key > 0 and dated.date_key <= {{ date_key('night.as_of') }}
    union all
    select {{ columns_of('dated', columns) }}, {{ last_365_days() }}
    from {{ relation }} as dated
    cross join {{ night() }} as night
    where dated.date_key between {{ date_key(plus_days('night.as_of', -364)) }} and {{ date_key('night.as_of') }}
{%- endmacro -%}

{#-
    A select statement: who took how long to go on: the cell and `seconds`. `customers` and `journeys` are the models
    int_journey_map__customer and __journey, or what changed in them; `columns` come with it.
-#}
{%- macro seconds_to_go_on(customers, journeys, columns=[]) -%}
    select {{ (["'customer' as journey"] + map_cell()[1:] + ['seconds'] + columns) | join(', ') }} from {{ customers }} where seconds is not null
    union all
    select {{ (map_cell() + ['seconds'] + columns) | join(', ') }} from {{ journeys }} where seconds is not null
{%- endmacro -%}

{#- A select statement: the rows of `relation`, each in its own segment and in all. -#}
{%- macro with_all_segments(relation) -%}
    select * from {{ relation }}
    union all
    select * replace ('all' as segment) from {{ relation }}
{%- endmacro -%}

{#-
    Condition: at this place some cell is touched, in whatever segment. Tells most rows apart by three numbers before they are copied for
    all segments; the model still asks is_touched().
-#}
{%- macro is_at_touched_place(relation) -%}
    {%- if is_incremental() -%}
    exists (
        select 1 from ({{ own_touched_keys() }}) as touched_cells
        where {{ equal_columns('touched_cells', relation, ['period_key', 'step_order', 'touchpoint_key']) }}
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro -%}

{#-
    A select statement: each answer wherever it counts: in the whole journey and in the journey it was part of, at its touchpoint and in
    the step: the cell, `date_key`, `respondent` and `columns`. `answers` is int_journey_map__answer, or
    what changed in it.
-#}
{%- macro placed_answers(answers, columns) -%}
    with steps_of_journeys as (
        select
            served.journey,
            touchpoints.touchpoint_key,
            steps.step_order
        from {{ ref('journey_touchpoints') }} as served
        inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint = served.touchpoint
        inner join {{ ref('dim_journey_step') }} as steps on steps.journey = served.journey and steps.step = served.step
    ),
    answers_in_journeys as (
        select
            'customer' as journey, stage_order as step_order, touchpoint_key, segment, date_key,
            case when customer_key = -1 then -1 - event_key else customer_key end as respondent,
            {{ columns | join(', ') }}
        from {{ answers }}
        union all
        select
            answers.journey, steps_of_journeys.step_order, answers.touchpoint_key, answers.segment, answers.date_key,
            case when answers.customer_key = -1 then -1 - answers.journey_key else answers.customer_key end,
            {{ columns_of('answers', columns) }}
        from {{ answers }} as answers
        inner join steps_of_journeys
            on steps_of_journeys.journey = answers.journey
            and steps_of_journeys.touchpoint_key = answers.touchpoint_key
    )
    select * from answers_in_journeys
    union all
    select * replace ({{ all_touchpoints() }} as touchpoint_key) from answers_in_journeys
{%- endmacro -%}
