{#-
    The KPIs that are quantiles of durations, of every window and member, nothing hidden. What lives here: the durations of a window,
    sorted, and what stands at which place. Not here: counts and means (int_kpi__counted_cell), formulas (macros/kpi).

    Quantiles need the values themselves: windows are spread into their days, whose sorted values are put together.
-#}
{{ config(
    touched_key=['measure', 'dimension', 'member', 'date_day'],
    touches=['period'],
    touched_by="{{ touched_kpi_cells(has_quantiles=true) }}"
) }}

{%- set cell = ['measure', 'dimension', 'member', 'period', 'date_day', 'window_start'] %}

with night as (
    select as_of from {{ night() }}
),

{{ wanted_kpi_cells(has_quantiles=true) }},

window_days as (
    select
        {{ columns_of('wanted', cell) }},
        {{ plus_days('wanted.date_day', '-offsets.offset_days') }} as ended_on
    from wanted
    cross join ({{ day_offsets(longest_window_days()) }}) as offsets
    where offsets.offset_days <= {{ dbt.datediff('wanted.window_start', 'wanted.date_day', 'day') }}
),

durations as (
    select
        {{ columns_of('window_days', cell) }},
        cast(sum(days.records) as bigint) as n,
        {{ sorted_lists('days.sorted_minutes') }} as sorted_minutes
    from window_days
    inner join {{ ref('int_kpi__day') }} as days
        on {{ equal_columns('days', 'window_days', ['measure', 'dimension', 'member']) }}
        and days.date_day = window_days.ended_on
    group by {{ columns_of('window_days', cell) }}
)

select
    kpis.kpi,
    durations.measure,
    durations.date_day,
    durations.period,
    durations.window_start,
    durations.dimension,
    durations.member,
    cast(null as double) as numerator,
    cast(durations.n as double) as denominator,
    durations.n,
    cast(null as bigint) as people,
    round({{ quantile_value('durations.sorted_minutes', 'durations.n', 'kpis.quantile') }}, 4) as value,
    round({{ quantile_interval_end('durations.sorted_minutes', 'durations.n', 'kpis.quantile', '-') }}, 4) as ci_low,
    round({{ quantile_interval_end('durations.sorted_minutes', 'durations.n', 'kpis.quantile', '+') }}, 4) as ci_high,
    cast(null as double) as estimate,
    cast(null as double) as margin
from durations
inner join {{ ref('kpis') }} as kpis on kpis.measure = durations.measure
