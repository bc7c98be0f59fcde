{{ config(materialized='view', incremental_strategy=none) }}

{#-
    Whom a record names, or is about. What lives here: the rules by ids that records hold, by who asked in a ticket or was asked in a
    survey about it, by whose order a ticket names. Not here: rules by marks that two records share (int_identity__found).
-#}
with people as materialized (
    select node_key, source, contact_id, is_contact, is_crm, named_id, full_name, person from {{ ref('int_identity__person') }}
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
)

select node_a, node_b, rule, evidence from named_records
union all
select node_a, node_b, rule, evidence from requesters
union all
select node_a, node_b, rule, evidence from buyers
