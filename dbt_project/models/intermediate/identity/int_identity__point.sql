{{ config(materialized='table') }}

{#-
    The contact points of whoever may be a person, respondents included, and how far each may name somebody. What lives here: which
    address is an inbox of several people, which number a household's or a company's. Not here: how a contact point is
    spelled (int_identity__contact_point), what two records with one contact point are (int_identity__found).
-#}
with points as (
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
    inner join {{ ref('int_identity__node') }} as nodes on nodes.node_key = points.contact_key
    where points.is_personal
    union all
    select node_key, source, is_contact, is_crm, is_live, full_name, account_key, 'email', personal_email, false
    from {{ ref('int_identity__node') }}
    where personal_email is not null
),

{#- An address that more than two living contacts of one CRM have is an inbox of several people, equal names or not. #}
shared_addresses as (
    select distinct value
    from points
    where kind = 'email' and is_crm and is_live and not is_former
    group by value, source
    having count(*) > 2
),

{#- A number that people of different names have may be a household's or a company's, so it names nobody there. #}
numbers_of_one_name as (
    select value
    from points
    where kind = 'phone' and is_crm and is_live and not is_former
    group by value
    having count(distinct full_name) = 1
)

select
    node_key,
    source,
    is_contact,
    is_crm,
    is_live,
    full_name,
    account_key,
    kind,
    value,
    is_former,
    kind = 'email' and value in (select value from shared_addresses) as is_shared_inbox,
    kind = 'phone' and value in (select value from numbers_of_one_name) as is_of_one_name
from points
