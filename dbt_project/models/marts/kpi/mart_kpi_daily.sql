{#-
    Every KPI, every window, every member, as it may be shown. What lives here: the comparison with the period before, targets and
    benchmarks. Not here: the figures (int_kpi__cell), which of them are hidden (int_kpi__told_cell), the meaning (dim_kpi).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['measure', 'dimension', 'date_day'],
    touched_by="{{ touched_kpi_days() }}"
) }}

-- depends_on: {{ ref('int_kpi__counted_cell') }}
-- depends_on: {{ ref('int_kpi__timed_cell') }}
{%- set cell = ['measure', 'period', 'date_day', 'dimension', 'member'] %}

with night as (
    select as_of, is_stale from {{ night() }}
),

cells as (
    select {{ kpi_cell_columns() | join(', ') }}
    from {{ ref('int_kpi__cell') }}
    where {{ is_touched(['measure', 'dimension', 'date_day']) }}
),

{#- What is shown of the windows one period before. -#}
earlier as (
    select {{ columns_of('earlier', kpi_cell_columns()) }}
    from {{ ref('int_kpi__cell') }} as earlier
    inner join (
        select distinct measure, dimension, period, {{ kpi_previous_day('period', 'date_day') }} as date_day from cells
    ) as compared on {{ equal_columns('compared', 'earlier', ['measure', 'dimension', 'period', 'date_day']) }}
    inner join {{ ref('int_kpi__told_cell') }} as told on {{ equal_columns('told', 'earlier', cell) }}
    where not told.is_hidden
),

compared as (
    select
        {{ columns_of('cells', kpi_cell_columns()) }},
        told.is_hidden as is_suppressed,
        earlier.value as previous_value,
        {%- for name, sign in [('difference_low', '-'), ('difference_high', '+')] %}
        case when kpis.basis <> 'stock' then {{ kpi_difference_end('kpis', 'cells', 'earlier', sign) }} end as {{ name }},
        {%- endfor %}
        coalesce({{ reaches_back('kpis', 'cells', 'first_days') }}, false) as is_filled,
        {{ is_over('periods', 'cells') }} as is_over,
        kpis.method,
        kpis.direction,
        kpis.min_n
    from cells
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = cells.kpi
    inner join {{ ref('kpi_periods') }} as periods on periods.basis = kpis.basis and periods.period = cells.period
    inner join {{ ref('int_kpi__told_cell') }} as told on {{ equal_columns('told', 'cells', cell) }}
    left join {{ ref('int_kpi__first_day') }} as first_days on first_days.measure = cells.measure
    left join earlier
        on {{ equal_columns('earlier', 'cells', ['kpi', 'period', 'dimension', 'member']) }}
        and earlier.date_day = {{ kpi_previous_day('cells.period', 'cells.date_day') }}
        {#- A whole window is compared with a whole one; of states, each is one of its day. #}
        and {{ reaches_back('kpis', 'earlier', 'first_days') }}
        and (kpis.basis = 'stock' or {{ is_over('periods', 'cells') }})
),

{#- The newest target that was valid on the day: the member's own, else the company's. -#}
targets as (
    select
        cell_days.kpi,
        cell_days.date_day,
        cell_days.dimension,
        cell_days.member,
        coalesce(own.target, company.target) as target
    from (select distinct kpi, date_day, dimension, member from cells) as cell_days
    {%- for name, dimension, member in [('own', 'cell_days.dimension', 'cell_days.member'), ('company', "'all'", "'all'")] %}
    left join (
        select
            kpi,
            dimension,
            member,
            target,
            valid_from,
            coalesce(
                {{ plus_days('lead(valid_from) over (partition by kpi, dimension, member order by valid_from)', -1) }},
                cast('9999-12-31' as date)
            ) as valid_to
        from {{ ref('kpi_targets') }}
    ) as {{ name }}
        on {{ name }}.kpi = cell_days.kpi
        and {{ name }}.dimension = {{ dimension }}
        and {{ name }}.member = {{ member }}
        and cell_days.date_day between {{ name }}.valid_from and {{ name }}.valid_to
    {%- endfor %}
),

{#- The newest figure of others that was there on the day. -#}
benchmarks as (
    select
        cell_days.kpi,
        cell_days.date_day,
        benchmarks.value,
        benchmarks.source || ' ' || cast(benchmarks.year as varchar) as benchmark_source,
        row_number() over (partition by cell_days.kpi, cell_days.date_day order by benchmarks.year desc, benchmarks.source) as place
    from (select distinct kpi, date_day from cells) as cell_days
    inner join {{ ref('kpi_benchmarks') }} as benchmarks
        on benchmarks.kpi = cell_days.kpi and benchmarks.year <= extract(year from cell_days.date_day)
),

final as (
    select
        {{ surrogate_key(['compared.kpi', date_key('compared.date_day'), 'compared.period', 'compared.dimension', 'compared.member']) }} as kpi_daily_key,
        {{ surrogate_key(['compared.kpi']) }} as kpi_key,
        compared.kpi,
        compared.measure,
        {{ date_key('compared.date_day') }} as date_key,
        compared.date_day,
        compared.period,
        compared.window_start,
        compared.dimension,
        compared.member,
        {%- for column in ['numerator', 'denominator', 'n', 'value', 'ci_low', 'ci_high'] %}
        case when not compared.is_suppressed then compared.{{ column }} end as {{ column }},
        {%- endfor %}
        compared.method,
        {%- set is_compared = 'not compared.is_suppressed and compared.previous_value is not null' %}
        case when not compared.is_suppressed then compared.previous_value end as previous_value,
        case when {{ is_compared }} then round(compared.value - compared.previous_value, 4) end as difference,
        case when {{ is_compared }} then round(compared.difference_low, 4) end as difference_low,
        case when {{ is_compared }} then round(compared.difference_high, 4) end as difference_high,
        case when {{ is_compared }} then compared.difference_low > 0 or compared.difference_high < 0 end as is_changed,
        targets.target,
        case when not compared.is_suppressed then
            case compared.direction
                when 'higher_is_better' then compared.value >= targets.target
                when 'lower_is_better' then compared.value <= targets.target
            end
        end as is_target_met,
        benchmarks.value as benchmark,
        benchmarks.benchmark_source,
        compared.is_suppressed,
        compared.n < compared.min_n as is_low_n,
        compared.is_filled and compared.is_over as is_complete_window,
        night.is_stale and compared.date_day = night.as_of as is_stale
    from compared
    cross join night
    inner join targets on {{ equal_columns('targets', 'compared', ['kpi', 'date_day', 'dimension', 'member']) }}
    left join benchmarks
        on compared.dimension = 'all'
        and benchmarks.place = 1
        and {{ equal_columns('benchmarks', 'compared', ['kpi', 'date_day']) }}
)

select * from final
