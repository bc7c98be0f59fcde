-- fct_customer_month of a full build by hand: running totals, read at four moments of each month. The rest is the model's own.
create or replace temp table tuned as
with night as (
    select as_of from "warehouse"."night"."night"
),

attributes as (
    select customer_key, acquired_on, crm_segment, country, account_type, is_business, is_referral
    from "warehouse"."intermediate"."int_customer__attributes"
),

orders as (
    select
        orders.customer_key,
        orders.order_key,
        orders.ordered_at,
        case when orders.ordered_date_key > 0 then make_date(cast(floor(orders.ordered_date_key / 10000) as bigint), cast(floor(orders.ordered_date_key / 100) as bigint) % 100, orders.ordered_date_key % 100) end as ordered_on,
        orders.is_counted,
        orders.order_type,
        coalesce(orders.net_amount, 0) as net_amount,
        orders.net_amount is not null as has_amount,
        orders.currency
    from "cx_marts"."main"."fct_order" as orders
    cross join night
    where
        orders.customer_key <> -1
        and orders.ordered_date_key > 0
        and orders.ordered_date_key <= coalesce(cast(extract(year from night.as_of) * 10000 + extract(month from night.as_of) * 100 + extract(day from night.as_of) as integer), -1)
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
),history as (
    select cast(

    (cast(

    (min(ordered_on) + cast(1 as bigint) * interval 1 year) as date) + cast(1 as bigint) * interval 1 year) as date) as two_years_until
    from orders
    where is_counted
),contracts as (
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
    select date_day as month_start
    from (
        select cast(unnest(generate_series(cast(cast(date_trunc('month', first_day) as date) as timestamp), cast(last_day as timestamp), interval 1 day)) as date) as date_day
    from bounds
    ) as days
    where extract(day from date_day) = 1
),months as (
    select
        calendar.month_start,
        cast(extract(year from calendar.month_start) * 12 + extract(month from calendar.month_start) as integer) as month_no,
        cast(cast(cast(

    (calendar.month_start + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date) <= night.as_of as is_complete_month,
        least(cast(cast(cast(

    (calendar.month_start + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date), night.as_of) as state_on,
        case
            when cast(cast(cast(

    (calendar.month_start + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date) <= night.as_of then cast(extract(year from calendar.month_start) * 372 + extract(month from calendar.month_start) * 31 + extract(day from calendar.month_start) as integer) + 30
            else cast(extract(year from night.as_of) * 372 + extract(month from night.as_of) * 31 + extract(day from night.as_of) as integer)
        end as day_no,
        cast(calendar.month_start as date) + cast(-1 as integer) as state_before_on,
        case when cast(cast(cast(

    (calendar.month_start + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date) <= night.as_of then calendar.month_start else cast(

    (calendar.month_start + cast(-1 as bigint) * interval 1 month) as date) end
            as rate_month
    from calendar
    cross join night
),

wanted as (
    select
        months.month_start,
        months.rate_month,
        coalesce(cast(

    (months.rate_month + cast(1 as bigint) * interval 1 month) as date) >= history.two_years_until, false) as is_clv_matured
    from months
    cross join history
    where true
),

needed as (
    select month_start from wanted
    union
    select rate_month from wanted
    union
    select cast(

    (rate_month + cast(-12 as bigint) * interval 1 month) as date) from wanted
),moments as (
    select
        orders.customer_key,
        cast(extract(year from orders.ordered_on) * 372 + extract(month from orders.ordered_on) * 31 + extract(day from orders.ordered_on) as integer) as day_no,
        cast(extract(year from orders.ordered_on) * 12 + extract(month from orders.ordered_on) as integer) as month_no,
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
    inner join customers on cast(date_trunc('month', customers.known_on) as date) <= months.month_start
),

daily as (
    select
        customer_key,
        day_no,
        sum(orders) as orders,
        sum(own_orders) as own_orders,
        sum(priced_orders) as priced_orders,
        sum(own_amount) as own_amount,
        sum(net_amount) as net_amount,
        count(currency) as with_currency,
        max(ordered_on) as ordered_on
    from moments
    where month_start is null
    group by customer_key, day_no
),

-- Running totals, read at four moments of a month, for windows over every order and every month.
so_far as (
    select
        customer_key,
        day_no,
        ordered_on,
        sum(orders) over life as orders,
        sum(own_orders) over life as own_orders,
        sum(priced_orders) over life as priced_orders,
        sum(own_amount) over life as own_amount,
        sum(net_amount) over life as net_amount,
        sum(with_currency) over life as with_currency
    from daily
    window life as (partition by customer_key order by day_no rows unbounded preceding)
),

stands as (
    select
        customer_key,
        month_start,
        day_no,
        cast(extract(year from month_start) * 372 + extract(month from month_start) * 31 as integer) as before_no
    from moments
    where month_start is not null
),

currencies as (
    select customer_key, min(currency) as currency, count(distinct currency) > 1 as are_several
    from moments
    where month_start is null
    group by customer_key
),

-- Few customers buy in several currencies: only for theirs a window has to be looked through.
mixed as (
    select customer_key, month_start, min(currency) over a_year as a_currency, max(currency) over a_year as z_currency
    from moments
    where customer_key in (select customer_key from currencies where are_several)
    window a_year as (partition by customer_key order by day_no range between 372 - 1 preceding and current row)
),

sums as (
    select
        stands.customer_key,
        stands.month_start,
        coalesce(now.orders, 0) - coalesce(before.orders, 0) as orders,
        coalesce(now.own_orders, 0) - coalesce(before.own_orders, 0) as own_orders,
        coalesce(now.own_amount, 0) - coalesce(before.own_amount, 0) as net_amount,
        coalesce(now.orders, 0) as cumulative_orders,
        coalesce(now.own_orders, 0) as cumulative_own_orders,
        coalesce(now.priced_orders, 0) as cumulative_priced_orders,
        coalesce(now.own_amount, 0) as cumulative_net_amount,
        now.ordered_on as last_ordered_on,
        before.ordered_on as last_ordered_before_on,
        coalesce(now.orders, 0) - coalesce(a_year.orders, 0) as orders_365_days,
        coalesce(now.own_amount, 0) - coalesce(a_year.own_amount, 0) as net_amount_365_days,
        coalesce(now.net_amount, 0) - coalesce(a_year.net_amount, 0) as any_amount_365_days,
        case
            when currencies.are_several then mixed.a_currency
            when coalesce(now.with_currency, 0) > coalesce(a_year.with_currency, 0) then currencies.currency
        end as a_currency_365_days,
        case
            when currencies.are_several then mixed.z_currency
            when coalesce(now.with_currency, 0) > coalesce(a_year.with_currency, 0) then currencies.currency
        end as z_currency_365_days,
        coalesce(now.orders, 0) - coalesce(two_years.orders, 0) as orders_730_days,
        coalesce(now.own_amount, 0) - coalesce(two_years.own_amount, 0) as net_amount_730_days
    from stands
    asof left join so_far as now on now.customer_key = stands.customer_key and now.day_no <= stands.day_no
    asof left join so_far as before on before.customer_key = stands.customer_key and before.day_no <= stands.before_no
    asof left join so_far as a_year on a_year.customer_key = stands.customer_key and a_year.day_no <= stands.day_no - 372
    asof left join so_far as two_years on two_years.customer_key = stands.customer_key and two_years.day_no <= stands.day_no - 744
    left join currencies on currencies.customer_key = stands.customer_key
    left join mixed on mixed.customer_key = stands.customer_key and mixed.month_start = stands.month_start
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
        coalesce(cast(

    (sums.last_ordered_on + cast(1 as bigint) * interval 1 year) as date) > months.state_on, false) as is_active,
        coalesce(cast(

    (sums.last_ordered_before_on + cast(1 as bigint) * interval 1 year) as date) > months.state_before_on, false) as was_active
    from sums
    inner join months on months.month_start = sums.month_start
    inner join attributes on attributes.customer_key = sums.customer_key
    inner join customers on customers.customer_key = sums.customer_key
),first_rules as (
    select
        stood.customer_key,
        stood.month_start,
        min(rules.priority) as priority
    from stood
    inner join "warehouse"."seeds"."segments" as rules
        on (rules.crm_segment is null or lower(rules.crm_segment) = lower(stood.crm_segment))
    and (rules.country is null or lower(rules.country) = lower(stood.country))
    and (rules.account_type is null or lower(rules.account_type) = lower(stood.account_type))
    and (rules.is_business is null or rules.is_business = stood.is_business)
    and (rules.min_orders_365_days is null or rules.min_orders_365_days <= stood.orders_365_days)
    and (
        rules.min_net_amount_365_days is null
        or (rules.currency = stood.only_currency_365_days and rules.min_net_amount_365_days <= stood.any_amount_365_days)
    )
    group by stood.customer_key, stood.month_start
),

segments as (
    select
        first_rules.customer_key,
        first_rules.month_start,
        rules.segment
    from first_rules
    inner join "warehouse"."seeds"."segments" as rules on rules.priority = first_rules.priority
),churn as (
    select
        after.month_start as rate_month,
        segments.segment,
        count(*) as could_have_left,
        sum(case when after.is_active then 0 else 1 end) as left_in_a_year
    from stood as before
    inner join stood as after
        on after.customer_key = before.customer_key
        and after.month_start = cast(

    (before.month_start + cast(12 as bigint) * interval 1 month) as date)
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
        case when ranked < 500 then 3 else 5 end as bins,
        cast(least(case when ranked < 500 then 3 else 5 end, 1 + floor((recency_place - 1) * case when ranked < 500 then 3 else 5 end / cast(greatest(ranked - 1, 1) as double))) as integer) as r_score,
        cast(least(case when ranked < 500 then 3 else 5 end, 1 + floor((frequency_place - 1) * case when ranked < 500 then 3 else 5 end / cast(greatest(ranked - 1, 1) as double))) as integer) as f_score,
        cast(least(case when ranked < 500 then 3 else 5 end, 1 + floor((monetary_place - 1) * case when ranked < 500 then 3 else 5 end / cast(greatest(ranked_of_currency - 1, 1) as double))) as integer) as m_score
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
        inner join "warehouse"."seeds"."rfm_segments" as rules
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
    left join "warehouse"."seeds"."rfm_segments" as rules on rules.bins = first_fit.bins and rules.priority = first_fit.priority
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
),contacts as (
    select
        tickets.customer_key,
        cast(date_trunc('month', case when tickets.created_date_key > 0 then make_date(cast(floor(tickets.created_date_key / 10000) as bigint), cast(floor(tickets.created_date_key / 100) as bigint) % 100, tickets.created_date_key % 100) end) as date) as month_start,
        sum(case when tickets.is_customer_initiated then 1 else 0 end) as contacts,
        sum(case when tickets.is_customer_initiated then cast(round(tickets.first_reply_minutes * 60) as bigint) end) as wait_seconds,
        sum(case when tickets.is_complaint then 1 else 0 end) as complaints
    from "cx_marts"."main"."fct_ticket" as tickets
    cross join night
    where
        tickets.customer_key <> -1
        and coalesce(tickets.removed_kind = 'retention_purge', true)
        and tickets.created_date_key > 0
        and tickets.created_date_key <= coalesce(cast(extract(year from night.as_of) * 10000 + extract(month from night.as_of) * 100 + extract(day from night.as_of) as integer), -1)
    group by tickets.customer_key, cast(date_trunc('month', case when tickets.created_date_key > 0 then make_date(cast(floor(tickets.created_date_key / 10000) as bigint), cast(floor(tickets.created_date_key / 100) as bigint) % 100, tickets.created_date_key % 100) end) as date)
),

answers as (
    select
        answers.customer_key,
        answers.answer_key,
        answers.metric,
        answers.answer_class,
        answers.answered_at,
        case when answers.answered_date_key > 0 then make_date(cast(floor(answers.answered_date_key / 10000) as bigint), cast(floor(answers.answered_date_key / 100) as bigint) % 100, answers.answered_date_key % 100) end as answered_on
    from "cx_marts"."main"."fct_survey_answer" as answers
    cross join night
    where
        answers.customer_key <> -1
        and answers.is_counted
        and answers.metric in ('nps', 'csat', 'ces')
        and answers.answered_date_key > 0
        and answers.answered_date_key <= coalesce(cast(extract(year from night.as_of) * 10000 + extract(month from night.as_of) * 100 + extract(day from night.as_of) as integer), -1)
),

low_scores as (
    select customer_key, cast(date_trunc('month', answered_on) as date) as month_start, count(*) as low_scores
    from answers
    where answer_class in ('detractor', 'negative')
    group by customer_key, cast(date_trunc('month', answered_on) as date)
),nps_spans as (
    select
        customer_key,
        answer_class,
        month_start,
        lead(month_start) over (partition by customer_key order by month_start) as next_month_start
    from (
        select
            customer_key,
            answer_class,
            cast(date_trunc('month', answered_on) as date) as month_start,
            row_number() over (
                partition by customer_key, cast(date_trunc('month', answered_on) as date) order by answered_at desc, answer_key desc
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
        case
        when stood.is_active then stood.cumulative_own_orders / greatest(1.0, ((
        (date_diff('day', stood.first_ordered_on::timestamp, stood.state_on::timestamp ))
    ) / 365.25))
        else stood.cumulative_own_orders / nullif(((
        (date_diff('day', stood.first_ordered_on::timestamp, stood.last_ordered_on::timestamp ))
    ) / 365.25), 0)
    end
            as orders_per_year,
        case
        when not stood.is_active then nullif(((
        (date_diff('day', stood.first_ordered_on::timestamp, stood.last_ordered_on::timestamp ))
    ) / 365.25), 0)
        when churn.could_have_left >= 30 and churn.left_in_a_year > 0 then churn.could_have_left / cast(churn.left_in_a_year as double)
    end
            as longevity_years,
        coalesce(own_parameters.margin_rate, parameters.margin_rate) as margin_rate,
        coalesce(own_parameters.cost_per_contact, parameters.cost_per_contact) as cost_per_contact,
        case when own_parameters.cost_per_contact is not null then own_parameters.currency else parameters.currency end as cost_currency
    from stood
    inner join wanted on wanted.month_start = stood.month_start
    left join segments on segments.customer_key = stood.customer_key and segments.month_start = stood.month_start
    left join churn on wanted.is_clv_matured and churn.rate_month = stood.rate_month and churn.segment = segments.segment
    left join "warehouse"."seeds"."value_parameters" as own_parameters on own_parameters.segment = segments.segment
    left join "warehouse"."seeds"."value_parameters" as parameters on parameters.segment = '*'
),

final as (
    select
        coalesce(cast('0x' || left(md5(cast(stood.customer_key as varchar) || chr(31) || cast(stood.month_start as varchar)), 15) as bigint), -1) as customer_month_key,
        stood.customer_key,
        stood.month_start,
        stood.is_complete_month,
        cast(date_trunc('month', stood.first_ordered_on) as date) as cohort_month,
        coalesce(valued.segment, 'unknown') as segment,
        stood.is_referral,
        stood.has_contract,
        stood.currency,
        cast(stood.orders as integer) as orders,
        cast(stood.orders - stood.own_orders as integer) as orders_other_currency,
        cast(stood.net_amount as decimal(38, 2)) as net_amount,
        cast(stood.cumulative_orders as integer) as cumulative_orders,
        cast(stood.cumulative_net_amount as decimal(38, 2)) as cumulative_net_amount,
        cast(stood.orders_365_days as integer) as orders_365_days,
        cast(stood.net_amount_365_days as decimal(38, 2)) as net_amount_365_days,
        case
        when not stood.cumulative_orders > 0 then 'prospect'
        when stood.orders > 0 and not stood.last_ordered_before_on is not null then 'new'
        when stood.orders > 0 and stood.was_active then 'returning'
        when stood.orders > 0 then 'resurrected'
        when stood.is_active then 'active'
        when stood.was_active then 'churned'
        else 'dormant'
    end as lifecycle_state,
        stood.is_active,
        stood.was_active and stood.is_active as is_retained,
        stood.was_active and not stood.is_active as is_churned,
        cast(coalesce(contacts.contacts, 0) as integer) as contacts,
        round(coalesce(contacts.wait_seconds, 0) / 60.0, 4) as wait_minutes,
        cast(coalesce(low_scores.low_scores, 0) + coalesce(contacts.complaints, 0) as integer) as failures,
        nps_spans.answer_class as nps_class,
        cast(
        (date_diff('day', stood.last_ordered_on::timestamp, stood.state_on::timestamp ))
     as integer) as recency_days,
        cast(stood.orders_730_days as integer) as frequency,
        cast(stood.net_amount_730_days as decimal(38, 2)) as monetary,
        named.r_score,
        named.f_score,
        named.m_score,
        named.rfm_segment,
        pareto.pareto_rank,
        coalesce((pareto.pareto_rank - 1) * 5 < pareto.ranked, false) as is_top_20pct,
        round(valued.average_order_value, 4) as average_order_value,
        round(valued.orders_per_year, 4) as orders_per_year,
        round(valued.longevity_years, 4) as longevity_years,
        round(valued.average_order_value * valued.orders_per_year * valued.longevity_years, 4) as clv_revenue,
        round(valued.average_order_value * valued.orders_per_year * valued.longevity_years * valued.margin_rate, 4) as clv_margin,
        wanted.is_clv_matured,
        cast(coalesce(contacts.contacts, 0) * valued.cost_per_contact as decimal(38, 2)) as cost_to_serve,
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

select * from final;
