{#-
    What each KPI leaves out because it is not known, and how much beside what it counts. What lives here: counts by reason. Not
    here: the records and their reasons (int_kpi__left_out_*), what a person is told (mart_data_health, the scorecard).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['measure', 'month_start'],
    touched_by="{{ touched_left_out_months() }}"
) }}

with night as (
    select as_of from {{ night() }}
),

left_out as (
    {{ all_left_out_records(
        ['measure', 'date_day', 'source', 'stream', 'part', 'reason'],
        'date_day <= (select as_of from night) and ' ~ is_touched(['measure', month_of('date_day')])
    ) }}
),

counted as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'responses'],
        'not is_state and date_day <= (select as_of from night) and ' ~ is_touched(['measure', month_of('date_day')])
    ) }}
),

{#- Every counted order is a record of returns; one of an unknown customer is a respondent of its own, below 0. -#}
counted_orders as (
    select {{ month_of('date_day') }} as month_start, count(*) as counted
    from {{ ref('int_kpi__order') }}
    where measure = 'order_return' and respondent >= 0 and date_day <= (select as_of from night)
    group by {{ month_of('date_day') }}
),

counted_months as (
    select
        measure,
        {{ month_of('date_day') }} as month_start,
        cast(sum(responses) as bigint) as counted
    from counted
    group by measure, {{ month_of('date_day') }}
    {%- for state in states_of_orders() %}
    union all
    select '{{ state }}', month_start, counted from counted_orders
    {%- endfor %}
),

left_out_months as (
    select
        measure,
        {{ month_of('date_day') }} as month_start,
        source,
        stream,
        part,
        reason,
        count(*) as records
    from left_out
    group by measure, {{ month_of('date_day') }}, source, stream, part, reason
),

final as (
    select
        {{ surrogate_key([
            'kpis.kpi', date_key('left_out_months.month_start'), 'left_out_months.source', 'left_out_months.stream', 'left_out_months.part',
            'left_out_months.reason'
        ]) }} as kpi_left_out_key,
        {{ surrogate_key(['kpis.kpi']) }} as kpi_key,
        kpis.kpi,
        left_out_months.measure,
        left_out_months.month_start,
        left_out_months.source,
        left_out_months.stream,
        left_out_months.part,
        left_out_months.reason,
        reasons.words as because,
        reasons.remedy,
        left_out_months.records,
        coalesce(counted_months.counted, 0) as counted
    from left_out_months
    inner join {{ ref('kpis') }} as kpis on kpis.measure = left_out_months.measure
    inner join {{ ref('left_out_reasons') }} as reasons on reasons.reason = left_out_months.reason
    left join counted_months
        on counted_months.measure = left_out_months.measure
        and counted_months.month_start = left_out_months.month_start
)

select * from final
