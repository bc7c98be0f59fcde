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

{#- Days numbered through, so that windows can count them. -#}
{%- macro day_number(day) -%}
    cast({{ dbt.datediff("cast('1970-01-01' as date)", day, 'day') }} as integer)
{%- endmacro -%}

{#- A CTE body: every month from that of one column of a one-row relation to that of another. -#}
{%- macro months_between(relation, first_day, last_day) -%}
    select date_day as month_start
    from (
        {{ days_between(relation, month_of(first_day), last_day) }}
    ) as days
    where extract(day from date_day) = 1
{%- endmacro -%}
