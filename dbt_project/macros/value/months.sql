{#- Months as dates of their first day. What lives here: calendar arithmetic in months. Not here: days (macros/metrics/time.sql). -#}

{#- The first day of a day's month. -#}
{%- macro month_of(day) -%}
    cast({{ dbt.date_trunc('month', day) }} as date)
{%- endmacro -%}

{#- The first day of the month that lies `months` after the one that begins on `month_start`. -#}
{%- macro plus_months(month_start, months) -%}
    cast({{ dbt.dateadd('month', months, month_start) }} as date)
{%- endmacro -%}

{#- The last day of the month that begins on `month_start`. -#}
{%- macro month_end(month_start) -%}
    cast({{ plus_days(plus_months(month_start, 1), -1) }} as date)
{%- endmacro -%}

{#- Months numbered through, so that windows can count them. -#}
{%- macro month_number(day) -%}
    cast(extract(year from {{ day }}) * 12 + extract(month from {{ day }}) as integer)
{%- endmacro -%}

{#-
    Days numbered through with 31 to every month, so that a window can reach to the same day of another year: that is as many
    numbers away in every year. The end of a month has the number of a 31st.
-#}
{%- macro day_of_calendar(day) -%}
    cast(extract(year from {{ day }}) * {{ days_of_calendar(1) }} + extract(month from {{ day }}) * 31 + extract(day from {{ day }}) as integer)
{%- endmacro -%}

{%- macro end_of_calendar_month(month_start) -%}
    {{ day_of_calendar(month_start) }} + 30
{%- endmacro -%}

{%- macro days_of_calendar(years) -%} {{ 372 * years }} {%- endmacro -%}

{#- A CTE body: every month from that of one column of a one-row relation to that of another. -#}
{%- macro months_between(relation, first_day, last_day) -%}
    select date_day as month_start
    from (
        {{ days_between(relation, month_of(first_day), last_day) }}
    ) as days
    where extract(day from date_day) = 1
{%- endmacro -%}
