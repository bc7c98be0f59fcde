{#-
    The KPIs that are counts, shares, means and sums, of every window and member, nothing hidden. What lives here: adding days up
    over windows, and the figures that come of it. Not here: quantiles (int_kpi__timed_cell), formulas (macros/kpi).

    What a window holds is what had come up to its last day less what had come before its first; a state is all that had come up to
    its day. Of the latest answers of customers, those are taken off that another one stands for within the window.
-#}
{{ config(
    touched_key=['measure', 'dimension', 'member', 'date_day'],
    touches=['period'],
    touched_by="{{ touched_kpi_cells(has_quantiles=false) }}"
) }}

{%- set member = ['measure', 'dimension', 'member'] %}
{%- set cell = member + ['period', 'date_day'] %}
{%- set sums = {
    'positives': 'bigint', 'negatives': 'bigint', 'responses': 'bigint', 'people': 'bigint', 'total': 'decimal(38, 0)', 'squares': 'decimal(38, 0)'
} %}

with night as (
    select as_of from {{ night() }}
),

{{ wanted_kpi_cells(has_quantiles=false) }},

ranges as (
    select {{ member | join(', ') }}, min(window_start) as first_start
    from wanted
    group by {{ member | join(', ') }}
),

days as (
    select
        {{ columns_of('days', member + ['date_day', 'superseded_on', 'is_state'] + (sums | list)) }}
    from {{ ref('int_kpi__day') }} as days
    inner join ranges on {{ equal_columns('ranges', 'days', member) }}
    where days.is_state or days.date_day >= ranges.first_start
),

{%- for name, condition in {'flows': 'not is_state', 'states': 'is_state'}.items() %}

{{ name }} as (
    select
        {{ member | join(', ') }},
        date_day,
        {%- for sum in sums %}
        sum(sum({{ sum }})) over so_far as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    where {{ condition }}
    group by {{ member | join(', ') }}, date_day
    window so_far as (partition by {{ member | join(', ') }} order by date_day rows unbounded preceding)
),
{%- endfor %}

superseded as (
    select
        {{ columns_of('wanted', cell) }},
        {%- for sum in sums %}
        sum(days.{{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    {#- A window that holds both answers ends within the longest one's days: so few days are looked at, however long the history. #}
    inner join {{ ref('dim_date') }} as dates
        on dates.date_day between days.superseded_on and {{ plus_days('days.date_day', longest_window_days()) }}
    inner join wanted
        on {{ equal_columns('wanted', 'days', member) }}
        and wanted.date_day = dates.date_day
        and wanted.window_start <= days.date_day
    where days.superseded_on is not null
    group by {{ columns_of('wanted', cell) }}
),

counts as (
    select
        {{ columns_of('wanted', cell) }},
        wanted.window_start,
        {%- for sum, data_type in sums.items() %}
        cast(
            coalesce(up_to_now.{{ sum }}, 0) - coalesce(before.{{ sum }}, 0) + coalesce(states.{{ sum }}, 0) - coalesce(superseded.{{ sum }}, 0)
            as {{ data_type }}
        ) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from wanted
    {{ left_join_newest('flows', 'up_to_now', 'wanted', member, 'date_day', '<= wanted.date_day') }}
    {{ left_join_newest('flows', 'before', 'wanted', member, 'date_day', '< wanted.window_start') }}
    {{ left_join_newest('states', 'states', 'wanted', member, 'date_day', '<= wanted.date_day') }}
    left join superseded on {{ equal_columns('superseded', 'wanted', cell) }}
),

beginnings as (
    select measure, min(date_day) as began_on
    from {{ ref('int_kpi__day') }}
    where is_state and dimension = 'all'
    group by measure
),

{#- Once there were tickets, a backlog of 0 is a figure; a share of nothing is none. -#}
estimated as (
    select
        kpis.kpi,
        kpis.method,
        kpis.unit,
        kpis.counted,
        kpis.basis,
        {{ columns_of('counts', cell + ['window_start'] + (sums | list)) }},
        {{ kpi_estimate('kpis', 'counts') }} as estimate,
        {{ kpi_margin('kpis', 'counts') }} as margin
    from counts
    inner join {{ ref('kpis') }} as kpis on kpis.measure = counts.measure
    left join beginnings on beginnings.measure = counts.measure
    where
        counts.responses > 0
        or counts.positives > 0
        or (kpis.kpi = 'backlog' and counts.dimension = 'all' and counts.date_day >= beginnings.began_on)
)

select
    kpi,
    measure,
    date_day,
    period,
    window_start,
    dimension,
    member,
    round(case counted
        when 'net' then cast(positives - negatives as double)
        when 'positives' then cast(positives as double)
        when 'negatives' then cast(responses - positives as double)
        when 'total' then {{ kpi_total('estimated', 'estimated') }}
        else cast(responses as double)
    end, 4) as numerator,
    case when method not in ('count', 'sum') then cast(responses as double) end as denominator,
    case when method = 'per_hundred' then positives else responses end as n,
    case when basis = 'stock' or method = 'per_hundred' then people end as people,
    round({{ kpi_value('estimated', 'estimated') }}, 4) as value,
    round({{ kpi_interval_end('estimated', 'estimated', '-') }}, 4) as ci_low,
    round({{ kpi_interval_end('estimated', 'estimated', '+') }}, 4) as ci_high,
    round(estimate, 8) as estimate,
    round(margin, 8) as margin
from estimated
