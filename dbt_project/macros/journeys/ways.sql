{#-
    The ways from touchpoint to touchpoint. What lives here: what the models of ways (int_journey_path__...) share. Not here: which
    events follow one another (these models), which ways are shown (mart_journey_path).
-#}

{#-
    A CTE body: where a way begins or ends, numbered, so that millions of ways are counted by small numbers: stop, touchpoint_key,
    touchpoint. Where nothing came before stands the touchpoint `start`, where nothing comes after `end`.
-#}
{%- macro stops() -%}
    select
        cast(row_number() over (order by touchpoint) as smallint) as stop,
        touchpoint_key,
        touchpoint
    from {{ ref('dim_touchpoint') }}
    union all
    select cast({{ stop_before_first() }} as smallint), null, 'start'
    union all
    select cast({{ stop_after_last() }} as smallint), null, 'end'
{%- endmacro -%}

{%- macro stop_before_first() -%} 0 {%- endmacro -%}

{%- macro stop_after_last() -%} -1 {%- endmacro -%}

{#- Of a known customer, what comes later than this does not follow any more. -#}
{%- macro days_between_events() -%} 30 {%- endmacro -%}

{#- Whole seconds from one instant to a later one. -#}
{%- macro seconds_between(start, finish) -%}
    cast({{ adapter.dispatch('elapsed_seconds')(start, finish) }} as bigint)
{%- endmacro -%}

{#- Aggregate: the quantile q of whole seconds, in minutes: linear between neighbours, as quantile_value(); NULL of none. -#}
{%- macro minutes_quantile(seconds, q) -%}
    {{ return(adapter.dispatch('minutes_quantile')(seconds, q)) }}
{%- endmacro -%}

{%- macro duckdb__minutes_quantile(seconds, q) -%}
    {#- Rounded, for the last bits are the processor's: between whole seconds lie tenths at most. -#}
    round(quantile_cont({{ seconds }}, {{ q }}), 3) / 60.0
{%- endmacro -%}

{#-
    touched_by of the ways of customers: the months of each event that came, went or changed, those of the day with an event before, which
    went on to it, and of the one after, which came from it; and those of events after which 30 days are over, if nothing came in them.
-#}
{%- macro touched_customer_ways() -%}
    with passing as (
        {{ passing_time() }}
    ),
    {#- Events are found by their days: comparing each of them with a date or an instant would cost more than all the rest. #}
    days as (
        select date_day, {{ date_key('date_day') }} as date_key
        from ({{ days_between('passing', plus_days('after_day', -31), 'until_day') }}) as passed
    ),
    moved as (
        select customer_key, date_key, {{ date_of_key('date_key') }} as date_day
        from {{ touched('fct_journey_event') }}
        where customer_key <> -1
        union
        select events.customer_key, days.date_key, days.date_day
        from {{ ref('fct_journey_event') }} as events
        inner join days on days.date_key = events.date_key
        inner join passing on {{ turns_days_old('days.date_day', 0) }}
        where events.customer_key <> -1
    ),
    {#- Within 30 days, and a day more for summer time. Where the day next to it moved as well, that one leads further. #}
    next_to_moved as (
        select
            moved.customer_key,
            max(case when events.date_key < moved.date_key then events.date_key end) as date_key_before,
            min(case when events.date_key > moved.date_key then events.date_key end) as date_key_after
        from moved
        inner join {{ ref('fct_journey_event') }} as events
            on events.customer_key = moved.customer_key
            and events.date_key between {{ date_key(plus_days('moved.date_day', -31)) }} and {{ date_key(plus_days('moved.date_day', 31)) }}
        group by moved.customer_key, moved.date_key
    ),
    {#- What came within the 30 days since the last night has moved itself. #}
    ended as (
        select events.customer_key, days.date_key
        from {{ ref('fct_journey_event') }} as events
        inner join days on days.date_key = events.date_key
        inner join passing
            on days.date_day <= {{ plus_days('passing.until_day', -29) }}
            and {{ turns_old('events.occurred_at', days_between_events()) }}
        where
            events.customer_key <> -1
            and not exists (
                select 1 from {{ ref('fct_journey_event') }} as later
                where
                    later.customer_key = events.customer_key
                    and later.occurred_at > events.occurred_at
                    and later.occurred_at <= {{ after_days('events.occurred_at', days_between_events()) }}
            )
    )
    {%- for relation, key in [
        ('moved', 'date_key'), ('next_to_moved', 'date_key_before'), ('next_to_moved', 'date_key_after'), ('ended', 'date_key')
    ] %}
    select customer_key, {{ month_of_key(key) }} from {{ relation }} where {{ key }} > 0
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#-
    touched_by of counted ways: those that came, went or changed; of the last 365 days also those that leave them. Journeys can be
    dated after the business date, and come in with their days.
-#}
{%- macro touched_way_cells() -%}
    with passing as (
        {{ passing_time() }}
    ),
    moved as (
        select journey, month_start, from_stop, to_stop from {{ touched('int_journey_path__journey_way') }}
        union
        select 'customer', month_start, from_stop, to_stop from {{ touched('int_journey_path__customer_way') }}
        union
        select ways.journey, ways.month_start, ways.from_stop, ways.to_stop
        from {{ ref('int_journey_path__journey_way') }} as ways
        inner join passing on {{ turns_days_old('ways.date_day', 0) }}
    )
    select journey, 'month' as period, month_start, from_stop, to_stop from moved
    union
    select moved.journey, 'last_365_days', cast(null as date), moved.from_stop, moved.to_stop
    from moved
    inner join passing on {{ month_end('moved.month_start') }} > {{ plus_days('passing.after_day', -365) }}
    {%- for model, journey in [('int_journey_path__journey_way', 'ways.journey'), ('int_journey_path__customer_way', "'customer'")] %}
    union
    select {{ journey }}, 'last_365_days', null, ways.from_stop, ways.to_stop
    from {{ ref(model) }} as ways
    inner join passing on {{ turns_days_old('ways.date_day', 365) }}
    {%- endfor %}
{%- endmacro -%}

{#- What is counted of the ways of a group, as columns. -#}
{%- macro figures_of_ways(ways) -%}
    count(*) as transitions,
    count(distinct {{ ways }}.respondent) as customers,
    {{ minutes_quantile(ways ~ '.seconds', 0.5) }} as minutes_p50,
    {{ minutes_quantile(ways ~ '.seconds', 0.9) }} as minutes_p90
{%- endmacro -%}
