{#-
    Days and durations, the same in every model. What lives here: the reporting day of an instant, date keys, minutes.
    Not here: which instant a KPI counts by (dim_kpi.timestamp_basis).
-#}

{#- The wall clock of the reporting timezone at an instant (timestamp without zone). -#}
{%- macro local_time(instant) -%}
    {{ return(adapter.dispatch('local_time')(instant)) }}
{%- endmacro -%}

{%- macro duckdb__local_time(instant) -%}
    timezone((select reporting_timezone from {{ night() }}), {{ instant }})
{%- endmacro -%}

{#- The day of an instant in the reporting timezone. -#}
{%- macro local_date(instant) -%}
    cast({{ local_time(instant) }} as date)
{%- endmacro -%}

{#- A day as the integer yyyymmdd; -1 when there is none. -#}
{%- macro date_key(day) -%}
    coalesce(cast(extract(year from {{ day }}) * 10000 + extract(month from {{ day }}) * 100 + extract(day from {{ day }}) as integer), -1)
{%- endmacro -%}

{#- The key of the reporting day of an instant; -1 when there is none. -#}
{%- macro local_date_key(instant) -%}
    {{ date_key(local_date(instant)) }}
{%- endmacro -%}

{#- Elapsed minutes, never negative: NULL when one end is missing or the order is reversed. -#}
{%- macro minutes_between(start, finish) -%}
    case when {{ finish }} >= {{ start }} then {{ adapter.dispatch('elapsed_seconds')(start, finish) }} / 60.0 end
{%- endmacro -%}

{#- The same in whole seconds, which can be added and compared exactly. -#}
{%- macro whole_seconds_between(start, finish) -%}
    case when {{ finish }} >= {{ start }} then cast({{ adapter.dispatch('elapsed_seconds')(start, finish) }} as bigint) end
{%- endmacro -%}

{%- macro duckdb__elapsed_seconds(start, finish) -%}
    cast(date_diff('second', {{ start }}, {{ finish }}) as double)
{%- endmacro -%}

{#- `day` moved by a whole number of days. -#}
{%- macro plus_days(day, days) -%}
    cast({{ day }} as date) + cast({{ days }} as integer)
{%- endmacro -%}

{#- A CTE body: the column `offset_days` from 0 to days - 1. -#}
{%- macro day_offsets(days) -%}
    {{ return(adapter.dispatch('day_offsets')(days)) }}
{%- endmacro -%}

{%- macro duckdb__day_offsets(days) -%}
    select cast(range as integer) as offset_days from range({{ days }})
{%- endmacro -%}

{#- The day of a date key; NULL for -1. -#}
{%- macro date_of_key(key) -%}
    {{ return(adapter.dispatch('date_of_key')(key)) }}
{%- endmacro -%}

{%- macro duckdb__date_of_key(key) -%}
    case when {{ key }} > 0 then make_date(cast(floor({{ key }} / 10000) as bigint), cast(floor({{ key }} / 100) as bigint) % 100, {{ key }} % 100) end
{%- endmacro -%}

{#- The last day of a day's year. -#}
{%- macro last_day_of_year(day) -%}
    cast({{ dbt.dateadd('day', -1, dbt.dateadd('year', 1, dbt.date_trunc('year', day))) }} as date)
{%- endmacro -%}

{#- 1 (Monday) to 7 (Sunday), counted from a known Monday because engines number weekdays differently. -#}
{%- macro iso_weekday(day) -%}
    cast({{ dbt.datediff(dbt.date_trunc('week', day), day, 'day') }} + 1 as integer)
{%- endmacro -%}

{#- A CTE body: `date_day` for each day from one column of a one-row relation to another. -#}
{%- macro days_between(relation, first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between')(relation, first_day, last_day)) }}
{%- endmacro -%}

{%- macro duckdb__days_between(relation, first_day, last_day) -%}
    select cast(unnest(generate_series(cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval 1 day)) as date) as date_day
    from {{ relation }}
{%- endmacro -%}
