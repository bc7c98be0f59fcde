{{ config(
    touched_key=['source', 'agent_id'],
    touches=['agent_key'],
    touched_by="
        {{ new_rows('stg_zendesk__users', ['_source', 'user_id']) }}
        union {{ new_rows('stg_canonical__agent', ['_source', 'agent_id']) }}
        union
        select u._source, u.user_id from {{ ref('stg_zendesk__users') }} as u
        where u.user_id in ({{ new_rows('stg_canonical__agent', ['agent_id']) }})
    "
) }}

with zendesk_users as (
    {{ newest_versions('stg_zendesk__users', ['user_id'], [
        'name', 'role', 'default_group_id', 'active', 'permanently_deleted', 'updated_at'
    ]) }}
),

canonical_agents as (
    {{ newest_versions('stg_canonical__agent', ['agent_id'], [
        'name', 'team', 'tier', 'is_automated', 'trained_on', 'is_deleted', 'updated_at'
    ]) }}
),

{#- The help desk does not say which of its agents are bots; a roster in the canonical extract may, by the same id. -#}
rosters as (
    {{ newest_versions('stg_canonical__agent', ['agent_id'], ['is_automated'], where='true') }}
),

bots as (
    select distinct agent_id
    from rosters
    where is_automated and not is_vanished
),

unioned as (
    select
        zendesk_users._source as source,
        'zendesk' as system,
        zendesk_users.user_id as agent_id,
        zendesk_users.name,
        zendesk_users.default_group_id as team,
        cast(null as varchar) as tier,
        bots.agent_id is not null as is_automated,
        cast(null as date) as trained_on,
        not coalesce(zendesk_users.active, true) or coalesce(zendesk_users.permanently_deleted, false)
            or zendesk_users.is_vanished as is_deleted,
        zendesk_users.updated_at,
        zendesk_users._version_at
    from zendesk_users
    left join bots on zendesk_users.user_id = bots.agent_id
    where zendesk_users.role in ('agent', 'admin')
    union all
    select
        _source,
        'canonical',
        agent_id,
        name,
        team,
        tier,
        coalesce(is_automated, false),
        trained_on,
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_agents
)

select
    {{ surrogate_key(['source', 'agent_id']) }} as agent_key,
    source,
    system,
    agent_id,
    name,
    team,
    tier,
    is_automated,
    trained_on,
    is_deleted,
    updated_at,
    _version_at
from unioned
