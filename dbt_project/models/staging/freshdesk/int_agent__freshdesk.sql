{#- Agents of the help desk in our words. -#}
select
    agent_id,
    true as is_agent,
    false as is_roster,
    name,
    first_group_id as team,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_freshdesk__agents') }}
