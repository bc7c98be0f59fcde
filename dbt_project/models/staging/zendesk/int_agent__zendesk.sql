{#- Users of the help desk as agents in our words. Who is none in a version was one before, or will be. -#}
select
    user_id as agent_id,
    role in ('agent', 'admin') as is_agent,
    false as is_roster,
    name,
    default_group_id as team,
    not coalesce(active, true) or coalesce(permanently_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_zendesk__users') }}
