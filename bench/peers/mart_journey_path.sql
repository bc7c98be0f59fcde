-- mart_journey_path of a full build by hand: integer keys, one sum per person for both counts of customers. k: the night; tp:
-- touchpoints by number; jn: journeys by number; lined: events in order; g: ways per person; counted0: ways. The rest is the model's own.
create or replace temporary table k as
select
    as_of,
    timezone(reporting_timezone, cast(as_of + 1 as timestamp)) as ends_at,
    cast(strftime(as_of, '%Y%m%d') as int) as last_key,
    cast(strftime(as_of - 364, '%Y%m%d') as int) as first_365
from warehouse.night.night;

create or replace temporary table tp as
select
    touchpoint_key,
    touchpoint,
    cast(row_number() over (order by touchpoint) as utinyint) as tp
from cx_marts.main.dim_touchpoint;

create or replace temporary table jn as
select
    journey,
    cast(row_number() over (order by journey) as utinyint) as jn
from (
    select distinct
        journey
    from cx_marts.main.dim_journey_step
);

create or replace temporary table lined as
select
    jn,
    date_key,
    respondent,
    tp,
    occurred_at,
    can_end,
    lag(occurred_at) over w as prev_at,
    lead(occurred_at) over w as next_at,
    lead(tp) over w as next_tp
from (
    select
        jn.jn,
        j.journey_key as thread,
        j.start_date_key as date_key,
        case when j.customer_key = -1 then -1 - j.journey_key else j.customer_key end as respondent,
        tp.tp,
        e.occurred_at,
        e.event_key,
        not j.is_open as can_end
    from cx_marts.main.fct_journey_event as e
    join cx_marts.main.fct_journey as j
        on j.journey_key = e.journey_key
    join jn
        on jn.journey = e.journey
    join tp
        using (touchpoint_key)
    cross join k
    where
        j.start_date_key > 0 and j.start_date_key <= k.last_key
)
window w as (partition by thread order by occurred_at, event_key)
union all
select
    c,
    date_key,
    customer_key,
    tp,
    occurred_at,
    occurred_at + to_hours(720) <= (
        select
            ends_at
        from k
    ),
    lag(occurred_at) over w,
    lead(occurred_at) over w,
    lead(tp) over w
from (
    select
        (
            select
                jn
            from jn
            where
                journey = 'customer'
        ) as c,
        e.customer_key,
        e.date_key,
        tp.tp,
        e.occurred_at,
        e.event_key
    from cx_marts.main.fct_journey_event as e
    join tp
        using (touchpoint_key)
    cross join k
    where
        e.customer_key <> -1 and e.date_key > 0 and e.date_key <= k.last_key
)
window w as (partition by customer_key order by occurred_at, event_key);

create or replace temporary table g as
with l as (
    select
        *,
        jn = (
            select
                jn
            from jn
            where
                journey = 'customer'
        ) as c
    from lined
), w as (
    select
        jn,
        date_key,
        respondent,
        tp as f,
        next_tp as t,
        case when next_at >= occurred_at then cast(date_diff('SECOND', occurred_at, next_at) as double) / 60.0 end as minutes
    from l
    where
        not next_at is null and (
            not c or next_at <= occurred_at + to_hours(720)
        )
    union all
    select
        jn,
        date_key,
        respondent,
        0,
        tp,
        null
    from l
    where
        prev_at is null or (
            c and occurred_at > prev_at + to_hours(720)
        )
    union all
    select
        jn,
        date_key,
        respondent,
        tp,
        255,
        null
    from l
    where
        can_end and (
            next_at is null or (
                c and next_at > occurred_at + to_hours(720)
            )
        )
)
select
    jn,
    date_key // 100 as ym,
    date_key >= (
        select
            first_365
        from k
    ) as in365,
    f,
    t,
    respondent,
    count(*) as n,
    array_agg(minutes) filter(where
        not minutes is null) as m
from w
group by all;

create or replace temporary table counted0 as
with c as (
    select
        jn,
        ym as p,
        f,
        t,
        cast(sum(n) as bigint) as transitions,
        count(distinct respondent) as customers,
        flatten(array_agg(m) filter(where
            not m is null)) as m
    from g
    group by all
    union all
    select
        jn,
        0,
        f,
        t,
        cast(sum(n) as bigint),
        count(distinct respondent),
        flatten(array_agg(m) filter(where
            not m is null))
    from g
    where
        in365
    group by all
)
select
    jn.journey,
    case when p = 0 then 'last_365_days' else 'month' end as period,
    case when p = 0 then (
        select
            as_of - 364
        from k
    ) else make_date(p // 100, p % 100, 1) end as period_start,
    case when f = 0 then 'start' else a.touchpoint end as from_touchpoint,
    case when t = 255 then 'end' else b.touchpoint end as to_touchpoint,
    transitions,
    customers,
    coalesce(length(m), 0) as timed,
    list_sort(m) as sorted_minutes
from c
join jn
    using (jn)
left join tp as a
    on a.tp = f
left join tp as b
    on b.tp = t;

create or replace temp table tuned as
with night as (
    select as_of, timezone((select reporting_timezone from "warehouse"."night"."night"), cast(cast(as_of as date) + cast(1 as integer) as timestamp)) as ends_at from "warehouse"."night"."night"
),

period_days as (
    select
        'month' as period,
        dates.month_start as period_start,
        dates.date_key
    from "cx_marts"."main"."dim_date" as dates
    cross join "warehouse"."night"."night" as night
    where dates.date_day <= night.as_of and true
    union all
    select
        'last_365_days',
        cast(night.as_of as date) + cast(-364 as integer),
        dates.date_key
    from "cx_marts"."main"."dim_date" as dates
    cross join "warehouse"."night"."night" as night
    where
        dates.date_day between cast(night.as_of as date) + cast(-364 as integer) and night.as_of
        and true
),bounds as (
    select
        coalesce(cast(extract(year from cast(case when min(period_days.date_key) > 0 then make_date(cast(floor(min(period_days.date_key) / 10000) as bigint), cast(floor(min(period_days.date_key) / 100) as bigint) % 100, min(period_days.date_key) % 100) end as date) + cast(-31 as integer)) * 10000 + extract(month from cast(case when min(period_days.date_key) > 0 then make_date(cast(floor(min(period_days.date_key) / 10000) as bigint), cast(floor(min(period_days.date_key) / 100) as bigint) % 100, min(period_days.date_key) % 100) end as date) + cast(-31 as integer)) * 100 + extract(day from cast(case when min(period_days.date_key) > 0 then make_date(cast(floor(min(period_days.date_key) / 10000) as bigint), cast(floor(min(period_days.date_key) / 100) as bigint) % 100, min(period_days.date_key) % 100) end as date) + cast(-31 as integer)) as integer), -1) as first_key,
        max(coalesce(cast(extract(year from night.as_of) * 10000 + extract(month from night.as_of) * 100 + extract(day from night.as_of) as integer), -1)) as last_key
    from period_days
    cross join night
),

counted as (select * from counted0),
months_of_the_year as (select journey, period_start as month_start, from_touchpoint, to_touchpoint, customers, (customers > 0 and customers < 5) as hidden from counted0 where period='month' and period_start >= (select as_of-364 from k)),
counted_for_hidden_months as (
    select
        journey, month_start, from_touchpoint, to_touchpoint, customers,
        hidden,
        to_touchpoint <> 'all' and customers > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by journey, month_start, from_touchpoint) = 1 as hides_any,
        sum(case when to_touchpoint <> 'all' and customers > 0 and hidden then 1 else 0 end) over (partition by journey, month_start, from_touchpoint) as hidden_members,
        sum(case when to_touchpoint <> 'all' and customers > 0 then 1 else 0 end) over (partition by journey, month_start, from_touchpoint) as members,
        max(case when to_touchpoint = 'all' and hidden then 1 else 0 end) over (partition by journey, month_start, from_touchpoint) as hidden_totals,
        coalesce(max(case when to_touchpoint <> 'all' and customers > 0 and hidden then customers end) over (partition by journey, month_start, from_touchpoint), 0) as cover,
        row_number() over (partition by journey, month_start, from_touchpoint, to_touchpoint <> 'all' and customers > 0 and not hidden order by customers, to_touchpoint) as size_rank
    from months_of_the_year
),

hidden_months as (
    select
        journey, month_start, from_touchpoint, to_touchpoint, customers,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (to_touchpoint = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_hidden_months
),

cells as (
    select
        journey, period, period_start, from_touchpoint, to_touchpoint,
        customers,
        (customers > 0 and customers < 5) or (
            period <> 'month'
            and exists (
                select 1 from hidden_months as months
                where months.journey = counted.journey and months.from_touchpoint = counted.from_touchpoint and months.to_touchpoint = counted.to_touchpoint and months.hidden
            )
        ) as hidden
    from counted
),

counted_for_hidden_cells as (
    select
        journey, period, period_start, from_touchpoint, to_touchpoint, customers,
        hidden,
        to_touchpoint <> 'all' and customers > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by journey, period, period_start, from_touchpoint) = 1 as hides_any,
        sum(case when to_touchpoint <> 'all' and customers > 0 and hidden then 1 else 0 end) over (partition by journey, period, period_start, from_touchpoint) as hidden_members,
        sum(case when to_touchpoint <> 'all' and customers > 0 then 1 else 0 end) over (partition by journey, period, period_start, from_touchpoint) as members,
        max(case when to_touchpoint = 'all' and hidden then 1 else 0 end) over (partition by journey, period, period_start, from_touchpoint) as hidden_totals,
        coalesce(max(case when to_touchpoint <> 'all' and customers > 0 and hidden then customers end) over (partition by journey, period, period_start, from_touchpoint), 0) as cover,
        row_number() over (partition by journey, period, period_start, from_touchpoint, to_touchpoint <> 'all' and customers > 0 and not hidden order by customers, to_touchpoint) as size_rank
    from cells
),

hidden_cells as (
    select
        journey, period, period_start, from_touchpoint, to_touchpoint, customers,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (to_touchpoint = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_hidden_cells
),

ranked as (
    select
        counted.journey,
        counted.period,
        counted.period_start,
        counted.from_touchpoint,
        counted.to_touchpoint,
        counted.transitions,
        counted.customers,
        cast(counted.transitions as double) / sum(counted.transitions) over (
            partition by counted.journey, counted.period, counted.period_start, counted.from_touchpoint
        ) as share_of_from,
        counted.timed,
        counted.sorted_minutes,
        cast(row_number() over (
            partition by counted.journey, counted.period, counted.period_start
            order by counted.transitions desc, counted.from_touchpoint, counted.to_touchpoint
        ) as integer) as path_rank,
        hidden_cells.hidden as is_suppressed
    from counted
    inner join hidden_cells
        on hidden_cells.journey = counted.journey and hidden_cells.period = counted.period and hidden_cells.period_start = counted.period_start and hidden_cells.from_touchpoint = counted.from_touchpoint and hidden_cells.to_touchpoint = counted.to_touchpoint
),

final as (
    select
        journey,
        period,
        period_start,
        from_touchpoint,
        to_touchpoint,
        case when not is_suppressed then transitions end as transitions,
        case when not is_suppressed then customers end as customers,
        case when not is_suppressed then round(share_of_from, 4) end as share_of_from,
        case when not is_suppressed then round(case when floor(((timed - 1) * 0.5 + 1)) >= 1 then list_extract(sorted_minutes, cast(floor(((timed - 1) * 0.5 + 1)) as bigint)) end + (((timed - 1) * 0.5 + 1) - floor(((timed - 1) * 0.5 + 1))) * (case when ceil(((timed - 1) * 0.5 + 1)) >= 1 then list_extract(sorted_minutes, cast(ceil(((timed - 1) * 0.5 + 1)) as bigint)) end - case when floor(((timed - 1) * 0.5 + 1)) >= 1 then list_extract(sorted_minutes, cast(floor(((timed - 1) * 0.5 + 1)) as bigint)) end), 4) end as minutes_p50,
        case when not is_suppressed then round(case when floor(((timed - 1) * 0.9 + 1)) >= 1 then list_extract(sorted_minutes, cast(floor(((timed - 1) * 0.9 + 1)) as bigint)) end + (((timed - 1) * 0.9 + 1) - floor(((timed - 1) * 0.9 + 1))) * (case when ceil(((timed - 1) * 0.9 + 1)) >= 1 then list_extract(sorted_minutes, cast(ceil(((timed - 1) * 0.9 + 1)) as bigint)) end - case when floor(((timed - 1) * 0.9 + 1)) >= 1 then list_extract(sorted_minutes, cast(floor(((timed - 1) * 0.9 + 1)) as bigint)) end), 4) end as minutes_p90,
        case when not is_suppressed then path_rank end as path_rank,
        is_suppressed
    from ranked
    where path_rank <= 50
)

select * from final;
