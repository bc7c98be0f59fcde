{#-
    Customers month by month: where they stood at its end, what they brought, what they cost. What lives here: lifecycle,
    RFM, Pareto rank and lifetime value. Not here: which orders count (fct_order), shares and means (mart_customer_value),
    cohorts (mart_retention_cohort).

    A month is told from what was known to have happened by its end (the business date, in the month that is running), so a
    refund lowers the month of its order. Windows are years up to that end, by the calendar and not by 365 days: one for activity
    and revenue, two for RFM. Amounts are in the customer's own currency, that of their first counted order; others are
    counted, never added, and an order without a known amount is in no mean.

    How long those who are here will stay is told by those who left within a year, of all who were with us before it. Before the company
    has two whole years of orders these are only the ones who bought at its beginning, who buy most often: they leave
    least, and lifetimes come out twice too long, so nothing is said.

    Longer than 150 lines: every column is told of the same customers at the ends of the same months, and many are ranked
    within one.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touches=['cohort_month'],
    touched_by="{{ touched_customer_months() }}"
) }}

{%- set amount = 'decimal(38, 2)' %}

with night as (
    select as_of from {{ night() }}
),

attributes as (
    select customer_key, acquired_on, crm_segment, country, account_type, is_business, is_referral
    from {{ ref('int_customer__attributes') }}
),

orders as (
    select
        orders.customer_key,
        orders.order_key,
        orders.ordered_at,
        {{ date_of_key('orders.ordered_date_key') }} as ordered_on,
        orders.is_counted,
        orders.order_type,
        coalesce(orders.net_amount, 0) as net_amount,
        orders.net_amount is not null as has_amount,
        orders.currency
    from {{ ref('fct_order') }} as orders
    cross join night
    where
        orders.customer_key <> -1
        and orders.ordered_date_key > 0
        and orders.ordered_date_key <= {{ date_key('night.as_of') }}
        and (orders.is_counted or (orders.order_type = 'renewal' and orders.exclusion_reason <> 'deleted'))
),

first_orders as (
    select customer_key, ordered_on as first_ordered_on, currency
    from (
        select
            customer_key,
            ordered_on,
            currency,
            row_number() over (partition by customer_key order by ordered_at, order_key) as order_no
        from orders
        where is_counted
    ) as numbered
    where order_no = 1
),

{#- What is known of the company begins with its first order, and two whole years of it end on the same day two years later. -#}
history as (
    select {{ active_until(active_until('min(ordered_on)')) }} as two_years_until
    from orders
    where is_counted
),

{#- A renewal that was lost, or is still open, says as much of a contract as one that was won. -#}
contracts as (
    select customer_key, min(ordered_on) as contract_known_on
    from orders
    where order_type = 'renewal'
    group by customer_key
),

customers as (
    select
        known.customer_key,
        known.known_on,
        known.first_ordered_on,
        known.currency,
        contracts.contract_known_on
    from (
        select
            attributes.customer_key,
            least(
                coalesce(attributes.acquired_on, first_orders.first_ordered_on),
                coalesce(first_orders.first_ordered_on, attributes.acquired_on)
            ) as known_on,
            first_orders.first_ordered_on,
            first_orders.currency
        from attributes
        left join first_orders on first_orders.customer_key = attributes.customer_key
    ) as known
    inner join night on known.known_on <= night.as_of
    left join contracts on contracts.customer_key = known.customer_key
),

bounds as (
    select coalesce(min(customers.known_on), max(night.as_of)) as first_day, max(night.as_of) as last_day
    from night
    left join customers on true
),

calendar as (
    {{ months_between('bounds', 'first_day', 'last_day') }}
),

{#- Who left within a year is known when a month is over, so the running month takes the rate of the last one. -#}
months as (
    select
        calendar.month_start,
        {{ month_number('calendar.month_start') }} as month_no,
        {{ month_end('calendar.month_start') }} <= night.as_of as is_complete_month,
        least({{ month_end('calendar.month_start') }}, night.as_of) as state_on,
        case
            when {{ month_end('calendar.month_start') }} <= night.as_of then {{ end_of_calendar_month('calendar.month_start') }}
            else {{ day_of_calendar('night.as_of') }}
        end as day_no,
        {{ plus_days('calendar.month_start', -1) }} as state_before_on,
        case when {{ month_end('calendar.month_start') }} <= night.as_of then calendar.month_start else {{ plus_months('calendar.month_start', -1) }} end
            as rate_month
    from calendar
    cross join night
),

wanted as (
    select
        months.month_start,
        months.rate_month,
        coalesce({{ plus_months('months.rate_month', 1) }} >= history.two_years_until, false) as is_clv_matured
    from months
    cross join history
    where {{ is_touched(['month_start']) }}
),

needed as (
    select month_start from wanted
    union
    select rate_month from wanted
    union
    select {{ plus_months('rate_month', -12) }} from wanted
),

{#- Every counted order, and one moment at the end of every month for which the state is asked. -#}
moments as (
    select
        orders.customer_key,
        {{ day_of_calendar('orders.ordered_on') }} as day_no,
        {{ month_number('orders.ordered_on') }} as month_no,
        cast(null as date) as month_start,
        1 as orders,
        case when orders.currency = first_orders.currency then 1 else 0 end as own_orders,
        case when orders.currency = first_orders.currency and orders.has_amount then 1 else 0 end as priced_orders,
        case when orders.currency = first_orders.currency then orders.net_amount else 0 end as own_amount,
        orders.net_amount,
        orders.currency,
        orders.ordered_on
    from orders
    inner join first_orders on first_orders.customer_key = orders.customer_key
    where orders.is_counted
    union all
    select
        customers.customer_key,
        months.day_no,
        months.month_no,
        months.month_start,
        0, 0, 0, 0, 0, null, null
    from months
    inner join needed on needed.month_start = months.month_start
    inner join customers on {{ month_of('customers.known_on') }} <= months.month_start
),

sums as (
    select
        customer_key,
        month_start,
        sum(orders) over in_month as orders,
        sum(own_orders) over in_month as own_orders,
        sum(own_amount) over in_month as net_amount,
        sum(orders) over in_life as cumulative_orders,
        sum(own_orders) over in_life as cumulative_own_orders,
        sum(priced_orders) over in_life as cumulative_priced_orders,
        sum(own_amount) over in_life as cumulative_net_amount,
        max(ordered_on) over in_life as last_ordered_on,
        max(ordered_on) over in_months_before as last_ordered_before_on,
        sum(orders) over in_365_days as orders_365_days,
        sum(own_amount) over in_365_days as net_amount_365_days,
        sum(net_amount) over in_365_days as any_amount_365_days,
        min(currency) over in_365_days as a_currency_365_days,
        max(currency) over in_365_days as z_currency_365_days,
        sum(orders) over in_730_days as orders_730_days,
        sum(own_amount) over in_730_days as net_amount_730_days
    from moments
    window
        in_month as (partition by customer_key order by month_no range between current row and current row),
        in_months_before as (partition by customer_key order by month_no range between unbounded preceding and 1 preceding),
        in_life as (partition by customer_key order by day_no range between unbounded preceding and current row),
        in_365_days as (partition by customer_key order by day_no range between {{ days_of_calendar(1) }} - 1 preceding and current row),
        in_730_days as (partition by customer_key order by day_no range between {{ days_of_calendar(2) }} - 1 preceding and current row)
),

stood as (
    select
        sums.customer_key,
        months.month_start,
        months.state_on,
        months.is_complete_month,
        months.rate_month,
        attributes.crm_segment,
        attributes.country,
        attributes.account_type,
        attributes.is_business,
        attributes.is_referral,
        case when sums.cumulative_orders > 0 then customers.first_ordered_on end as first_ordered_on,
        case when sums.cumulative_orders > 0 then customers.currency end as currency,
        coalesce(customers.contract_known_on <= months.state_on, false) as has_contract,
        sums.orders,
        sums.own_orders,
        sums.net_amount,
        sums.cumulative_orders,
        sums.cumulative_own_orders,
        sums.cumulative_priced_orders,
        sums.cumulative_net_amount,
        sums.last_ordered_on,
        sums.last_ordered_before_on,
        sums.orders_365_days,
        sums.net_amount_365_days,
        sums.any_amount_365_days,
        case when sums.a_currency_365_days = sums.z_currency_365_days then sums.a_currency_365_days end as only_currency_365_days,
        sums.orders_730_days,
        sums.net_amount_730_days,
        {{ is_active_on('sums.last_ordered_on', 'months.state_on') }} as is_active,
        {{ is_active_on('sums.last_ordered_before_on', 'months.state_before_on') }} as was_active
    from sums
    inner join months on months.month_start = sums.month_start
    inner join attributes on attributes.customer_key = sums.customer_key
    inner join customers on customers.customer_key = sums.customer_key
),

{#- The first rule, by priority, that fitted at the end of the month. -#}
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
),

segments as (
    select
        first_rules.customer_key,
        first_rules.month_start,
        rules.segment
    from first_rules
    inner join {{ ref('segments') }} as rules on rules.priority = first_rules.priority
),

{#- Of those active a year before, how many had left: by the segment of that time, or loyal segments could lose nobody. -#}
churn as (
    select
        after.month_start as rate_month,
        segments.segment,
        count(*) as could_have_left,
        sum(case when after.is_active then 0 else 1 end) as left_in_a_year
    from stood as before
    inner join stood as after
        on after.customer_key = before.customer_key
        and after.month_start = {{ plus_months('before.month_start', 12) }}
    inner join segments on segments.customer_key = before.customer_key and segments.month_start = before.month_start
    where before.is_active
    group by after.month_start, segments.segment
),

ranked as (
    select
        stood.customer_key,
        stood.month_start,
        count(*) over (partition by stood.month_start) as ranked,
        count(*) over (partition by stood.month_start, stood.currency) as ranked_of_currency,
        rank() over (partition by stood.month_start order by stood.last_ordered_on) as recency_place,
        rank() over (partition by stood.month_start order by stood.orders_730_days) as frequency_place,
        rank() over (partition by stood.month_start, stood.currency order by stood.net_amount_730_days) as monetary_place
    from stood
    inner join wanted on wanted.month_start = stood.month_start
    where stood.orders_730_days > 0
),

scored as (
    select
        customer_key,
        month_start,
        {{ rfm_bins('ranked') }} as bins,
        {{ rfm_score('recency_place', 'ranked', rfm_bins('ranked')) }} as r_score,
        {{ rfm_score('frequency_place', 'ranked', rfm_bins('ranked')) }} as f_score,
        {{ rfm_score('monetary_place', 'ranked_of_currency', rfm_bins('ranked')) }} as m_score
    from ranked
),

named as (
    select
        scored.customer_key,
        scored.month_start,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        rules.rfm_segment
    from scored
    left join (
        select
            scores.bins,
            scores.r_score,
            scores.f_score,
            scores.m_score,
            min(rules.priority) as priority
        from (select distinct bins, r_score, f_score, m_score from scored) as scores
        inner join {{ ref('rfm_segments') }} as rules
            on rules.bins = scores.bins
            and scores.r_score between rules.min_r and rules.max_r
            and scores.f_score between rules.min_f and rules.max_f
            and scores.m_score between rules.min_m and rules.max_m
        group by scores.bins, scores.r_score, scores.f_score, scores.m_score
    ) as first_fit
        on first_fit.bins = scored.bins
        and first_fit.r_score = scored.r_score
        and first_fit.f_score = scored.f_score
        and first_fit.m_score = scored.m_score
    left join {{ ref('rfm_segments') }} as rules on rules.bins = first_fit.bins and rules.priority = first_fit.priority
),

pareto as (
    select
        stood.customer_key,
        stood.month_start,
        row_number() over (
            partition by stood.month_start, stood.currency order by stood.net_amount_365_days desc, stood.customer_key
        ) as pareto_rank,
        count(*) over (partition by stood.month_start, stood.currency) as ranked
    from stood
    inner join wanted on wanted.month_start = stood.month_start
    where stood.net_amount_365_days > 0
),

{#- Waits are summed in whole seconds, so that no order of adding shows. -#}
contacts as (
    select
        tickets.customer_key,
        {{ month_of(date_of_key('tickets.created_date_key')) }} as month_start,
        sum(case when tickets.is_customer_initiated then 1 else 0 end) as contacts,
        sum(case when tickets.is_customer_initiated then cast(round(tickets.first_reply_minutes * 60) as bigint) end) as wait_seconds,
        sum(case when tickets.is_complaint then 1 else 0 end) as complaints
    from {{ ref('fct_ticket') }} as tickets
    cross join night
    where
        tickets.customer_key <> -1
        and {{ is_ticket_counted('tickets.removed_kind') }}
        and tickets.created_date_key > 0
        and tickets.created_date_key <= {{ date_key('night.as_of') }}
    group by tickets.customer_key, {{ month_of(date_of_key('tickets.created_date_key')) }}
),

answers as (
    select
        answers.customer_key,
        answers.answer_key,
        answers.metric,
        answers.answer_class,
        answers.answered_at,
        {{ date_of_key('answers.answered_date_key') }} as answered_on
    from {{ ref('fct_survey_answer') }} as answers
    cross join night
    where
        answers.customer_key <> -1
        and answers.is_counted
        and answers.metric in ('nps', 'csat', 'ces')
        and answers.answered_date_key > 0
        and answers.answered_date_key <= {{ date_key('night.as_of') }}
),

low_scores as (
    select customer_key, {{ month_of('answered_on') }} as month_start, count(*) as low_scores
    from answers
    where answer_class in ('detractor', 'negative')
    group by customer_key, {{ month_of('answered_on') }}
),

{#- The latest NPS answer of each month stands until the next month with one. -#}
nps_spans as (
    select
        customer_key,
        answer_class,
        month_start,
        lead(month_start) over (partition by customer_key order by month_start) as next_month_start
    from (
        select
            customer_key,
            answer_class,
            {{ month_of('answered_on') }} as month_start,
            row_number() over (
                partition by customer_key, {{ month_of('answered_on') }} order by answered_at desc, answer_key desc
            ) as recency
        from answers
        where metric = 'nps'
    ) as monthly
    where recency = 1
),

valued as (
    select
        stood.customer_key,
        stood.month_start,
        segments.segment,
        cast(stood.cumulative_net_amount as double) / nullif(stood.cumulative_priced_orders, 0) as average_order_value,
        {{ orders_per_year('stood.cumulative_own_orders', 'stood.first_ordered_on', 'stood.last_ordered_on', 'stood.state_on', 'stood.is_active') }}
            as orders_per_year,
        {{ longevity_years('stood.first_ordered_on', 'stood.last_ordered_on', 'stood.is_active', 'churn.left_in_a_year', 'churn.could_have_left') }}
            as longevity_years,
        coalesce(own_parameters.margin_rate, parameters.margin_rate) as margin_rate,
        coalesce(own_parameters.cost_per_contact, parameters.cost_per_contact) as cost_per_contact,
        case when own_parameters.cost_per_contact is not null then own_parameters.currency else parameters.currency end as cost_currency
    from stood
    inner join wanted on wanted.month_start = stood.month_start
    left join segments on segments.customer_key = stood.customer_key and segments.month_start = stood.month_start
    left join churn on wanted.is_clv_matured and churn.rate_month = stood.rate_month and churn.segment = segments.segment
    left join {{ ref('value_parameters') }} as own_parameters on own_parameters.segment = segments.segment
    left join {{ ref('value_parameters') }} as parameters on parameters.segment = '*'
),

final as (
    select
        {{ surrogate_key(['stood.customer_key', 'stood.month_start']) }} as customer_month_key,
        stood.customer_key,
        stood.month_start,
        stood.is_complete_month,
        {{ month_of('stood.first_ordered_on') }} as cohort_month,
        coalesce(valued.segment, 'unknown') as segment,
        stood.is_referral,
        stood.has_contract,
        stood.currency,
        cast(stood.orders as integer) as orders,
        cast(stood.orders - stood.own_orders as integer) as orders_other_currency,
        cast(stood.net_amount as {{ amount }}) as net_amount,
        cast(stood.cumulative_orders as integer) as cumulative_orders,
        cast(stood.cumulative_net_amount as {{ amount }}) as cumulative_net_amount,
        cast(stood.orders_365_days as integer) as orders_365_days,
        cast(stood.net_amount_365_days as {{ amount }}) as net_amount_365_days,
        {{ lifecycle_state(
            'stood.cumulative_orders > 0', 'stood.orders > 0', 'stood.last_ordered_before_on is not null', 'stood.is_active', 'stood.was_active'
        ) }} as lifecycle_state,
        stood.is_active,
        stood.was_active and stood.is_active as is_retained,
        stood.was_active and not stood.is_active as is_churned,
        cast(coalesce(contacts.contacts, 0) as integer) as contacts,
        round(coalesce(contacts.wait_seconds, 0) / 60.0, 4) as wait_minutes,
        cast(coalesce(low_scores.low_scores, 0) + coalesce(contacts.complaints, 0) as integer) as failures,
        nps_spans.answer_class as nps_class,
        cast({{ dbt.datediff('stood.last_ordered_on', 'stood.state_on', 'day') }} as integer) as recency_days,
        cast(stood.orders_730_days as integer) as frequency,
        cast(stood.net_amount_730_days as {{ amount }}) as monetary,
        named.r_score,
        named.f_score,
        named.m_score,
        named.rfm_segment,
        pareto.pareto_rank,
        coalesce({{ is_top_fifth('pareto.pareto_rank', 'pareto.ranked') }}, false) as is_top_20pct,
        round(valued.average_order_value, 4) as average_order_value,
        round(valued.orders_per_year, 4) as orders_per_year,
        round(valued.longevity_years, 4) as longevity_years,
        round({{ clv_revenue('valued.average_order_value', 'valued.orders_per_year', 'valued.longevity_years') }}, 4) as clv_revenue,
        round({{ clv_revenue('valued.average_order_value', 'valued.orders_per_year', 'valued.longevity_years') }} * valued.margin_rate, 4) as clv_margin,
        wanted.is_clv_matured,
        cast(coalesce(contacts.contacts, 0) * valued.cost_per_contact as {{ amount }}) as cost_to_serve,
        valued.cost_currency
    from stood
    inner join wanted on wanted.month_start = stood.month_start
    inner join valued on valued.customer_key = stood.customer_key and valued.month_start = stood.month_start
    left join named on named.customer_key = stood.customer_key and named.month_start = stood.month_start
    left join pareto on pareto.customer_key = stood.customer_key and pareto.month_start = stood.month_start
    left join contacts on contacts.customer_key = stood.customer_key and contacts.month_start = stood.month_start
    left join low_scores on low_scores.customer_key = stood.customer_key and low_scores.month_start = stood.month_start
    left join nps_spans
        on nps_spans.customer_key = stood.customer_key
        and nps_spans.month_start <= stood.month_start
        and (nps_spans.next_month_start > stood.month_start or nps_spans.next_month_start is null)
)

select * from final
