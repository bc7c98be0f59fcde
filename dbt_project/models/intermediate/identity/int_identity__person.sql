{{ config(materialized='table') }}

{#-
    Who is one person before any mark is compared. What lives here: the components that records make by what they say themselves, which
    no rule must find twice. Not here: why they are one (int_identity__same), who is one customer in the end
    (int_identity__resolved).
-#}
with recursive edges as materialized (
    select same.node_a, same.node_b
    from {{ ref('int_identity__same') }} as same
    inner join {{ ref('identity_rules') }} as rules on rules.rule = same.rule and rules.is_enabled
    anti join ({{ known_overrides() }}) as apart
        on apart.action = 'keep_apart'
        and least(apart.node_a, apart.node_b) = least(same.node_a, same.node_b)
        and greatest(apart.node_a, apart.node_b) = greatest(same.node_a, same.node_b)
    where same.node_a <> same.node_b
),

{{ connected_components('component', 'edges') }}

select
    nodes.node_key,
    nodes.source,
    nodes.contact_id,
    nodes.is_contact,
    nodes.is_crm,
    nodes.named_id,
    nodes.full_name,
    coalesce(component.label, nodes.node_key) as person
from {{ ref('int_identity__node') }} as nodes
left join component on component.node_key = nodes.node_key
