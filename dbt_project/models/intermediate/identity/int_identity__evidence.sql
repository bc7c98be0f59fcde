{{ config(materialized='table') }}

{#-
    Why two records are one person. What lives here: every rule of seed identity_rules, one CTE each, over all nodes, and what
    forbids an edge: blocked_by says which, and such a row joins nothing. Not here: what follows from the edges
    (int_identity__component), which components stand (int_identity__resolved).

    Rules by contact points ask how many customers of a CRM have one: the living, else the deleted, else, where no CRM
    has any, the records of other systems. Two sources may know one person each, so it is a single customer in each of them
    that makes it name a person; two of one source are two people.
-#}
with recursive nodes as materialized (
    select node_key, is_contact, source, contact_id, named_id, personal_email, is_crm, is_live, full_name, account_key
    from {{ ref('int_identity__node') }}
),

overrides as materialized (
    {{ known_overrides() }}
),

manual_merges as (
    select node_a, node_b, 'manual_merge' as rule, 'A person decided that both are one.' as evidence
    from overrides
    where action = 'merge'
),

vendor_merges as (
    select
        merged.contact_key as node_a,
        surviving.contact_key as node_b,
        'vendor_merge' as rule,
        'The source system merged one record into the other.' as evidence
    from {{ ref('int_contact__unioned') }} as merged
    inner join {{ ref('int_contact__unioned') }} as surviving
        on surviving.source = merged.source
        and surviving.contact_id = merged.merged_into_contact_id
),

contact_points as materialized (
    select
        nodes.node_key,
        nodes.source,
        nodes.is_contact,
        nodes.is_crm,
        nodes.is_live,
        nodes.full_name,
        nodes.account_key,
        points.kind,
        points.value,
        points.is_former
    from {{ ref('int_identity__contact_point') }} as points
    inner join nodes on nodes.node_key = points.contact_key
    where points.is_personal
    union all
    select node_key, source, is_contact, is_crm, is_live, full_name, account_key, 'email', personal_email, false
    from nodes
    where personal_email is not null
),

{#- An address that more than two living contacts of one CRM have is an inbox of several people, equal names or not. #}
shared_addresses as (
    select distinct value
    from contact_points
    where kind = 'email' and is_crm and is_live and not is_former
    group by value, source
    having count(*) > 2
),

equal_records as (
    select
        node_key as node_a,
        min(node_key) over (partition by value, full_name) as node_b,
        'email_and_name' as rule,
        'Both have the same e-mail address and the same name.' as evidence
    from contact_points
    where
        kind = 'email'
        and not is_former
        and is_contact
        and full_name is not null
        and value not in (select value from shared_addresses)
),

{#- A number that people of different names have may be a household's or a company's, so it names nobody there. #}
numbers_of_one_name as (
    select value
    from contact_points
    where kind = 'phone' and is_crm and is_live and not is_former
    group by value
    having count(distinct full_name) = 1
),

equal_callers as (
    select
        node_key as node_a,
        min(node_key) over (partition by value, full_name, account_key) as node_b,
        'phone_name_and_account' as rule,
        'Both have the same phone number, the same name and the same account.' as evidence
    from contact_points
    where
        kind = 'phone'
        and not is_former
        and is_crm
        and full_name is not null
        and account_key is not null
        and value in (select value from numbers_of_one_name)
),

{#- Who is one customer already: what rules must not find twice. #}
base_edges as materialized (
    select edges.node_a, edges.node_b
    from (
        select node_a, node_b, rule from manual_merges
        union all select node_a, node_b, rule from vendor_merges
        union all select node_a, node_b, rule from equal_records
        union all select node_a, node_b, rule from equal_callers
    ) as edges
    inner join {{ ref('identity_rules') }} as rules on rules.rule = edges.rule and rules.is_enabled
    anti join overrides as apart
        on apart.action = 'keep_apart'
        and least(apart.node_a, apart.node_b) = least(edges.node_a, edges.node_b)
        and greatest(apart.node_a, apart.node_b) = greatest(edges.node_a, edges.node_b)
    where edges.node_a <> edges.node_b
),

{{ connected_components('base_component', 'base_edges') }},

people as materialized (
    select
        nodes.node_key,
        nodes.source,
        nodes.contact_id,
        nodes.is_contact,
        nodes.is_crm,
        nodes.named_id,
        nodes.full_name,
        coalesce(base_component.label, nodes.node_key) as person
    from nodes
    left join base_component on base_component.node_key = nodes.node_key
),

{#- The ids of CRMs, and whom an id names by itself; several CRMs may give the same id to different people. #}
crm_records as materialized (
    select {{ salesforce_id('contact_id') }} as crm_id, source, node_key, person
    from people
    where is_crm
),

crm_ids as materialized (
    select crm_id, min(node_key) as node_key
    from crm_records
    group by crm_id
    having count(distinct person) = 1
),

{#- An id that a record holds is one of another source, so that its own CRM may give that id to somebody else. #}
named_records as (
    select
        people.node_key as node_a,
        min(crm_records.node_key) as node_b,
        'external_id' as rule,
        case when people.is_contact then 'One record holds the id of the other.' else 'A survey or request names the record by its id.' end
            as evidence
    from people
    inner join crm_records
        on crm_records.crm_id = {{ salesforce_id('people.named_id') }}
        and crm_records.source <> people.source
    group by people.node_key, people.is_contact
    having count(distinct crm_records.person) = 1
),

asked as (
    select respondent_key, requester_key from {{ ref('int_identity__respondent') }}
    union
    select respondent_key, requester_respondent_key from {{ ref('int_identity__respondent') }}
),

{#- Between two records of the CRM a survey about a ticket proves nothing: somebody may answer for somebody else. #}
requesters as (
    select
        asked.respondent_key as node_a,
        asked.requester_key as node_b,
        'ticket_requester' as rule,
        'The other was asked in a survey about a ticket of one.' as evidence
    from asked
    inner join people as answering on answering.node_key = asked.respondent_key
    inner join people as asking on asking.node_key = asked.requester_key
    left join crm_ids on crm_ids.crm_id = {{ salesforce_id('answering.named_id') }}
    where not asking.is_crm or crm_ids.crm_id is null
),

buyers as (
    select
        requesters.node_key as node_a,
        bought.node_key as node_b,
        'order_buyer' as rule,
        'One asked for help with an order of the other, and both have the same name.' as evidence
    from {{ ref('int_identity__buyer') }} as orders
    inner join people as requesters on requesters.node_key = orders.requester_key
    left join people as own_buyers on own_buyers.source = orders.buyer_source and own_buyers.contact_id = orders.buyer_id
    left join crm_ids on crm_ids.crm_id = {{ salesforce_id('orders.buyer_id') }}
    inner join people as bought on bought.node_key = coalesce(own_buyers.node_key, crm_ids.node_key)
    where
        requesters.full_name = bought.full_name
        and not (requesters.is_crm and bought.is_crm and requesters.source = bought.source)
),

{#-
    What rules compare: the value, with the name or the account where a rule asks for those too. The best rank that has a
    clue owns it.
#}
clues as materialized (
    select
        points.rule,
        points.clue,
        points.node_key,
        points.source,
        points.is_crm,
        points.full_name,
        points.is_former,
        people.person,
        case when points.is_crm and points.is_live then 1 when points.is_crm then 2 when points.is_contact then 3 end as rank
    from (
        select 'email' as rule, value as clue, node_key, source, is_contact, is_crm, is_live, full_name, is_former
        from contact_points
        where kind = 'email' and not is_former
        union all
        select
            'former_email_and_name', value || ' ' || full_name, node_key, source, is_contact, is_crm, is_live, full_name,
            is_former
        from contact_points
        where kind = 'email' and full_name is not null and value not in (select value from shared_addresses)
        union all
        select 'phone_and_name', value || ' ' || full_name, node_key, source, is_contact, is_crm, is_live, full_name, is_former
        from contact_points
        where kind = 'phone' and full_name is not null
        union all
        select
            'phone_and_account', value || ' ' || account_key, node_key, source, is_contact, is_crm, is_live, full_name,
            is_former
        from contact_points
        where kind = 'phone' and account_key is not null
    ) as points
    inner join people on people.node_key = points.node_key
),

owners as materialized (
    select
        rule,
        clue,
        source,
        rank,
        person,
        full_name,
        min(node_key) as node_key,
        bool_and(is_former) as is_former
    from (
        select
            rule, clue, source, rank, person, full_name, node_key, is_former,
            min(rank) over (partition by rule, clue) as best_rank
        from clues
        where rank is not null
    ) as ranked
    where rank = best_rank
    group by rule, clue, source, rank, person, full_name
),

{#- Whom a record's clue leads to in each source. #}
led_to as (
    select
        others.node_key,
        others.is_crm,
        others.rule,
        others.clue,
        owners.source = others.source as is_own_source,
        min(owners.node_key) as owner_key,
        min(owners.rank) as rank,
        bool_or(others.is_former or owners.is_former) as is_former,
        count(distinct owners.person) as persons,
        bool_or(owners.person = others.person) as is_itself
    from clues as others
    inner join owners on owners.rule = others.rule and owners.clue = others.clue
    where
        (others.rule <> 'former_email_and_name' or others.is_former or owners.is_former)
        and (others.rule <> 'phone_and_account' or {{ names_may_agree('others.full_name', 'owners.full_name') }})
    group by others.node_key, others.is_crm, others.rule, others.clue, others.source, owners.source
),

{#- A record of a CRM whose clue somebody else of that CRM owns is two people's; it looks for itself in other sources only. #}
found as (
    select
        node_key as node_a,
        min(owner_key) as node_b,
        rule,
        bool_or(is_former) as is_former,
        {#- Records that no customer of the CRM owns are one by their name alone, however many they are. #}
        max(persons) > 1 and (min(rank) < 3 or rule not in ('phone_and_name', 'former_email_and_name')) as is_ambiguous
    from led_to
    group by node_key, is_crm, rule, clue
    having
        (not is_crm or bool_and(not is_own_source or (is_itself and persons = 1)))
        and (not bool_or(is_itself) or (not bool_and(is_itself and persons = 1) and (is_crm or min(rank) = 3)))
),

{#- The account a company's own domain stands for, for those whose record names none. #}
domains as materialized (
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
    inner join nodes on nodes.node_key = domains.node_key
    where nodes.is_crm and nodes.is_live and nodes.account_key is not null
    group by domains.domain
    having count(distinct nodes.account_key) = 1
),

places as (
    select domains.node_key as node_a, min(account_domains.account_key) as node_b
    from domains
    inner join nodes on nodes.node_key = domains.node_key and nodes.account_key is null
    inner join account_domains on account_domains.domain = domains.domain
    group by domains.node_key
    having count(distinct account_domains.account_key) = 1
),

unioned as (
    select node_a, node_b, rule, evidence, cast(null as varchar) as blocked_by from manual_merges
    union all select node_a, node_b, rule, evidence, null from vendor_merges
    union all select node_a, node_b, rule, evidence, null from equal_records
    union all select node_a, node_b, rule, evidence, null from equal_callers
    union all select node_a, node_b, rule, evidence, null from named_records
    union all select node_a, node_b, rule, evidence, null from requesters
    union all select node_a, node_b, rule, evidence, null from buyers
    union all
    select
        node_a,
        node_b,
        rule,
        case rule
            when 'email' then 'Both have the same e-mail address'
            when 'former_email_and_name' then 'Both have the same name, and one has an e-mail address that the other had before'
            when 'phone_and_name' then 'Both have the same phone number and the same name'
            else 'Both have the same phone number in the same account, and names that do not contradict each other'
        end
        || case when is_former and rule in ('phone_and_name', 'phone_and_account') then ', the number of one being a former one' else '' end
        || case when is_ambiguous then ', but so has another customer.' else '.' end,
        case when is_ambiguous then 'several_customers' end
    from found
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
    from overrides
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
