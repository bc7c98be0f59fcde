{#-
    Customers as they are now, whatever number of records they have. What lives here: which record's word counts, and
    their state and segment on the business date. Not here: which records are one person (map_customer_identity), the rules of
    segments (seed segments), anything personal.

    The record in the CRM speaks first, then the oldest; an attribute it lacks comes from the next.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['customer_key'],
    touches=['country', 'segment', 'preferred_channel', 'account_key'],
    touched_by="
        select customer_key from {{ touched('map_customer_identity') }}
        union
        select customer_key from {{ ref('map_customer_identity') }}
        where contact_key in (select contact_key from {{ touched('int_contact__unioned') }})
        union
        select customer_key from {{ this }}
        where account_key in (select account_key from {{ touched('int_account__resolved') }})
        union select customer_key from {{ touched('fct_order') }}
        union select customer_key from {{ touched('fct_journey_event') }}
        union
        select orders.customer_key from {{ ref('fct_order') }} as orders
        cross join {{ night() }} as night
        where
            {%- for turn in [date_of_key('orders.ordered_date_key'), active_until(date_of_key('orders.ordered_date_key'))] %}
            {{ 'or ' if not loop.first }}(
                {{ turn }} > least(night.previous_as_of, night.as_of) and {{ turn }} <= greatest(night.previous_as_of, night.as_of)
            )
            {%- endfor %}
        union
        select customers.customer_key from {{ this }} as customers
        left join ({{ survey_opt_outs() }}) as opt_outs on opt_outs.customer_key = customers.customer_key
        where customers.has_left_surveys <> (opt_outs.customer_key is not null)
    "
) }}

with night as (
    select as_of from {{ night() }}
),

records as (
    select
        identity.customer_key,
        contacts.contact_key,
        contacts.country,
        contacts.language,
        contacts.segment,
        contacts.acquisition_source,
        contacts.has_opted_out,
        contacts.created_at,
        contacts.is_deleted,
        identity.match_status,
        row_number() over by_rank as record_rank,
        first_value(contacts.country ignore nulls) over best as best_country,
        first_value(contacts.language ignore nulls) over best as best_language,
        first_value(contacts.segment ignore nulls) over best as best_segment,
        first_value(contacts.acquisition_source ignore nulls) over best as best_acquisition_source,
        first_value(nullif(identity.account_key, -1) ignore nulls) over best as best_account_key
    from {{ ref('map_customer_identity') }} as identity
    inner join {{ ref('int_contact__unioned') }} as contacts on contacts.contact_key = identity.contact_key
    where identity.customer_key <> -1 and {{ is_touched(['identity.customer_key']) }}
    window
        by_rank as (
            partition by identity.customer_key
            order by
                contacts.is_deleted,
                case when {{ is_crm('contacts.source') }} then 0 else 1 end,
                contacts.created_at nulls last,
                contacts.contact_key
        ),
        best as (
            partition by identity.customer_key
            order by
                contacts.is_deleted,
                case when {{ is_crm('contacts.source') }} then 0 else 1 end,
                contacts.created_at nulls last,
                contacts.contact_key
            rows between unbounded preceding and unbounded following
        )
),

customers as (
    select
        customer_key,
        max(case when record_rank = 1 then best_country end) as country,
        max(case when record_rank = 1 then best_language end) as language,
        max(case when record_rank = 1 then best_segment end) as crm_segment,
        max(case when record_rank = 1 then best_acquisition_source end) as acquisition_source,
        max(case when record_rank = 1 then best_account_key end) as account_key,
        max(case when has_opted_out then 1 when not has_opted_out then 0 end) = 1 as has_opted_out,
        min(created_at) as created_at,
        min(case when is_deleted then 1 else 0 end) = 1 as is_deleted,
        case
            when max(case when match_status = 'matched' then 1 else 0 end) = 1 then 'matched'
            when max(case when match_status = 'customer' then 1 else 0 end) = 1 then 'customer'
            when max(case when match_status = 'conflict' then 1 else 0 end) = 1 then 'conflict'
            when max(case when match_status = 'ambiguous' then 1 else 0 end) = 1 then 'ambiguous'
            else 'unmatched'
        end as match_status,
        cast(count(contact_key) as integer) as contact_records
    from records
    group by customer_key
),

orders as (
    select
        orders.customer_key,
        {{ date_of_key('min(orders.ordered_date_key)') }} as first_ordered_on,
        {{ date_of_key('max(orders.ordered_date_key)') }} as last_ordered_on,
        sum(case when {{ is_active_on(date_of_key('orders.ordered_date_key'), 'night.as_of') }} then 1 else 0 end) as orders_365_days
    from {{ ref('fct_order') }} as orders
    cross join night
    where
        orders.is_counted
        and orders.ordered_date_key <= {{ date_key('night.as_of') }}
        and {{ is_touched(['orders.customer_key']) }}
    group by orders.customer_key
),

{#- Money is compared in one currency only: whoever paid in several is judged by the number of orders. -#}
spending as (
    select
        orders.customer_key,
        min(orders.currency) as currency,
        sum(orders.net_amount) as net_amount_365_days
    from {{ ref('fct_order') }} as orders
    cross join night
    where
        orders.is_counted
        and orders.ordered_date_key <= {{ date_key('night.as_of') }}
        and {{ is_active_on(date_of_key('orders.ordered_date_key'), 'night.as_of') }}
        and {{ is_touched(['orders.customer_key']) }}
    group by orders.customer_key
    having count(distinct orders.currency) = 1
),

channels as (
    select customer_key, channel
    from (
        select
            customer_key,
            channel,
            row_number() over (partition by customer_key order by count(*) desc, channel) as popularity
        from {{ ref('fct_journey_event') }}
        where direction = 'inbound' and channel not in ('unknown', 'other') and {{ is_touched(['customer_key']) }}
        group by customer_key, channel
    ) as counted
    where popularity = 1
),

opt_outs as (
    {{ survey_opt_outs() }}
),

{#- The first rule, by priority, of which every condition that is given holds. -#}
first_rules as (
    select
        customers.customer_key,
        min(rules.priority) as priority
    from customers
    left join {{ ref('int_account__resolved') }} as accounts on accounts.account_key = customers.account_key
    left join orders on orders.customer_key = customers.customer_key
    left join spending on spending.customer_key = customers.customer_key
    inner join {{ ref('segments') }} as rules
        on {{ segment_rule_fits(
            'rules',
            'customers.crm_segment',
            'customers.country',
            'accounts.account_type',
            'coalesce(accounts.is_business, false)',
            'orders.orders_365_days',
            'spending.net_amount_365_days',
            'spending.currency'
        ) }}
    group by customers.customer_key
),

final as (
    select
        customers.customer_key,
        coalesce(customers.account_key, -1) as account_key,
        customers.country,
        customers.language,
        customers.crm_segment,
        coalesce(rules.segment, 'unknown') as segment,
        channels.channel as preferred_channel,
        least(
            coalesce({{ local_date('customers.created_at') }}, orders.first_ordered_on),
            coalesce(orders.first_ordered_on, {{ local_date('customers.created_at') }})
        ) as acquired_date,
        customers.acquisition_source,
        case
            when customers.is_deleted then 'deleted'
            when orders.last_ordered_on is null then 'prospect'
            when {{ is_active_on('orders.last_ordered_on', 'night.as_of') }} then 'active'
            else 'churned'
        end as status,
        orders.first_ordered_on,
        orders.last_ordered_on,
        customers.match_status,
        customers.contact_records,
        customers.has_opted_out,
        opt_outs.customer_key is not null as has_left_surveys,
        not customers.is_deleted and not coalesce(customers.has_opted_out, true) and opt_outs.customer_key is null as may_contact
    from customers
    cross join night
    left join orders on orders.customer_key = customers.customer_key
    left join channels on channels.customer_key = customers.customer_key
    left join opt_outs on opt_outs.customer_key = customers.customer_key
    left join first_rules on first_rules.customer_key = customers.customer_key
    left join {{ ref('segments') }} as rules on rules.priority = first_rules.priority
    union all
    select
        cast(-1 as bigint), cast(-1 as bigint), null, null, null, 'unknown', null, null, null, 'unknown', null, null, 'unknown', 0, null, false, false
    where {{ is_touched(['cast(-1 as bigint)']) }}
)

select * from final
