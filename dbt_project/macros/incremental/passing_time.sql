{#-
    What the passing of time touches, though no row arrived. What lives here: the business dates that passed, and what turned so
    many days old in them. Not here: which rows a night brings (reading.sql).

    What depends on the age of a record changes when it turns
      0 days     it was known, but dated after the last business date: it comes in
      30 days    after it, what follows would have had to come: a first event is judged
      90 days    the same after an answer
      365 days   its day leaves the last 365
    A night may span several days. It may also be dated before its base: then the same records turn as much younger.
-#}

{#- A CTE body of one row: after which business date (`after_day`) and up to which (`until_day`) time passed, and when these days end. -#}
{%- macro passing_time() -%}
    select
        after_day,
        until_day,
        {{ end_of_local_day('after_day') }} as after_instant,
        {{ end_of_local_day('until_day') }} as until_instant
    from (
        select
            least(as_of, coalesce(previous_as_of, as_of)) as after_day,
            greatest(as_of, coalesce(previous_as_of, as_of)) as until_day
        from {{ night() }}
    ) as business_dates
{%- endmacro -%}

{#- Condition: a day turned so many days old; `passing` is a relation made by passing_time(). -#}
{%- macro turns_days_old(day, days, passing='passing') -%}
    ({{ day }} > {{ plus_days(passing ~ '.after_day', '-' ~ days) }} and {{ day }} <= {{ plus_days(passing ~ '.until_day', '-' ~ days) }})
{%- endmacro -%}

{#- The same of a day given by its key, which is compared faster. -#}
{%- macro key_turns_days_old(date_key_column, days, passing='passing') -%}
    (
        {{ date_key_column }} > {{ date_key(plus_days(passing ~ '.after_day', '-' ~ days)) }}
        and {{ date_key_column }} <= {{ date_key(plus_days(passing ~ '.until_day', '-' ~ days)) }}
    )
{%- endmacro -%}

{#- Condition: an instant turned so many times 24 hours old. -#}
{%- macro turns_old(instant, days, passing='passing') -%}
    ({{ after_days(instant, days) }} > {{ passing }}.after_instant and {{ after_days(instant, days) }} <= {{ passing }}.until_instant)
{%- endmacro -%}

{#- The first business date at whose end an instant has passed: for models that keep the day on which something is judged. -#}
{%- macro passed_on(instant) -%}
    {{ return(adapter.dispatch('passed_on')(instant)) }}
{%- endmacro -%}

{%- macro duckdb__passed_on(instant) -%}
    {#- Midnight itself still belongs to the day before: that day ends then. -#}
    {{ local_date('(' ~ instant ~ ' - interval 1 microsecond)') }}
{%- endmacro -%}
