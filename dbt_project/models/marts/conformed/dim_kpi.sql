{#- What each KPI means: the dictionary that travels with the numbers. -#}
{{ config(materialized='table') }}

with periods as (
    select
        kpi,
        {{ dbt.listagg('period', "', '", 'order by days') }} as periods,
        cast(max(lookback_days) as integer) as lookback_days
    from {{ ref('kpi_periods') }}
    group by kpi
),

final as (
    select
        {{ surrogate_key(['kpis.kpi']) }} as kpi_key,
        kpis.kpi,
        kpis.name,
        kpis.definition,
        kpis.formula,
        kpis.unit,
        kpis.decimals,
        kpis.direction,
        kpis.timestamp_basis,
        periods.periods,
        periods.lookback_days,
        kpis.objective,
        kpis.owner_department,
        kpis.source_fact,
        kpis.target,
        kpis.min_n
    from {{ ref('kpis') }} as kpis
    left join periods on periods.kpi = kpis.kpi
)

select * from final
