{#-
    Accounts and what stands above them, without anything that names them. What lives here: how each is described. Not here:
    which records are one account and where it hangs (int_account__resolved).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['account_key'],
    touched_by="
        select account_key from {{ touched('int_account__resolved') }}
        union select resolved_account_key from {{ touched('int_account__resolved') }}
        union select account_key from {{ touched('dim_customer') }}
    "
) }}

with accounts as (
    select
        account_key,
        system,
        parent_account_key,
        root_account_key,
        depth,
        account_type,
        industry,
        employees,
        country,
        is_deleted,
        created_at
    from {{ ref('int_account__resolved') }}
    where account_key = resolved_account_key and {{ is_touched(['account_key']) }}
),

members as (
    select
        customers.account_key,
        count(*) as customers,
        min(segments.priority) as best_priority
    from {{ ref('dim_customer') }} as customers
    left join {{ ref('segments') }} as segments on segments.segment = customers.segment
    where {{ is_touched(['customers.account_key']) }}
    group by customers.account_key
),

final as (
    select
        accounts.account_key,
        accounts.system,
        accounts.parent_account_key,
        accounts.root_account_key,
        accounts.depth,
        accounts.account_type,
        accounts.industry,
        {{ size_band('accounts.employees') }} as size_band,
        coalesce(tiers.segment, 'none') as tier,
        accounts.country,
        coalesce(members.customers, 0) as customers,
        accounts.is_deleted,
        {{ local_date('accounts.created_at') }} as created_date
    from accounts
    left join members on members.account_key = accounts.account_key
    left join {{ ref('segments') }} as tiers on tiers.priority = members.best_priority
    union all
    select
        cast(-1 as bigint), 'unknown', cast(-1 as bigint), cast(-1 as bigint), 0, null, null, 'unknown', 'none', null,
        (select count(*) from {{ ref('dim_customer') }} where account_key = -1 and customer_key <> -1), false, null
    where {{ is_touched(['cast(-1 as bigint)']) }}
)

select * from final
