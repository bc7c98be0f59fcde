{#- What each KPI means: the dictionary that travels with the numbers. -#}
{{ config(materialized='table') }}

with night as (
    select as_of from {{ night() }}
),

periods as (
    select
        basis,
        {{ dbt.listagg('period', "', '", 'order by kind, days nulls last, period') }} as periods
    from {{ ref('kpi_periods') }}
    group by basis
),

{#- The company's own target on the business date. -#}
targets as (
    select targets.kpi, targets.target
    from (
        select
            targets.kpi,
            targets.target,
            row_number() over (partition by targets.kpi order by targets.valid_from desc) as place
        from {{ ref('kpi_targets') }} as targets
        inner join night on targets.valid_from <= night.as_of
        where targets.dimension = 'all'
    ) as targets
    where targets.place = 1
),

benchmarks as (
    select benchmarks.kpi, benchmarks.value, benchmarks.source, benchmarks.year
    from (
        select
            benchmarks.kpi,
            benchmarks.value,
            benchmarks.source,
            benchmarks.year,
            row_number() over (partition by benchmarks.kpi order by benchmarks.year desc, benchmarks.source) as place
        from {{ ref('kpi_benchmarks') }} as benchmarks
        inner join night on benchmarks.year <= extract(year from night.as_of)
    ) as benchmarks
    where benchmarks.place = 1
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
        kpis.basis,
        periods.periods,
        kpis.lookback_days,
        kpis.objective,
        kpis.owner_department,
        kpis.source_fact,
        kpis.measure,
        kpis.method,
        kpis.cause,
        targets.target,
        benchmarks.value as benchmark,
        benchmarks.source as benchmark_source,
        cast(benchmarks.year as integer) as benchmark_year,
        kpis.min_n
    from {{ ref('kpis') }} as kpis
    inner join periods on periods.basis = kpis.basis
    left join targets on targets.kpi = kpis.kpi
    left join benchmarks on benchmarks.kpi = kpis.kpi
)

select * from final
