{#-
    The same service on every channel, or not: each KPI per channel beside all channels and the others. What lives here:
    which values are shown, and which channels differ. Not here: which records are compared (int_channel_consistency__record), values,
    intervals and spread (int_channel_consistency__value), the daily scorecard (mart_kpi_daily).

    A channel differs when the interval of its difference from all others together excludes 0.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['kpi', 'period', 'period_start'],
    touched_by="
        select kpi, period, month_start from {{ touched('int_channel_consistency__value') }} where period = 'month'
        union
        select cells.kpi, 'last_365_days', {{ plus_days('night.as_of', -364) }}
        from {{ ref('int_channel_consistency__value') }} as cells cross join {{ night() }} as night
        union
        select kpi, period, period_start from {{ this }} where period = 'last_365_days'
    "
) }}

{%- set group_columns = ['kpi', 'period', 'period_start'] -%}
{%- set cell_columns = group_columns + ['channel'] -%}
{%- set figures = [
    'n', 'customers', 'numerator', 'value', 'ci_low', 'ci_high', 'estimate', 'margin', 'p10', 'p50', 'p90', 'floor_value', 'share_below_floor'
] %}

with night as (
    select {{ plus_days('as_of', -364) }} as first_day from {{ night() }}
),

valued as (
    select
        {{ columns_of('cells', ['kpi', 'period', 'channel', 'part'] + figures) }},
        coalesce(cells.month_start, night.first_day) as period_start
    from {{ ref('int_channel_consistency__value') }} as cells
    cross join night
),

{#- Hidden is looked for in all periods: the last 365 days also hide what any month within them hides. -#}
cells as (
    select {{ cell_columns | join(', ') }}, customers, {{ is_small('customers') }} as hidden from valued where part = 'own'
),

{{ hide_another('cells', 'hidden_in_periods', cell_columns + ['customers'], group_columns, 'channel', 'customers') }},

cells_and_months as (
    select
        {{ columns_of('cells', cell_columns) }},
        cells.customers,
        cells.hidden or (cells.period <> 'month' and exists (
            select 1 from hidden_in_periods as months
            where
                {{ equal_columns('months', 'cells', ['kpi', 'channel']) }}
                and months.period = 'month' and months.hidden and months.period_start >= cells.period_start
        )) as hidden
    from hidden_in_periods as cells
),

{{ hide_another('cells_and_months', 'hidden_cells', cell_columns + ['customers'], group_columns, 'channel', 'customers') }},

differences as (
    select
        own.kpi,
        own.period,
        own.period_start,
        own.channel,
        {%- for name, sign in [('low', '-'), ('high', '+')] %}
        case
            when {{ is_channel_duration('own.kpi') }} then {{ quantile_difference_end('own', 'others', sign) }}
            else {{ difference_end('own', 'others', sign) }}
        end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from valued as own
    inner join valued as others on {{ equal_columns('others', 'own', group_columns) }} and others.channel = own.channel
    where own.part = 'own' and others.part = 'others'
),

final as (
    select
        own.kpi,
        own.channel,
        own.period,
        own.period_start,
        {%- for column, measure in [
            ('numerator', 'own.numerator'),
            ('denominator', 'cast(own.n as double)'),
            ('n', 'own.n'),
            ('customers', 'own.customers'),
            ('value', 'round(own.value, 4)'),
            ('ci_low', 'round(own.ci_low, 4)'),
            ('ci_high', 'round(own.ci_high, 4)')
        ] %}
        case when not cells.hidden then {{ measure }} end as {{ column }},
        {%- endfor %}
        case when not whole_cells.hidden then round(whole.value, 4) end as all_value,
        case when not cells.hidden and own.channel <> 'all' then round(own.value - whole.value, 4) end as difference,
        case when not cells.hidden and own.channel <> 'all' then
            coalesce(differences.low > 0 or differences.high < 0, false)
        end as is_different,
        {%- for measure in ['p10', 'p50', 'p90'] %}
        case when not cells.hidden then round(own.{{ measure }}, 4) end as {{ measure }},
        {%- endfor %}
        own.floor_value,
        case when not cells.hidden then round(own.share_below_floor, 4) end as share_below_floor,
        cells.hidden as is_suppressed,
        own.n < {{ n_low() }} as is_low_n
    from valued as own
    inner join hidden_cells as cells on {{ equal_columns('cells', 'own', group_columns) }} and cells.channel = own.channel
    inner join valued as whole on {{ equal_columns('whole', 'own', group_columns) }} and whole.channel = 'all' and whole.part = 'own'
    inner join hidden_cells as whole_cells on {{ equal_columns('whole_cells', 'own', group_columns) }} and whole_cells.channel = 'all'
    left join differences on {{ equal_columns('differences', 'own', group_columns) }} and differences.channel = own.channel
    where own.part = 'own' and {{ is_touched(['own.kpi', 'own.period', 'own.period_start']) }}
)

select * from final
