{#-
    Spans between instants, to the microsecond. What lives here: adding and comparing whole days of 24 hours, the noon and the end of a day.
    Not here: days and minutes (time.sql).
-#}

{#- `instant` and `days` times 24 hours, whatever the clocks do in between. -#}
{%- macro after_days(instant, days) -%}
    {{ return(adapter.dispatch('after_days')(instant, days)) }}
{%- endmacro -%}

{%- macro duckdb__after_days(instant, days) -%}
    {{ instant }} + to_hours(24 * {{ days }})
{%- endmacro -%}

{#- A day that came without a time as an instant: noon of the reporting timezone, so that it stays on its own day. -#}
{%- macro noon_of_local_day(day) -%}
    {{ return(adapter.dispatch('noon_of_local_day')(day)) }}
{%- endmacro -%}

{%- macro duckdb__noon_of_local_day(day) -%}
    timezone((select reporting_timezone from {{ night() }}), cast({{ day }} as timestamp) + interval 12 hour)
{%- endmacro -%}

{#- The instant at which a day of the reporting timezone ends. -#}
{%- macro end_of_local_day(day) -%}
    {{ return(adapter.dispatch('end_of_local_day')(day)) }}
{%- endmacro -%}

{%- macro duckdb__end_of_local_day(day) -%}
    timezone((select reporting_timezone from {{ night() }}), cast({{ plus_days(day, 1) }} as timestamp))
{%- endmacro -%}
