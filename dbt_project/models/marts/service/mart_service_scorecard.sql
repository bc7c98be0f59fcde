{#-
    How teams and agents serve, month by month. What lives here: rates, medians and their intervals over the tickets of an agent, a team
    and all. Not here: what is counted and which figures may be shown (int_agent__cell), KPIs of the whole company (mart_kpi_daily).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="select month_start from {{ touched('int_agent__cell') }}"
) }}

with cells as (
    select * from {{ ref('int_agent__cell') }} where {{ is_touched(['month_start']) }}
),

measured as (
    {%- for measure, records_of, quantile in [
        ('first_reply_minutes_median', 'first_reply', 0.5), ('first_reply_minutes_p90', 'first_reply', 0.9),
        ('full_resolution_minutes_median', 'full_resolution', 0.5), ('full_resolution_minutes_p90', 'full_resolution', 0.9)
    ] %}
    select
        '{{ measure }}' as measure,
        month_start,
        level,
        team,
        agent_key,
        is_suppressed,
        'order_statistics' as method,
        cast(null as double) as numerator,
        n,
        {{ quantile_value('sorted_minutes', 'n', quantile) }} as value,
        {{ quantile_interval_end('sorted_minutes', 'n', quantile, '-') }} as ci_low,
        {{ quantile_interval_end('sorted_minutes', 'n', quantile, '+') }} as ci_high
    from cells
    where measure = '{{ records_of }}'
    union all
    {%- endfor %}
    select 'tickets_solved', month_start, level, team, agent_key, is_suppressed, 'count', cast(n as double), n, cast(n as double), null, null
    from cells
    where measure = 'solved'
    union all
    select
        measure,
        month_start,
        level,
        team,
        agent_key,
        is_suppressed,
        'wilson',
        hits,
        n,
        {{ percent_value('hits', 'n') }},
        {{ wilson_end('hits', 'n', '-') }},
        {{ wilson_end('hits', 'n', '+') }}
    from cells
    where measure in ('csat', 'reopen_rate', 'fcr_rate', 'one_touch_rate', 'escalation_rate', 'first_tier_rate')
),

final as (
    select
        {{ surrogate_key(['month_start', 'level', 'team', 'agent_key', 'measure']) }} as service_scorecard_key,
        month_start,
        level,
        team,
        agent_key,
        measure,
        case when not is_suppressed then numerator end as numerator,
        case when not is_suppressed and method <> 'count' then cast(n as double) end as denominator,
        case when not is_suppressed then n end as n,
        case when not is_suppressed then round(value, 4) end as value,
        case when not is_suppressed then round(ci_low, 4) end as ci_low,
        case when not is_suppressed then round(ci_high, 4) end as ci_high,
        method,
        is_suppressed,
        case when not is_suppressed then n < {{ n_low() }} end as is_low_n
    from measured
)

select * from final
