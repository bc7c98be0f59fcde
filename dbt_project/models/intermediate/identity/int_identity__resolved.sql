{{ config(
    touched_key=['node_key'],
    touches=['is_contact', 'source', 'contact_id', 'customer_key'],
    derives_all=true
) }}

{#-
    Which records are one customer: those of a component that stands. What lives here: the customer's key, and by which rule and with
    what success a record found its customer. Not here: which components stand (int_identity__placed).
-#}
{%- set levels = identity_levels() %}
{%- set merged = 'level_' ~ merged_level() %}
with clusters as materialized (
    select
        cluster,
        first(node_key order by created_at nulls last, node_key) filter (where is_contact) as customer_key,
        count(*) filter (where is_contact) as records,
        count(distinct {{ merged }}) filter (where is_contact) as unmerged_records,
        bool_or(is_crm) as has_crm,
        case
            {%- for level in range(1, levels + 1) %}
            when min(level_{{ level }}) = max(level_{{ level }}) then {{ level }}
            {%- endfor %}
        end as weakest_level
    from {{ ref('int_identity__placed') }} as placed
    group by cluster
    having count(*) > 1
),

{#- Whom a record had to find: a record of the CRM if its customer has one, else any other record. #}
anchors as materialized (
    select
        placed.node_key,
        placed.cluster,
        placed.last_level,
        {%- for level in range(1, levels + 1) %}
        placed.level_{{ level }},
        {%- endfor %}
        placed.is_crm or (not clusters.has_crm and placed.is_contact) as is_anchor
    from {{ ref('int_identity__placed') }} as placed
    inner join clusters on clusters.cluster = placed.cluster
),

met as (
    {%- for level in range(1, levels + 1) %}
    select anchors.node_key, {{ level }} as level
    from anchors
    inner join (
        select level_{{ level }} as label, min(node_key) as least_anchor, max(node_key) as greatest_anchor
        from anchors
        where is_anchor
        group by level_{{ level }}
    ) as found on found.label = anchors.level_{{ level }}
    where anchors.last_level >= {{ level }} and (found.least_anchor <> anchors.node_key or found.greatest_anchor <> anchors.node_key)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

strongest as (
    select node_key, min(level) as level
    from met
    group by node_key
),

{#- Who shares what would name it with several customers, and was not found otherwise. #}
ambiguous as (
    select node_a as node_key from {{ ref('int_identity__evidence') }} where blocked_by = 'several_customers'
    union
    select node_b from {{ ref('int_identity__evidence') }} where blocked_by = 'several_customers'
),

places as (
    select node_a as node_key, node_b as account_key
    from {{ ref('int_identity__evidence') }}
    where rule = 'email_domain' and blocked_by = 'account_only'
),

final as (
    select
        nodes.node_key,
        nodes.is_contact,
        nodes.source,
        nodes.system,
        nodes.contact_id,
        case
            when clusters.cluster is not null then coalesce(clusters.customer_key, -1)
            when nodes.is_contact then nodes.node_key
            else -1
        end as customer_key,
        coalesce(rules.rule, 'own') as match_rule,
        case
            when placed.is_conflict then 'conflict'
            when nodes.is_crm then 'customer'
            when rules.rule is not null then 'matched'
            when ambiguous.node_key is not null then 'ambiguous'
            else 'unmatched'
        end as match_status,
        coalesce(rules.confidence, 1) as match_confidence,
        coalesce(weakest.rule, 'own') as weakest_rule,
        placed.cluster,
        cast(coalesce(clusters.records, 1) as integer) as cluster_size,
        cast(coalesce(clusters.unmerged_records, 1) as integer) as unmerged_records,
        placed.is_conflict,
        coalesce(nodes.account_key, places.account_key, -1) as account_key
    from {{ ref('int_identity__placed') }} as placed
    inner join {{ ref('int_identity__node') }} as nodes on nodes.node_key = placed.node_key
    left join clusters on clusters.cluster = placed.cluster
    left join strongest on strongest.node_key = placed.node_key
    left join {{ ref('identity_rules') }} as rules on rules.rule_order = strongest.level
    left join {{ ref('identity_rules') }} as weakest on weakest.rule_order = clusters.weakest_level
    left join ambiguous on ambiguous.node_key = placed.node_key
    left join places on places.node_key = placed.node_key
    union all
    select
        contact_key,
        true,
        source,
        system,
        contact_id,
        -1,
        'none',
        'not_a_customer',
        0,
        'none',
        contact_key,
        1,
        1,
        false,
        -1
    from {{ ref('int_contact__unioned') }}
    where role = 'agent'
)

select
    node_key,
    is_contact,
    source,
    system,
    contact_id,
    customer_key,
    match_rule,
    match_status,
    match_confidence,
    weakest_rule,
    cluster,
    cluster_size,
    unmerged_records,
    is_conflict,
    account_key
from final
