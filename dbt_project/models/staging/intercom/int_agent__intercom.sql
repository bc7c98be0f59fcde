{#- Teammates of Intercom as agents in our words. -#}
select
    admin_id as agent_id,
    true as is_agent,
    false as is_roster,
    name,
    team_id as team,
    false as is_deleted,
    _version_at as updated_at,
    {{ version_columns() }}
from {{ ref('stg_intercom__admins') }}
