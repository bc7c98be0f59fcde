{#-
    Which months of the value marts a night moves. What lives here: their touched_by. Not here: the months themselves.

    An order moves its own month and all later ones, because they add up; so does an answer, because the latest one
    stands, and a customer whose record changed, from the month they became known. A ticket moves its own month only. The
    months between the business dates of the last night and this one begin, end or go away.
-#}
{%- macro touched_customer_months() -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    moved as (
        select {{ date_of_key('ordered_date_key') }} as moved_on, true as moves_later from {{ touched('fct_order') }}
        where customer_key <> -1 and ordered_date_key > 0
        union
        select {{ date_of_key('answered_date_key') }}, true from {{ touched('fct_survey_answer') }}
        where customer_key <> -1 and answered_date_key > 0
        union
        select acquired_on, true from {{ touched('int_customer__attributes') }} where acquired_on is not null
        union
        select {{ date_of_key('ordered_date_key') }}, true from {{ ref('fct_order') }}
        where ordered_date_key > 0 and customer_key in (select customer_key from {{ touched('int_customer__attributes') }})
        union
        select {{ date_of_key('created_date_key') }}, false from {{ touched('fct_ticket') }}
        where customer_key <> -1 and created_date_key > 0
    ),
    first_moved as (
        select min(moved_on) as first_moved_on from moved where moves_later
    ),
    bounds as (
        select
            least(
                coalesce(first_moved.first_moved_on, night.as_of), night.as_of, night.previous_as_of
            ) as first_day,
            greatest(night.as_of, night.previous_as_of) as last_day
        from night
        cross join first_moved
    )
    {{ months_between('bounds', 'first_day', 'last_day') }}
    union
    select {{ month_of('moved_on') }} from moved
    union
    select months.month_start from {{ this }} as months cross join night where months.month_start > night.as_of
{%- endmacro -%}

{#-
    Months of int_customer_value__followed: those of fct_customer_month, those a year later (revenue under contract is compared with the
    year before), those whose following 90 days saw an order move, and those
    whose 90 days have passed by now or no longer have.
-#}
{%- macro touched_followed_months() -%}
    select month_start from {{ touched('fct_customer_month') }}
    union
    select {{ plus_months('month_start', 12) }} from {{ touched('fct_customer_month') }}
    {%- for months in [1, 2, 3, 4] %}
    union
    select {{ plus_months(month_of(date_of_key('ordered_date_key')), -months) }} from {{ touched('fct_order') }}
    where customer_key <> -1 and ordered_date_key > 0
    {%- endfor %}
    union
    select cells.month_start from {{ this }} as cells
    cross join {{ night() }} as night
    where
        cells.metric in ({{ metrics_of_following_days() }})
        and cells.is_matured <> ({{ plus_days(month_end('cells.month_start'), following_days()) }} <= night.as_of)
{%- endmacro -%}

{#- Days after a month's end in which the spending of those who were asked before is watched. -#}
{%- macro following_days() -%} 90 {%- endmacro -%}

{%- macro metrics_of_following_days() -%} 'net_amount_90_days_after', 'retention_90_days_after' {%- endmacro -%}

{#-
    Months of mart_retention_cohort: those of fct_customer_month, those a year later (revenue is compared with the year
    before), and all from a month on in which a cohort itself changed.
-#}
{%- macro touched_cohort_months() -%}
    with moved as (
        select month_start, cohort_month from {{ touched('fct_customer_month') }}
    ),
    changed_cohorts as (
        select min(cohort_month) as first_day, max(night.as_of) as last_day
        from {{ night() }} as night
        left join moved on moved.cohort_month = moved.month_start
    )
    select month_start from moved
    union
    select {{ plus_months('month_start', 12) }} from moved
    union
    select month_start from (
        {{ months_between('changed_cohorts', 'coalesce(first_day, last_day)', 'last_day') }}
    ) as later
    union
    select cohorts.month_start from {{ this }} as cohorts
    cross join {{ night() }} as night
    where cohorts.month_start > night.as_of
{%- endmacro -%}
