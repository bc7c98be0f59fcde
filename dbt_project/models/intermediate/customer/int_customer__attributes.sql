{#-
    What a customer's months depend on besides what they do. What lives here: the conditions of segments that do not move with
    the calendar, in a table of their own so that a change is told apart from a mere purchase. Not here: who a customer is
    (dim_customer), which rule fits when (fct_customer_month).
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['acquired_on', 'country'],
    touched_by="
        select customer_key from {{ touched('dim_customer') }}
        union
        select customer_key from {{ ref('dim_customer') }}
        where account_key in (select account_key from {{ touched('int_account__resolved') }})
    "
) }}

select
    customers.customer_key,
    customers.acquired_date as acquired_on,
    customers.crm_segment,
    customers.country,
    accounts.account_type,
    coalesce(accounts.is_business, false) as is_business,
    coalesce(
        lower(customers.acquisition_source) like '%referral%'
        or lower(customers.acquisition_source) like '%recommend%'
        or lower(customers.acquisition_source) like '%word of mouth%',
        false
    ) as is_referral
from {{ ref('dim_customer') }} as customers
left join {{ ref('int_account__resolved') }} as accounts on accounts.account_key = customers.account_key
where customers.customer_key <> -1 and {{ is_touched(['customers.customer_key']) }}
