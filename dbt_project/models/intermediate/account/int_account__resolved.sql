{#-
    Which account each account record is, and what stands above it. What lives here: vendors' merges, records of
    other systems that name an account of a CRM, hierarchies of any depth. Not here: who belongs to it (dim_account).

    A parent that was merged away is its survivor; one that was deleted stays. Accounts that stand above each other in a
    ring have no top, so the oldest of the ring (then the lowest key) becomes it. One changed record can move a whole tree,
    so everything is worked out again when any record changed, and only what moved is told.
-#}
{{ config(
    touched_key=['account_key'],
    touches=['resolved_account_key'],
    touched_by="
        select account_key from {{ ref('int_account__unioned') }}
        where exists (select 1 from {{ touched('int_account__unioned') }})
        union
        select account_key from {{ this }}
        where exists (select 1 from {{ touched('int_account__unioned') }})
    "
) }}

with recursive accounts as (
    select
        account_key,
        source,
        system,
        account_id,
        external_account_id,
        parent_account_id,
        merged_into_account_id,
        account_type,
        industry,
        country,
        employees,
        created_at,
        is_deleted
    from {{ ref('int_account__unioned') }}
),

{#- The one account of a CRM that a record of another source names; several CRMs may give the same id to different accounts. -#}
named as (
    select
        records.account_key,
        min(crm_accounts.account_key) as named_key
    from accounts as records
    inner join accounts as crm_accounts
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
    from accounts as records
    left join accounts as survivors
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
),

resolved as (
    select
        accounts.account_key,
        accounts.source,
        accounts.account_id,
        accounts.parent_account_id,
        accounts.created_at,
        coalesce(survivors.survivor_key, accounts.account_key) as resolved_account_key
    from accounts
    left join survivors on survivors.account_key = accounts.account_key
),

links as (
    select
        children.account_key,
        parents.resolved_account_key as parent_key
    from resolved as children
    inner join resolved as parents
        on parents.source = children.source
        and parents.account_id = children.parent_account_id
    where
        children.account_key = children.resolved_account_key
        and parents.resolved_account_key <> children.account_key
),

below_roots as (
    select
        resolved.account_key,
        cast(-1 as bigint) as parent_key,
        resolved.account_key as root_key,
        0 as depth
    from resolved
    left join links on links.account_key = resolved.account_key
    where resolved.account_key = resolved.resolved_account_key and links.account_key is null
    union all
    select
        links.account_key,
        links.parent_key,
        below_roots.root_key,
        below_roots.depth + 1
    from below_roots
    inner join links on links.parent_key = below_roots.account_key
),

{#- What hangs from no root is in a ring or below one. -#}
rootless as (
    select
        links.account_key,
        links.parent_key
    from links
    left join below_roots on below_roots.account_key = links.account_key
    where below_roots.account_key is null
),

above as (
    select
        account_key,
        parent_key as reached_key
    from rootless
    union
    select
        above.account_key,
        rootless.parent_key
    from above
    inner join rootless on rootless.account_key = above.reached_key
),

ring_tops as (
    select account_key
    from (
        select
            above.account_key,
            above.reached_key,
            row_number() over (partition by above.account_key order by resolved.created_at nulls last, resolved.account_key) as age_rank
        from above
        inner join resolved on resolved.account_key = above.reached_key
    ) as members
    where age_rank = 1 and reached_key = account_key
),

below_rings as (
    select
        account_key,
        cast(-1 as bigint) as parent_key,
        account_key as root_key,
        0 as depth
    from ring_tops
    union all
    select
        rootless.account_key,
        rootless.parent_key,
        below_rings.root_key,
        below_rings.depth + 1
    from below_rings
    inner join rootless on rootless.parent_key = below_rings.account_key
    left join ring_tops on ring_tops.account_key = rootless.account_key
    where ring_tops.account_key is null
),

hierarchy as (
    select account_key, parent_key, root_key, depth from below_roots
    union all
    select account_key, parent_key, root_key, depth from below_rings
)

select
    resolved.account_key,
    resolved.resolved_account_key,
    hierarchy.parent_key as parent_account_key,
    hierarchy.root_key as root_account_key,
    cast(hierarchy.depth as integer) as depth,
    accounts.system,
    accounts.account_type,
    {{ is_business_account('accounts.account_type', 'accounts.industry', 'accounts.employees') }} as is_business,
    accounts.industry,
    accounts.country,
    accounts.employees,
    accounts.created_at,
    accounts.is_deleted
from resolved
inner join accounts on accounts.account_key = resolved.resolved_account_key
inner join hierarchy on hierarchy.account_key = resolved.resolved_account_key
where {{ is_touched(['resolved.account_key']) }}
