{#-
    Which record stands for each account record. What lives here: vendors' merges, in any number of steps, and records of other systems
    that name an account of a CRM. Not here: what stands above an account (int_account__resolved).

    One changed record can move many, so everything is worked out again when any record changed, and only what moved is told.
-#}
{{ config(
    touched_key=['account_key'],
    touched_by="
        select account_key from {{ ref('int_account__unioned') }}
        where exists (select 1 from {{ touched('int_account__unioned') }})
        union
        select account_key from {{ this }}
        where exists (select 1 from {{ touched('int_account__unioned') }})
    "
) }}

{#- The one account of a CRM that a record of another source names; several CRMs may give the same id to different accounts. -#}
with recursive named as (
    select
        records.account_key,
        min(crm_accounts.account_key) as named_key
    from {{ ref('int_account__unioned') }} as records
    inner join {{ ref('int_account__unioned') }} as crm_accounts
        on {{ salesforce_id('crm_accounts.account_id') }} = {{ salesforce_id('records.external_account_id') }}
        and crm_accounts.source <> records.source
    where {{ is_crm('crm_accounts.source') }}
    group by records.account_key
    having count(*) = 1
),

{#- Where each merged or folded record leads, in any number of steps; one that leads nowhere known stays where it is. -#}
redirects as (
    select
        records.account_key,
        coalesce(survivors.account_key, named.named_key) as next_key
    from {{ ref('int_account__unioned') }} as records
    left join {{ ref('int_account__unioned') }} as survivors
        on survivors.source = records.source
        and survivors.account_id = records.merged_into_account_id
    left join named on named.account_key = records.account_key
    where coalesce(survivors.account_key, named.named_key) <> records.account_key
),

reachable as (
    select
        account_key,
        next_key as reached_key
    from redirects
    union
    select
        reachable.account_key,
        redirects.next_key
    from reachable
    inner join redirects on redirects.account_key = reachable.reached_key
),

{#- The end of the chain; among records that were merged in a ring, the one with the lowest key. -#}
survivors as (
    select
        reachable.account_key,
        coalesce(
            min(case when redirects.account_key is null then reachable.reached_key end),
            min(case when rings.account_key is not null then reachable.reached_key end)
        ) as survivor_key
    from reachable
    left join redirects on redirects.account_key = reachable.reached_key
    left join reachable as rings
        on rings.account_key = reachable.reached_key
        and rings.reached_key = reachable.reached_key
    group by reachable.account_key
)

select
    accounts.account_key,
    coalesce(survivors.survivor_key, accounts.account_key) as survivor_key
from {{ ref('int_account__unioned') }} as accounts
left join survivors on survivors.account_key = accounts.account_key
where {{ is_touched(['accounts.account_key']) }}
