{%- set steps = [] -%}
{%- for level in range(1, identity_levels() + 1) -%}{%- do steps.append('{{ join_identity_level(' ~ level ~ ') }}') -%}{%- endfor -%}
{{ config(materialized='table', pre_hook=steps) }}

-- depends_on: {{ ref('int_identity__evidence') }}
-- depends_on: {{ ref('int_identity__node') }}
{#-
    The graph level by level: level n holds the rules 1 to n, so its components are those of level n - 1 joined by the
    edges of rule n. What lives here: the components, exact over paths of any length. Not here: whether one is too good to
    be true (int_identity__resolved).

    Each level is a statement of its own, before this one: as one query of many recursive parts it takes minutes.
#}
select
    node_key,
    {%- for level in range(1, identity_levels() + 1) %}
    level_{{ level }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ identity_level_table(identity_levels()) }}
