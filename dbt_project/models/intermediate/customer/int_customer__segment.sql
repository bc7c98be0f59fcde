{#-
    The segment of each customer on the business date. What lives here: the first rule, by priority, of which every condition that is
    given holds. Not here: the rules (seed segments), which segment a past month had (fct_customer_month).
-#}
{{ config(
    touched_key=['customer_key'],
    touched_by="
        select customer_key from {{ touched('int_customer__profile') }}
        union select customer_key from {{ touched('int_customer__activity') }}
        union
        select customer_key from {{ ref('int_customer__profile') }}
        where account_key in (select account_key from {{ touched('int_account__resolved') }})
    "
) }}

with first_rules as (
    select
        customers.customer_key,
        min(rules.priority) as priority
    from {{ ref('int_customer__profile') }} as customers
    left join {{ ref('int_account__resolved') }} as accounts on accounts.account_key = customers.account_key
    left join {{ ref('int_customer__activity') }} as activity on activity.customer_key = customers.customer_key
    inner join {{ ref('segments') }} as rules
        on {{ segment_rule_fits(
            'rules',
            'customers.crm_segment',
            'customers.country',
            'accounts.account_type',
            'coalesce(accounts.is_business, false)',
            'activity.orders_365_days',
            'activity.net_amount_365_days',
            'activity.only_currency_365_days'
        ) }}
    where {{ is_touched(['customers.customer_key']) }}
    group by customers.customer_key
)

select
    first_rules.customer_key,
    rules.segment
from first_rules
inner join {{ ref('segments') }} as rules on rules.priority = first_rules.priority
