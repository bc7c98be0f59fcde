{#-
    What became of customers we failed, beside those we did not. What lives here: who is in which group at the end of a month, and
    whether they still buy and are satisfied later. Not here: single cases (fct_closed_loop_case), shares (mart_recovery).

    Groups are of customers active at a month's end, by their last failure in it. Before the first case nobody was asked, so nobody is
    known never to have been failed. Customers nobody knows cannot be followed.
-#}
{{ config(
    touched_key=['month_start', 'customer_key'],
    touched_by="{{ touched_recovery_customers() }}"
) }}

with night as (
    select as_of from {{ night() }}
),

cases as (
    select
        customer_key,
        failure_no,
        {{ month_of(date_of_key('opened_date_key')) }} as month_start,
        {{ date_of_key('opened_date_key') }} as opened_on,
        is_recovered
    from {{ ref('fct_closed_loop_case') }}
    where customer_key <> -1
),

first_failures as (
    select customer_key, min(opened_on) as first_failed_on
    from cases
    group by customer_key
),

first_month as (
    select min(month_start) as month_start from cases
),

{#- Of a failure that is several cases, every one must be recovered. -#}
last_failures as (
    select customer_key, month_start, failure_no, min(case when is_recovered then 1 else 0 end) = 1 as is_recovered
    from (
        select
            customer_key,
            month_start,
            failure_no,
            is_recovered,
            max(failure_no) over (partition by customer_key, month_start) as last_failure_no
        from cases
        where {{ is_touched(['month_start', 'customer_key']) }}
    ) as numbered
    where failure_no = last_failure_no
    group by customer_key, month_start, failure_no
),

customers as (
    select
        months.customer_key,
        months.month_start,
        {{ month_end('months.month_start') }} as month_end,
        months.recency_days,
        case
            when first_failures.first_failed_on is null or first_failures.first_failed_on > {{ month_end('months.month_start') }} then 'never_failed'
            when last_failures.is_recovered then 'failed_recovered'
            when not last_failures.is_recovered then 'failed_not_recovered'
        end as member,
        case when last_failures.failure_no = 1 then '1' when last_failures.failure_no > 1 then '2+' end as failures,
        night.as_of
    from {{ ref('fct_customer_month') }} as months
    inner join night on {{ is_judged('months.month_start', 'night.as_of') }}
    inner join first_month on first_month.month_start <= months.month_start
    left join first_failures on first_failures.customer_key = months.customer_key
    left join last_failures
        on last_failures.customer_key = months.customer_key
        and last_failures.month_start = months.month_start
    where months.is_active and {{ is_touched(['months.month_start', 'months.customer_key']) }}
),

next_orders as (
    select customers.customer_key, customers.month_start, min(orders.ordered_on) as ordered_on
    from customers
    inner join (
        select customer_key, {{ date_of_key('ordered_date_key') }} as ordered_on from {{ ref('fct_order') }} where is_counted
    ) as orders
        on orders.customer_key = customers.customer_key
        and orders.ordered_on > customers.month_end
        and orders.ordered_on <= {{ plus_days('customers.month_end', later_days()) }}
    where customers.member is not null
    group by customers.customer_key, customers.month_start
),

later_answers as (
    select customer_key, month_start, is_low
    from (
        select
            customers.customer_key,
            customers.month_start,
            answers.is_low,
            row_number() over (
                partition by customers.customer_key, customers.month_start
                order by answers.answered_at, answers.is_low desc, answers.answer_key
            ) as place
        from customers
        inner join (
            select
                words.customer_key,
                words.answer_key,
                words.answered_at,
                {{ date_of_key('words.answered_date_key') }} as answered_on,
                {{ is_low_class('words.answer_class') }} as is_low
            from {{ ref('fct_survey_answer') }} as words
            where {{ is_customers_word('words') }}
        ) as answers
            on answers.customer_key = customers.customer_key
            and answers.answered_on > {{ plus_days('customers.month_end', recovery_days()) }}
            and answers.answered_on <= {{ plus_days('customers.month_end', later_days()) }}
        where customers.member is not null
    ) as ranked
    where place = 1
)

select
    customers.month_start,
    customers.member,
    customers.failures,
    customers.customer_key,
    {%- for days in [90, 180] %}
    {{ is_active_on(plus_days('customers.month_end', '-customers.recency_days'), plus_days('customers.month_end', days)) }}
        or coalesce(next_orders.ordered_on <= {{ plus_days('customers.month_end', days) }}, false) as is_retained_{{ days }},
    {{ plus_days('customers.month_end', days) }} <= customers.as_of as is_matured_{{ days }},
    {%- endfor %}
    not later_answers.is_low as is_satisfied_later,
    {{ plus_days('customers.month_end', later_days()) }} <= customers.as_of as is_matured_later
from customers
left join next_orders
    on next_orders.customer_key = customers.customer_key
    and next_orders.month_start = customers.month_start
left join later_answers
    on later_answers.customer_key = customers.customer_key
    and later_answers.month_start = customers.month_start
where customers.member is not null
