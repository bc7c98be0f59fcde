{#- Agents of every source system, as last known. Not here: how their versions were mapped (int_agent__version). -#}
{{ config(
    touched_key=['source', 'agent_id'],
    touches=['agent_key'],
    touched_by="
        select source, agent_id from {{ ref('int_agent__version') }}
        where agent_id in (select agent_id from ({{ new_versions('agent', ['agent_id']) }}) as told)
    "
) }}

with newest as (
    {{ newest_versions('int_agent__version', ['source', 'agent_id'], [
        'system', 'is_agent', 'name', 'team', 'tier', 'is_automated', 'trained_on', 'is_deleted', 'updated_at'
    ]) }}
),

{#- A help desk does not say which of its agents are bots; a roster may, by the same id. -#}
rosters as (
    {{ newest_versions('int_agent__version', ['source', 'agent_id'], ['is_automated'], where='is_roster') }}
),

bots as (
    select distinct agent_id
    from rosters
    where is_automated and not is_vanished
)

select
    {{ surrogate_key(['source', 'agent_id']) }} as agent_key,
    source,
    system,
    agent_id,
    name,
    team,
    tier,
    coalesce(is_automated, agent_id in (select agent_id from bots)) as is_automated,
    trained_on,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
where is_agent
