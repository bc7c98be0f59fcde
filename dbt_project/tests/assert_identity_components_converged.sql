-- No edge that joins leads from one component to another: on the level of its rule both of its ends bear the same label.
select
    evidence.node_a,
    evidence.node_b,
    evidence.rule
from {{ ref('int_identity__evidence') }} as evidence
inner join {{ ref('int_identity__component') }} as one on one.node_key = evidence.node_a
inner join {{ ref('int_identity__component') }} as other on other.node_key = evidence.node_b
where
    evidence.blocked_by is null
    and case evidence.rule_order
        {%- for level in range(1, identity_levels() + 1) %}
        when {{ level }} then one.level_{{ level }} <> other.level_{{ level }}
        {%- endfor %}
        else true
    end
