{#- The calendar: from the first day any fact names to the end of the business date's year. -#}
{{ config(materialized='table') }}

with night as (
    select as_of from {{ night() }}
),

fact_days as (
    select ordered_date_key as date_key from {{ ref('fct_order') }}
    union
    select created_date_key from {{ ref('fct_ticket') }}
    union
    select first_reply_date_key from {{ ref('fct_ticket') }}
    union
    select last_solved_date_key from {{ ref('fct_ticket') }}
    union
    select date_key from {{ ref('fct_ticket_transition') }}
    union
    select answered_date_key from {{ ref('fct_survey_answer') }}
    union
    select date_key from {{ ref('fct_journey_event') }}
    union
    select date_key from {{ ref('fct_survey_invitation') }}
    union
    select date_key from {{ ref('fct_feedback') }}
),

bounds as (
    select
        least(
            coalesce({{ date_of_key('min(fact_days.date_key)') }}, min(night.as_of)),
            min(night.as_of)
        ) as first_day,
        greatest(
            coalesce({{ date_of_key('max(fact_days.date_key)') }}, min(night.as_of)),
            {{ last_day_of_year('min(night.as_of)') }}
        ) as last_day
    from night
    left join fact_days on fact_days.date_key > 0
),

days as (
    {{ days_between('bounds', 'first_day', 'last_day') }}
),

calendar as (
    select
        {{ date_key('date_day') }} as date_key,
        date_day,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(quarter from date_day) as integer) as quarter_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(week from date_day) as integer) as iso_week_number,
        cast(extract(day from date_day) as integer) as day_of_month,
        {{ iso_weekday('date_day') }} as iso_weekday,
        cast({{ dbt.date_trunc('week', 'date_day') }} as date) as week_start,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
        cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start,
        {{ iso_weekday('date_day') }} <= 5 as is_business_day
    from days
),

final as (
    select * from calendar
    union all
    select
        -1, cast(null as date), cast(null as integer), cast(null as integer), cast(null as integer), cast(null as integer),
        cast(null as integer), cast(null as integer), cast(null as date), cast(null as date), cast(null as date), false
)

select * from final
