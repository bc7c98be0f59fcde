{{ config(materialized='table') }}

{#-
    Why two records are one person. What lives here: every rule of seed identity_rules together, the account an address's domain
    stands for, and what forbids an edge: blocked_by says which, and such a row joins nothing. Not here: the rules themselves
    (int_identity__same, int_identity__named, int_identity__found), what follows from the edges (int_identity__component), which
    components stand (int_identity__resolved).
-#}
with domains as materialized (
    select points.contact_key as node_key, split_part(points.value, '@', 2) as domain
    from {{ ref('int_identity__contact_point') }} as points
    where
        points.kind = 'email'
        and not points.is_former
        and split_part(points.value, '@', 2) not in (select value from {{ ref('identity_exclusions') }} where kind = 'public_domain')
),

account_domains as (
    select domains.domain, min(nodes.account_key) as account_key
    from domains
    inner join {{ ref('int_identity__node') }} as nodes on nodes.node_key = domains.node_key
    where nodes.is_crm and nodes.is_live and nodes.account_key is not null
    group by domains.domain
    having count(distinct nodes.account_key) = 1
),

places as (
    select domains.node_key as node_a, min(account_domains.account_key) as node_b
    from domains
    inner join {{ ref('int_identity__node') }} as nodes on nodes.node_key = domains.node_key and nodes.account_key is null
    inner join account_domains on account_domains.domain = domains.domain
    group by domains.node_key
    having count(distinct account_domains.account_key) = 1
),

unioned as (
    select node_a, node_b, rule, evidence, cast(null as varchar) as blocked_by from {{ ref('int_identity__same') }}
    union all
    select node_a, node_b, rule, evidence, null from {{ ref('int_identity__named') }}
    union all
    select node_a, node_b, rule, evidence, case when is_ambiguous then 'several_customers' end from {{ ref('int_identity__found') }}
    {#- Those whose record names no account belong to the one that their company's domain stands for. #}
    union all
    select node_a, node_b, 'email_domain', 'The domain of the e-mail address belongs to this account alone.', 'account_only'
    from places
),

{#- Two records may meet in a rule by several values; one that may join them is enough. #}
edges as (
    select
        least(node_a, node_b) as node_a,
        greatest(node_a, node_b) as node_b,
        rule,
        bool_or(blocked_by is null) as is_free,
        min(blocked_by) as blocked_by,
        min_by(evidence, case when blocked_by is null then 0 else 1 end || evidence) as evidence
    from unioned
    where node_a <> node_b and rule <> 'email_domain'
    group by least(node_a, node_b), greatest(node_a, node_b), rule
    union all
    select node_a, node_b, rule, false, blocked_by, evidence from unioned where rule = 'email_domain'
),

apart as (
    select distinct least(node_a, node_b) as node_a, greatest(node_a, node_b) as node_b
    from ({{ known_overrides() }}) as overrides
    where action = 'keep_apart'
),

final as (
    select
        edges.node_a,
        edges.node_b,
        edges.rule,
        rules.rule_order,
        rules.confidence,
        edges.evidence,
        case
            when apart.node_a is not null and edges.rule <> 'manual_merge' then 'keep_apart'
            when not edges.is_free then edges.blocked_by
            when not rules.is_enabled then 'disabled'
        end as blocked_by
    from edges
    inner join {{ ref('identity_rules') }} as rules on rules.rule = edges.rule
    left join apart on apart.node_a = edges.node_a and apart.node_b = edges.node_b
)

select
    node_a,
    node_b,
    rule,
    rule_order,
    confidence,
    evidence,
    blocked_by
from final
