{{ config(materialized='view', incremental_strategy=none) }}

{#-
    Whom a record's addresses and numbers lead to. What lives here: the rules by contact points, and whether several customers own
    one. Not here: which contact points may name anybody (int_identity__point).

    Rules by contact points ask how many customers of a CRM have one: the living, else the deleted, else, where no CRM
    has any, the records of other systems. Two sources may know one person each, so it is a single customer in each of them
    that makes it name a person; two of one source are two people.
-#}

{#-
    What rules compare: the value, with the name or the account where a rule asks for those too. The best rank that has a
    clue owns it.
#}
with clues as materialized (
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
        from {{ ref('int_identity__point') }}
        where kind = 'email' and not is_former
        union all
        select
            'former_email_and_name', value || ' ' || full_name, node_key, source, is_contact, is_crm, is_live, full_name,
            is_former
        from {{ ref('int_identity__point') }}
        where kind = 'email' and full_name is not null and not is_shared_inbox
        union all
        select 'phone_and_name', value || ' ' || full_name, node_key, source, is_contact, is_crm, is_live, full_name, is_former
        from {{ ref('int_identity__point') }}
        where kind = 'phone' and full_name is not null
        union all
        select
            'phone_and_account', value || ' ' || account_key, node_key, source, is_contact, is_crm, is_live, full_name,
            is_former
        from {{ ref('int_identity__point') }}
        where kind = 'phone' and account_key is not null
    ) as points
    inner join {{ ref('int_identity__person') }} as people on people.node_key = points.node_key
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
)

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
    || case when is_ambiguous then ', but so has another customer.' else '.' end as evidence,
    is_ambiguous
from found
