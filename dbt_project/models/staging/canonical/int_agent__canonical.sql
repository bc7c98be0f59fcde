{#- Agents of the canonical extract: a roster, which may describe the agents of a help desk by their ids there. -#}
select
    agent_id,
    true as is_agent,
    true as is_roster,
    name,
    team,
    tier,
    coalesce(is_automated, false) as is_automated,
    trained_on,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__agent') }}
