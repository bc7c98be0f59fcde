{#-
    How many records each team and agent has by month, and what they come to. What lives here: cells of agents, teams and all, and which of
    them may be shown. Not here: what the records are (int_agent__record), rates and intervals (mart_service_scorecard).

    A figure rests on at least k_agents() records: teams within all, then agents within their team (macros/privacy). A hidden
    team hides its agents.
-#}
{{ config(
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

-- depends_on: {{ ref('fct_ticket') }}
-- depends_on: {{ ref('fct_survey_answer') }}
with dates as (
    select
        dates.date_key,
        dates.month_start
    from {{ ref('dim_date') }} as dates
    cross join {{ night() }} as night
    where dates.date_day <= night.as_of and {{ is_touched(['dates.month_start']) }}
),

cells as (
    select
        records.measure,
        dates.month_start,
        case when grouping(records.agent_key) = 0 then 'agent' when grouping(records.team) = 0 then 'team' else 'all' end as level,
        coalesce(records.team, 'all') as team,
        coalesce(records.agent_key, -1) as agent_key,
        count(*) as n,
        cast(sum(records.hit) as double) as hits,
        {{ sorted_values('records.minutes') }} as sorted_minutes
    from {{ ref('int_agent__record') }} as records
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
)

select
    cells.measure,
    cells.month_start,
    cells.level,
    cells.team,
    cells.agent_key,
    cells.n,
    cells.hits,
    cells.sorted_minutes,
    hidden.is_suppressed
from cells
inner join hidden on {{ equal_columns('hidden', 'cells', cell.split(', ')) }}
