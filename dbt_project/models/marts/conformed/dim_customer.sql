{#-
    Customers as they are now, whatever number of records they have. What lives here: their state on the business date, and whether they
    may be written to. Not here: what their records say (int_customer__profile), what they did (int_customer__activity), their segment
    (int_customer__segment), anything personal.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['customer_key'],
    touches=['country', 'segment', 'preferred_channel', 'account_key'],
    touched_by="
        select customer_key from {{ touched('int_customer__profile') }}
        union select customer_key from {{ touched('int_customer__activity') }}
        union select customer_key from {{ touched('int_customer__segment') }}
        union
        select customers.customer_key from {{ this }} as customers
        left join {{ ref('int_customer__opt_out') }} as opt_outs on opt_outs.customer_key = customers.customer_key
        where customers.has_left_surveys <> (opt_outs.customer_key is not null)
    "
) }}

with customers as (
    select
        profiles.customer_key,
        profiles.account_key,
        profiles.country,
        profiles.language,
        profiles.crm_segment,
        profiles.acquisition_source,
        profiles.has_opted_out,
        profiles.is_deleted,
        profiles.match_status,
        profiles.contact_records,
        {{ local_date('profiles.created_at') }} as created_on,
        activity.first_ordered_on,
        activity.last_ordered_on,
        coalesce(activity.orders_365_days, 0) > 0 as is_active,
        activity.preferred_channel,
        segments.segment,
        opt_outs.customer_key is not null as has_left_surveys
    from {{ ref('int_customer__profile') }} as profiles
    left join {{ ref('int_customer__activity') }} as activity on activity.customer_key = profiles.customer_key
    left join {{ ref('int_customer__segment') }} as segments on segments.customer_key = profiles.customer_key
    left join {{ ref('int_customer__opt_out') }} as opt_outs on opt_outs.customer_key = profiles.customer_key
    where {{ is_touched(['profiles.customer_key']) }}
),

final as (
    select
        customer_key,
        coalesce(account_key, -1) as account_key,
        country,
        language,
        crm_segment,
        coalesce(segment, 'unknown') as segment,
        preferred_channel,
        least(coalesce(created_on, first_ordered_on), coalesce(first_ordered_on, created_on)) as acquired_date,
        acquisition_source,
        case
            when is_deleted then 'deleted'
            when last_ordered_on is null then 'prospect'
            when is_active then 'active'
            else 'churned'
        end as status,
        first_ordered_on,
        last_ordered_on,
        match_status,
        contact_records,
        has_opted_out,
        has_left_surveys,
        not is_deleted and not coalesce(has_opted_out, true) and not has_left_surveys as may_contact
    from customers
    union all
    select
        cast(-1 as bigint), cast(-1 as bigint), null, null, null, 'unknown', null, null, null, 'unknown', null, null, 'unknown', 0, null, false, false
    where {{ is_touched(['cast(-1 as bigint)']) }}
)

select * from final
