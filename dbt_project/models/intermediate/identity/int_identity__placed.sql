{{ config(materialized='table') }}

{#-
    Which of each record's components stands: the largest that breaks no guard. What lives here: the guards. Not here: the
    components (int_identity__component), the customer a standing component is (int_identity__resolved).

    A component above the merges of vendors must not hold two living customers of one CRM (records that merges or equal
    address and name had made one count as one) nor more records than one person has; no component holds two records that
    a person keeps apart. One that does is not made: its members stay what the level before made of them, in conflict.
-#}
{%- set levels = identity_levels() %}
{%- set merged = 'level_' ~ merged_level() %}
{%- set customer = 'level_' ~ customer_level() %}
with overrides as (
    {{ known_overrides() }}
),

members as materialized (
    select
        nodes.node_key,
        nodes.is_contact,
        nodes.source,
        nodes.is_crm,
        nodes.is_live,
        nodes.created_at,
        {%- for level in range(1, levels + 1) %}
        components.level_{{ level }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_identity__component') }} as components
    inner join {{ ref('int_identity__node') }} as nodes on nodes.node_key = components.node_key
),

{#- What breaks a guard on one level breaks it on every later one too, so the last level finds all suspects. #}
suspects as materialized (
    select *
    from members
    where
        level_{{ levels }} in (
            select level_{{ levels }}
            from members
            group by level_{{ levels }}
            having count(distinct case when is_contact then {{ merged }} end) > {{ largest_cluster() }}
        )
        or level_{{ levels }} in (
            select level_{{ levels }}
            from members
            where is_crm and is_live
            group by level_{{ levels }}, source
            having count(distinct {{ customer }}) > 1
        )
        or level_{{ levels }} in (
            select one.level_{{ levels }}
            from overrides
            inner join members as one on one.node_key = overrides.node_a
            inner join members as other on other.node_key = overrides.node_b
            where overrides.action = 'keep_apart' and one.level_{{ levels }} = other.level_{{ levels }}
        )
),

broken as (
    {%- for level in range(merged_level(), levels + 1) %}
    {%- if level > merged_level() %}
    select {{ level }} as level, level_{{ level }} as label
    from suspects
    group by level_{{ level }}
    having count(distinct case when is_contact then {{ merged }} end) > {{ largest_cluster() }}
    union
    select {{ level }}, level_{{ level }}
    from suspects
    where is_crm and is_live
    group by level_{{ level }}, source
    having count(distinct {{ customer }}) > 1
    union
    {%- endif %}
    select {{ level }} as level, one.level_{{ level }} as label
    from overrides
    inner join suspects as one on one.node_key = overrides.node_a
    inner join suspects as other on other.node_key = overrides.node_b
    where overrides.action = 'keep_apart' and one.level_{{ level }} = other.level_{{ level }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

broken_from as (
    select suspects.node_key, min(broken.level) as level
    from suspects
    inner join broken
        on broken.label = case broken.level
            {%- for level in range(1, levels + 1) %}
            when {{ level }} then suspects.level_{{ level }}
            {%- endfor %}
        end
    group by suspects.node_key
)

select
    members.*,
    broken_from.level is not null as is_conflict,
    coalesce(broken_from.level - 1, {{ levels }}) as last_level,
    case coalesce(broken_from.level - 1, {{ levels }})
        {%- for level in range(1, levels + 1) %}
        when {{ level }} then members.level_{{ level }}
        {%- endfor %}
    end as cluster
from members
left join broken_from on broken_from.node_key = members.node_key
