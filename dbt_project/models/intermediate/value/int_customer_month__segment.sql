{#-
    In which segment a customer was at the end of each month. What lives here: the first rule, by priority, that fitted then. Not here: the
    rules (seed segments), the segment of today (int_customer__segment).
-#}
{{ config(
    touched_key=['customer_key', 'month_start'],
    touched_by="
        select customer_key, month_start from {{ touched('int_customer_month__standing') }}
        union
        select customer_key, month_start from {{ ref('int_customer_month__standing') }}
        where customer_key in (select customer_key from {{ touched('int_customer__attributes') }})
    "
) }}

with stood as (
    select
        standings.customer_key,
        standings.month_start,
        attributes.crm_segment,
        attributes.country,
        attributes.account_type,
        attributes.is_business,
        standings.orders_365_days,
        standings.any_amount_365_days,
        standings.only_currency_365_days
    from {{ ref('int_customer_month__standing') }} as standings
    inner join {{ ref('int_customer__attributes') }} as attributes on attributes.customer_key = standings.customer_key
    where {{ is_touched(['standings.customer_key', 'standings.month_start']) }}
),

first_rules as (
    select
        stood.customer_key,
        stood.month_start,
        min(rules.priority) as priority
    from stood
    inner join {{ ref('segments') }} as rules
        on {{ segment_rule_fits(
            'rules', 'stood.crm_segment', 'stood.country', 'stood.account_type', 'stood.is_business',
            'stood.orders_365_days', 'stood.any_amount_365_days', 'stood.only_currency_365_days'
        ) }}
    group by stood.customer_key, stood.month_start
)

select
    first_rules.customer_key,
    first_rules.month_start,
    rules.segment
from first_rules
inner join {{ ref('segments') }} as rules on rules.priority = first_rules.priority
