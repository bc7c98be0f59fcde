{#-
    How teams and agents serve, month by month. What lives here: each measure over the tickets of an agent, a team and all,
    and which of them may be shown. Not here: the measures themselves (fct_ticket, fct_survey_answer), KPIs of the whole
    company (mart_kpi_daily).

    A ticket counts for the team and the agent in charge of it now, a rating for the agent who was in charge when it was given.
    A figure rests on at least k_agents() records: teams within all, then agents within their team (macros/privacy). A hidden
    team hides its agents.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        with moved as (
            select first_reply_date_key as date_key from {{ touched('fct_ticket') }}
            union select first_solved_date_key from {{ touched('fct_ticket') }}
            union select last_solved_date_key from {{ touched('fct_ticket') }}
            union select answered_date_key from {{ touched('fct_survey_answer') }}
            union
            select answered_date_key from {{ ref('fct_survey_answer') }}
            where ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
        ),
        days as (
            select {{ date_of_key('date_key') }} as date_day from moved where date_key > 0
            union select as_of from {{ night() }}
            union select coalesce(previous_as_of, as_of) from {{ night() }}
        )
        select distinct cast({{ dbt.date_trunc('month', 'date_day') }} as date) from days
        union select month_start from {{ this }} where month_start > (select as_of from {{ night() }})
        union
        select cast({{ dbt.date_trunc('month', 'dates.date_day') }} as date)
        from {{ ref('dim_date') }} as dates
        cross join {{ night() }} as night
        where dates.date_day between least(night.previous_as_of, night.as_of) and greatest(night.previous_as_of, night.as_of)
    "
) }}

{%- set cell = 'measure, month_start, level, team, agent_key' %}

with dates as (
    select
        dates.date_key,
        dates.month_start
    from {{ ref('dim_date') }} as dates
    cross join {{ night() }} as night
    where dates.date_day <= night.as_of and {{ is_touched(['dates.month_start']) }}
),

tickets as (
    select
        coalesce(team, 'none') as team,
        agent_key,
        first_reply_date_key,
        first_solved_date_key,
        last_solved_date_key,
        first_reply_minutes,
        full_resolution_minutes,
        is_customer_initiated,
        is_reopened,
        is_fcr,
        is_one_touch,
        is_escalated,
        is_first_tier_resolution
    from {{ ref('fct_ticket') }}
    where {{ is_ticket_counted('removed_kind') }}
),

{#- One row per record and measure: minutes for durations, hit (0 or 1) for shares. -#}
records as (
    select 'first_reply' as measure, first_reply_date_key as date_key, team, agent_key, first_reply_minutes as minutes, cast(null as integer) as hit
    from tickets
    where is_customer_initiated and first_reply_minutes is not null
    union all
    select 'full_resolution', last_solved_date_key, team, agent_key, full_resolution_minutes, null
    from tickets
    where full_resolution_minutes is not null
    union all
    select 'solved', first_solved_date_key, team, agent_key, null, null
    from tickets
    where first_solved_date_key > 0
    {%- for measure, flag in [
        ('reopen_rate', 'is_reopened'), ('fcr_rate', 'is_fcr'), ('one_touch_rate', 'is_one_touch'),
        ('escalation_rate', 'is_escalated'), ('first_tier_rate', 'is_first_tier_resolution')
    ] %}
    union all
    select '{{ measure }}', first_solved_date_key, team, agent_key, null, case when {{ flag }} then 1 else 0 end
    from tickets
    where first_solved_date_key > 0 and {{ flag }} is not null
    {%- endfor %}
    union all
    select
        'csat',
        answers.answered_date_key,
        coalesce(tickets.team, 'none'),
        answers.agent_key,
        null,
        case when answers.is_positive then 1 else 0 end
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    where answers.metric = 'csat' and answers.is_counted
),

cells as (
    select
        records.measure,
        dates.month_start,
        case when grouping(records.agent_key) = 0 then 'agent' when grouping(records.team) = 0 then 'team' else 'all' end as level,
        coalesce(records.team, 'all') as team,
        coalesce(records.agent_key, -1) as agent_key,
        count(*) as n,
        sum(records.hit) as hits,
        {{ sorted_values('records.minutes') }} as sorted_minutes
    from records
    inner join dates on dates.date_key = records.date_key
    group by grouping sets (
        (records.measure, dates.month_start),
        (records.measure, dates.month_start, records.team),
        (records.measure, dates.month_start, records.team, records.agent_key)
    )
),

small_teams as (
    select
        {{ cell }},
        n,
        {{ is_small('n', k_agents()) }} as hidden
    from cells
    where level in ('all', 'team')
),

{{ hide_another('small_teams', 'teams', cell.split(', ') + ['n'], ['measure', 'month_start'], 'team', 'n', k_agents()) }},

small_agents as (
    select
        cells.measure,
        cells.month_start,
        cells.level,
        cells.team,
        cells.agent_key,
        cast(cells.agent_key as varchar) as agent,
        cells.n,
        teams.hidden or {{ is_small('cells.n', k_agents()) }} as hidden
    from cells
    inner join teams on {{ equal_columns('teams', 'cells', ['measure', 'month_start', 'team']) }}
    where cells.level = 'agent'
),

{{ hide_another('small_agents', 'agents', cell.split(', ') + ['agent', 'n'], ['measure', 'month_start', 'team'], 'agent', 'n', k_agents()) }},

hidden as (
    select {{ cell }}, hidden as is_suppressed from teams
    union all
    select {{ cell }}, hidden from agents
),

shown as (
    select
        cells.measure,
        cells.month_start,
        cells.level,
        cells.team,
        cells.agent_key,
        cells.n,
        cast(cells.hits as double) as hits,
        cells.sorted_minutes,
        hidden.is_suppressed
    from cells
    inner join hidden
        on hidden.measure = cells.measure
        and hidden.month_start = cells.month_start
        and hidden.level = cells.level
        and hidden.team = cells.team
        and hidden.agent_key = cells.agent_key
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
    from shown
    where measure = '{{ records_of }}'
    union all
    {%- endfor %}
    select 'tickets_solved', month_start, level, team, agent_key, is_suppressed, 'count', cast(n as double), n, cast(n as double), null, null
    from shown
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
    from shown
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
