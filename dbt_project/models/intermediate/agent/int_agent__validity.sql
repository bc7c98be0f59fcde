{#-
    Team, tier and training of whoever the extracts describe, and since when. What lives here: the versions of agents as stretches of
    time in which nothing changed. Not here: agents nobody describes (dim_agent), who is a machine (int_agent__unioned).

    Tier and training of a help desk's agent come from a roster, by the same id.
-#}
{{ config(
    touched_key=['agent_key'],
    touched_by="
        select {{ surrogate_key(['source', 'agent_id']) }}
        from (
            select distinct source, agent_id from {{ ref('int_agent__version') }}
            where agent_id in (select agent_id from ({{ new_versions('agent', ['agent_id']) }}) as told)
        ) as agents
    "
) }}

with desk_agents as (
    select
        {{ surrogate_key(['source', 'agent_id']) }} as agent_key,
        agent_id
    from (select distinct source, agent_id from {{ ref('int_agent__version') }} where is_agent and not is_roster) as agents
),

versions as (
    select
        {{ surrogate_key(['source', 'agent_id']) }} as agent_key,
        system,
        source,
        agent_id,
        is_roster,
        _version_at as told_at,
        team,
        tier,
        trained_on,
        _extract_date as extract_date,
        _file as file,
        _row as file_row
    from {{ ref('int_agent__version') }}
    where _op = 'upsert' and is_agent
),

{#- What each version says, of teams and of tiers. -#}
teams_told as (
    select
        agent_key,
        system,
        told_at,
        team,
        row_number() over (
            partition by agent_key, told_at order by extract_date desc, file desc nulls last, file_row desc nulls last
        ) as recency
    from versions
    where {{ is_touched(['agent_key']) }}
),

tiers_told as (
    select
        agent_key,
        told_at,
        tier,
        trained_on,
        row_number() over (
            partition by agent_key, told_at
            order by extract_date desc, source, file desc nulls last, file_row desc nulls last
        ) as recency
    from (
        select agent_key, source, told_at, tier, trained_on, extract_date, file, file_row
        from versions
        where is_roster
        union all
        select
            desk_agents.agent_key,
            {{ columns_of('versions', ['source', 'told_at', 'tier', 'trained_on', 'extract_date', 'file', 'file_row']) }}
        from desk_agents
        inner join versions on versions.agent_id = desk_agents.agent_id
        where versions.is_roster
    ) as rosters
    where {{ is_touched(['agent_key']) }}
),

teams as (
    select
        agent_key,
        system,
        told_at,
        team,
        row_number() over (partition by agent_key order by told_at) as place
    from teams_told
    where recency = 1
),

tiers as (
    select
        agent_key,
        told_at,
        tier,
        trained_on,
        row_number() over (partition by agent_key order by told_at) as place
    from tiers_told
    where recency = 1
),

moments as (
    select
        agent_key,
        told_at,
        coalesce(max(max(team_place)) over so_far, 1) as team_place,
        coalesce(max(max(tier_place)) over so_far, 1) as tier_place
    from (
        select agent_key, told_at, place as team_place, null as tier_place from teams
        union all
        select agent_key, told_at, null, place from tiers
    ) as told
    group by agent_key, told_at
    window so_far as (partition by agent_key order by told_at rows unbounded preceding)
),

states as (
    select
        moments.agent_key,
        teams.system,
        moments.told_at,
        teams.team,
        tiers.tier,
        tiers.trained_on,
        lag(moments.told_at) over by_time is null
            or lag(teams.team) over by_time is distinct from teams.team
            or lag(tiers.tier) over by_time is distinct from tiers.tier
            or lag(tiers.trained_on) over by_time is distinct from tiers.trained_on as is_change
    from moments
    inner join teams on teams.agent_key = moments.agent_key and teams.place = moments.team_place
    left join tiers on tiers.agent_key = moments.agent_key and tiers.place = moments.tier_place
    window by_time as (partition by moments.agent_key order by moments.told_at)
)

select
    agent_key,
    system,
    team,
    tier,
    trained_on,
    told_at,
    row_number() over (partition by agent_key order by told_at) as validity_no,
    lead(told_at) over (partition by agent_key order by told_at) as valid_to
from states
where is_change
