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

{#- The number of the day by which a month is told: its end, or the business date while it runs. -#}
{%- macro state_day_no(month_start, as_of) -%}
    case when {{ month_end(month_start) }} <= {{ as_of }} then {{ end_of_calendar_month(month_start) }} else {{ day_of_calendar(as_of) }} end
{%- endmacro -%}

{%- macro days_of_calendar(years) -%} {{ 372 * years }} {%- endmacro -%}

{#-
    A select statement, one row per month up to the business date: whether it is over, on which day it is told, and whose yearly churn rate says how
    long customers stay: who left within a year is known when a month is over, so the running month takes the rate of the last one. What is
    known of the company begins with its first order, and two whole years of it end on the same day two years later.
-#}
{%- macro months_of_lifetimes() -%}
    select
        months.month_start,
        months.is_complete_month,
        months.state_on,
        months.rate_month,
        coalesce({{ plus_months('months.rate_month', 1) }} >= history.two_years_until, false) as is_clv_matured
    from (
        select
            standings.month_start,
            {{ month_end('standings.month_start') }} <= night.as_of as is_complete_month,
            least({{ month_end('standings.month_start') }}, night.as_of) as state_on,
            case
                when {{ month_end('standings.month_start') }} <= night.as_of then standings.month_start
                else {{ plus_months('standings.month_start', -1) }}
            end as rate_month
        from (select distinct month_start from {{ ref('int_customer_month__standing') }}) as standings
        cross join {{ night() }} as night
    ) as months
    cross join (
        select {{ active_until(active_until('min(ordered_on)')) }} as two_years_until from {{ ref('int_customer_month__purchase_day') }}
    ) as history
{%- endmacro -%}

{#- A CTE body: every month from that of one column of a one-row relation to that of another. -#}
{%- macro months_between(relation, first_day, last_day) -%}
    select date_day as month_start
    from (
        {{ days_between(relation, month_of(first_day), last_day) }}
    ) as days
    where extract(day from date_day) = 1
{%- endmacro -%}
