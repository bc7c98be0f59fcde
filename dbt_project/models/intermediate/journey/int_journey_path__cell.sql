{#-
    How often each way was taken, by how many people and how fast, month by month and in the last 365 days. What lives here: figures of
    every way. Not here: which ways are shown, and which of them are hidden (mart_journey_path).

    The last 365 days begin on another day every night. They are one period here, without a first day, so that a way nobody took or
    left stays as it is.
-#}
{{ config(
    touched_key=['journey', 'period', 'month_start', 'from_stop', 'to_stop'],
    touched_by="{{ touched_way_cells() }}"
) }}

{#- Written into each count rather than named once: millions of ways would be laid aside before they are counted. -#}
{%- set ways -%}
    select journey, respondent, date_day, month_start, from_stop, to_stop, seconds
    from {{ ref('int_journey_path__journey_way') }}
    union all
    select 'customer', customer_key, date_day, month_start, from_stop, to_stop, seconds
    from {{ ref('int_journey_path__customer_way') }}
{%- endset -%}

with night as (
    select as_of from {{ night() }}
),

months as (
    select
        ways.journey,
        ways.month_start,
        ways.from_stop,
        ways.to_stop,
        {{ figures_of_ways('ways') }}
    from ({{ ways }}) as ways
    inner join night on ways.date_day <= night.as_of
    where {{ is_touched(['ways.journey', "'month'", 'ways.month_start', 'ways.from_stop', 'ways.to_stop']) }}
    group by ways.journey, ways.month_start, ways.from_stop, ways.to_stop
),

{#- Hardly a way of a year is the same the day after: all are counted, and those that nothing touched left out. -#}
year as (
    select
        ways.journey,
        cast(null as date) as month_start,
        ways.from_stop,
        ways.to_stop,
        {{ figures_of_ways('ways') }}
    from ({{ ways }}) as ways
    inner join night on ways.date_day between {{ plus_days('night.as_of', -364) }} and night.as_of
    group by ways.journey, ways.from_stop, ways.to_stop
),

final as (
    select 'month' as period, * from months
    union all
    select 'last_365_days', * from year
    where {{ is_touched(['year.journey', "'last_365_days'", 'year.month_start', 'year.from_stop', 'year.to_stop']) }}
)

select * from final
