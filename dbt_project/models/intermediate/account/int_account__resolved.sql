{#-
    What each account record is, and what stands above it. What lives here: hierarchies of any depth. Not here: which record stands for
    which (int_account__survivor), who belongs to it (dim_account).

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

with recursive resolved as (
    select
        accounts.account_key,
        accounts.source,
        accounts.account_id,
        accounts.parent_account_id,
        accounts.created_at,
        survivors.survivor_key as resolved_account_key
    from {{ ref('int_account__unioned') }} as accounts
    inner join {{ ref('int_account__survivor') }} as survivors on survivors.account_key = accounts.account_key
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
inner join {{ ref('int_account__unioned') }} as accounts on accounts.account_key = resolved.resolved_account_key
inner join hierarchy on hierarchy.account_key = resolved.resolved_account_key
where {{ is_touched(['resolved.account_key']) }}
