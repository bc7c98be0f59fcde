{#-
    What a night touches of the journey map. What lives here: the touched_by of its models. Not here: the ways in which time passes
    (macros/incremental/passing_time.sql), what is counted (models/intermediate/journey_map).
-#}

{#-
    A CTE body: events that are new, other or gone, and those that come in because their day has come: event_key, customer_key,
    touchpoint_key, date_day.
-#}
{%- macro moved_events() -%}
    select event_key, customer_key, touchpoint_key, {{ date_of_key('date_key') }} as date_day from {{ touched('fct_journey_event') }}
    union
    select events.event_key, events.customer_key, events.touchpoint_key, {{ date_of_key('events.date_key') }}
    from {{ ref('fct_journey_event') }} as events
    cross join ({{ passing_time() }}) as passing
    where {{ key_turns_days_old('events.date_key', 0) }}
{%- endmacro -%}

{#- A select statement: customers who are in another segment than before. -#}
{%- macro customers_in_another_segment() -%}
    select customer_key from {{ touched('dim_customer') }} group by customer_key having count(distinct segment) > 1
{%- endmacro -%}

{#-
    Customers, periods and stages. An event moves its own stage in its month and, if it lies there, in the last 365 days; and first
    events that it may follow in time, whose 30 days end after it (a day more for summer time). A first event is judged when its
    days are over, and another one is the first when a day leaves the last 365.
-#}
{%- macro touched_map_customers() -%}
    with passing as (
        {{ passing_time() }}
    ),
    moved as (
        select distinct moved_events.customer_key, moved_events.date_day, touchpoints.stage_order
        from ({{ moved_events() }}) as moved_events
        inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = moved_events.touchpoint_key
        where moved_events.customer_key <> -1 and moved_events.date_day is not null
    )
    select customer_key, {{ month_key(date_key('date_day')) }}, stage_order from moved
    union
    select moved.customer_key, {{ last_365_days() }}, moved.stage_order
    from moved
    cross join passing
    where moved.date_day between {{ plus_days('passing.after_day', -364) }} and passing.until_day
    union
    select first_events.customer_key, first_events.period_key, first_events.step_order
    from {{ this }} as first_events
    inner join moved on moved.customer_key = first_events.customer_key
    where first_events.judged_on between {{ plus_days('moved.date_day', -1) }} and {{ plus_days('moved.date_day', days_to_go_on() | int + 1) }}
    union
    select events.customer_key, {{ last_365_days() }}, touchpoints.stage_order
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    cross join passing
    where events.customer_key <> -1 and {{ key_turns_days_old('events.date_key', 365) }}
    union
    select first_events.customer_key, first_events.period_key, first_events.step_order
    from {{ this }} as first_events
    cross join passing
    where {{ turns_days_old('first_events.judged_on', 0) }}
    union
    select customer_key, period_key, step_order
    from {{ this }}
    where customer_key in ({{ customers_in_another_segment() }})
{%- endmacro -%}

{#- Journeys: those with a part that moved, whose day comes into the last 365 or leaves them, whose customer is in another segment. -#}
{%- macro touched_map_journeys() -%}
    select journey_key from {{ touched('fct_journey') }}
    union
    select journey_key from {{ touched('fct_journey_event') }}
    union
    select journeys.journey_key
    from {{ ref('fct_journey') }} as journeys
    cross join ({{ passing_time() }}) as passing
    where
        {{ key_turns_days_old('journeys.start_date_key', 0) }}
        or {{ key_turns_days_old('journeys.start_date_key', 365) }}
    union
    select journey_key
    from {{ ref('fct_journey') }}
    where customer_key in ({{ customers_in_another_segment() }})
{%- endmacro -%}

{#-
    Answers: those that moved, those whose customer did something in their 90 days (a day more for summer time) or is in another
    segment, and those whose 90 days are over.
-#}
{%- macro touched_map_answers() -%}
    with moved_events as (
        {{ moved_events() }}
    )
    select event_key from moved_events
    union
    select answers.event_key
    from {{ this }} as answers
    inner join moved_events on moved_events.customer_key = answers.customer_key
    where
        answers.customer_key <> -1
        and moved_events.date_day between {{ date_of_key('answers.date_key') }}
        and {{ plus_days(date_of_key('answers.date_key'), days_to_come_back() | int + 1) }}
    union
    select answers.event_key
    from {{ this }} as answers
    cross join ({{ passing_time() }}) as passing
    where {{ turns_days_old('answers.judged_on', 0) }}
    union
    select event_key
    from {{ this }}
    where customer_key in ({{ customers_in_another_segment() }})
{%- endmacro -%}

{#- Cells in which somebody came, went or went on otherwise. -#}
{%- macro touched_map_flow() -%}
    with moved as (
        select distinct 'customer' as journey, period_key, step_order, touchpoint_key, segment from {{ touched('int_journey_map__customer') }}
        union all
        select distinct {{ map_cell() | join(', ') }} from {{ touched('int_journey_map__journey') }}
    )
    {{ with_all_segments('moved') }}
{%- endmacro -%}

{#- Cells in which a time came or went: not as often the one as the other. -#}
{%- macro touched_map_times() -%}
    with moved as (
        {{ seconds_to_go_on(touched('int_journey_map__customer'), touched('int_journey_map__journey'), ['_weight']) }}
    ),
    in_all as (
        {{ with_all_segments('moved') }}
    )
    select distinct {{ map_cell() | join(', ') }}
    from (
        select {{ map_cell() | join(', ') }} from in_all group by {{ map_cell() | join(', ') }}, seconds having sum(_weight) <> 0
    ) as cells
{%- endmacro -%}

{#- Cells and scales whose answers are other ones; in the last 365 days also those whose answers leave. -#}
{%- macro touched_map_scores() -%}
    {%- set place = ['journey', 'step_order', 'touchpoint_key', 'segment', 'score_scale'] -%}
    {%- set answer = ['score_scale', 'score_norm', 'is_judged', 'is_back'] -%}
    with passing as (
        {{ passing_time() }}
    ),
    changes as (
        {{ placed_answers(touched('int_journey_map__answer'), answer + ['_weight']) }}
    ),
    changes_in_all as (
        {{ with_all_segments('changes') }}
    ),
    moved as (
        select {{ place | join(', ') }}, date_key
        from changes_in_all
        group by {{ (place + answer) | unique | join(', ') }}, date_key, respondent
        having sum(_weight) <> 0
    ),
    placed as (
        {{ placed_answers(ref('int_journey_map__answer'), ['score_scale']) }}
    ),
    leaving as (
        select placed.* from placed cross join passing where {{ key_turns_days_old('placed.date_key', 365) }}
    ),
    leaving_in_all as (
        {{ with_all_segments('leaving') }}
    )
    select journey, {{ month_key('date_key') }}, step_order, touchpoint_key, segment, score_scale from moved
    union
    select journey, {{ last_365_days() }}, step_order, touchpoint_key, segment, score_scale
    from moved
    where date_key >= (select {{ date_key(plus_days('after_day', -364)) }} from passing)
    union
    select journey, {{ last_365_days() }}, step_order, touchpoint_key, segment, score_scale from leaving_in_all
{%- endmacro -%}

{#- Periods in which something changed in one of these models. The last 365 days move every night. -#}
{%- macro touched_map_periods(models) -%}
    select {{ map_period('period_key') }}, {{ map_period_start('period_key', 'night.as_of') }}
    from (
        {%- for model in models %}
        select period_key from {{ touched(model) }}
        union
        {%- endfor %}
        select {{ last_365_days() }}
    ) as moved
    cross join {{ night() }} as night
    union
    select period, period_start from {{ this }} where period = 'last_365_days'
{%- endmacro -%}
