-- mart_journey_map of a full build by hand: integer keys, the first later stage as running minima of one window, 'all' rolled up from
-- segments. k: the night; tp: touchpoints by number; sid: steps by number; seg: segments by number; ev: events of customers with
-- what came next; firsts, cust: first events; st, jt, jour: steps of journeys; flow0: all of it. The rest is the model's own.
create or replace temporary table sid as
select
    journey,
    step,
    step_order,
    step_order = max(step_order) over (partition by journey) as is_last,
    cast(row_number() over (order by journey, step) as utinyint) as sid
from cx_marts.main.dim_journey_step;

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
    stage,
    cast(stage_order as utinyint) as so,
    cast(row_number() over (order by touchpoint) as utinyint) as tp,
    stage_order = (
        select
            max(step_order)
        from cx_marts.main.dim_journey_step
        where
            journey = 'customer'
    ) as is_last
from cx_marts.main.dim_touchpoint;

create or replace temporary table seg as
select
    customer_key,
    cast(dense_rank() over (order by segment) as utinyint) as sg,
    segment
from cx_marts.main.dim_customer;

create or replace temporary table ev as
select
    customer_key,
    tp,
    so,
    is_last,
    occurred_at,
    ym,
    in365,
    case so when 1 then n1 when 2 then n2 when 3 then n3 when 4 then n4 when 5 then n5 when 6 then n6 when 7 then n7 end as next_at
from (
    select
        e.customer_key,
        tp.tp,
        tp.so,
        tp.is_last,
        e.occurred_at,
        e.date_key // 100 as ym,
        e.date_key >= k.first_365 as in365,
        min(case when so > 1 then occurred_at end) over w as n1,
        min(case when so > 2 then occurred_at end) over w as n2,
        min(case when so > 3 then occurred_at end) over w as n3,
        min(case when so > 4 then occurred_at end) over w as n4,
        min(case when so > 5 then occurred_at end) over w as n5,
        min(case when so > 6 then occurred_at end) over w as n6,
        min(case when so > 7 then occurred_at end) over w as n7
    from cx_marts.main.fct_journey_event as e, k, tp
    where
        tp.touchpoint_key = e.touchpoint_key
        and e.customer_key <> -1
        and tp.touchpoint <> 'unknown'
        and e.date_key > 0
        and e.date_key <= k.last_key
    window w as (partition by customer_key order by occurred_at desc range between unbounded preceding and current row)
);

create or replace temporary table firsts as
select
    ym as period,
    customer_key,
    tp,
    so,
    is_last,
    min(occurred_at) as t0,
    arg_min(next_at, occurred_at) as next_at
from ev
group by
    ym,
    customer_key,
    tp,
    so,
    is_last
union all
select
    0,
    customer_key,
    tp,
    so,
    is_last,
    min(occurred_at),
    arg_min(next_at, occurred_at)
from ev
where
    in365
group by
    customer_key,
    tp,
    so,
    is_last;

create or replace temporary table cust as
with f as (
    select
        period,
        customer_key,
        tp,
        so,
        is_last,
        t0,
        next_at
    from firsts
    union all
    select
        period,
        customer_key,
        0,
        so,
        is_last,
        min(t0),
        arg_min(next_at, t0)
    from firsts
    group by
        period,
        customer_key,
        so,
        is_last
), j as (
    select
        f.*,
        coalesce(seg.segment, 'unknown') as segment,
        f.t0 + to_hours(24 * 30) <= k.ends_at as m,
        coalesce(f.next_at <= f.t0 + to_hours(24 * 30), false) as h
    from f
    cross join k
    left join seg
        using (customer_key)
)
select
    period,
    so,
    tp,
    segment,
    count(*) as entered,
    count(*) as customers,
    count_if(m and h) as progressed,
    count_if(m and not h and not is_last) as dropped,
    count_if(not m and not h and not is_last) as still_open,
    count(case when m and h then 1 end) as timed,
    array_agg(date_diff('SECOND', t0, next_at)) filter(where
        m and h) as secs
from j
group by
    period,
    so,
    tp,
    segment;

create or replace temporary table st as
with j as (
    select
        journey_key,
        journey,
        start_date_key // 100 as ym,
        start_date_key >= k.first_365 as in365,
        coalesce(segment, 'unknown') as segment,
        case when j.customer_key = -1 then -1 - journey_key else j.customer_key end as respondent,
        is_matured,
        is_completed,
        [step_1_at, step_2_at, step_3_at, step_4_at, step_5_at, step_6_at] as ats,
        coalesce(w2, w3, w4, w5, w6) as x1,
        coalesce(w3, w4, w5, w6) as x2,
        coalesce(w4, w5, w6) as x3,
        coalesce(w5, w6) as x4,
        w6 as x5
    from (
        select
            *,
            case when step_2_at <= window_ends_at then step_2_at end as w2,
            case when step_3_at <= window_ends_at then step_3_at end as w3,
            case when step_4_at <= window_ends_at then step_4_at end as w4,
            case when step_5_at <= window_ends_at then step_5_at end as w5,
            case when step_6_at <= window_ends_at then step_6_at end as w6
        from cx_marts.main.fct_journey
        where
            start_date_key > 0
    ) as j
    cross join k
    left join seg
        using (customer_key)
    where
        start_date_key <= k.last_key
), u as (
    select
        journey_key,
        journey,
        ym,
        in365,
        segment,
        respondent,
        is_matured,
        is_completed,
        unnest([1, 2, 3, 4, 5, 6]) as step_order,
        unnest(ats) as t0,
        unnest([x1, x2, x3, x4, x5, null]) as nx
    from j
)
select
    u.journey_key,
    s.journey,
    s.sid,
    u.ym,
    u.in365,
    u.segment,
    u.respondent,
    is_matured and not nx is null as p,
    is_matured and nx is null and not is_completed and not is_last as d,
    not is_matured and nx is null and not is_completed and not is_last as o,
    case when is_matured and nx >= t0 then date_diff('SECOND', t0, nx) end as secs
from u
join sid as s
    on s.journey = u.journey and s.step_order = u.step_order
where
    not t0 is null;

create or replace temporary table jt as
select distinct
    e.journey_key,
    s.sid,
    tp.tp
from cx_marts.main.fct_journey_event as e
join tp
    using (touchpoint_key)
join sid as s
    on s.journey = e.journey and s.step = e.step
where
    e.object <> 'survey_answer' and not e.step is null;

create or replace temporary table jour as
with u as (
    select
        sid,
        0 as tp,
        ym,
        in365,
        segment,
        respondent,
        p,
        d,
        o,
        secs
    from st
    union all
    select
        st.sid,
        jt.tp,
        ym,
        in365,
        segment,
        respondent,
        p,
        d,
        o,
        secs
    from st
    join jt
        on jt.journey_key = st.journey_key and jt.sid = st.sid
), g as (
    select
        sid,
        tp,
        ym,
        in365,
        segment,
        respondent,
        count(*) as entered,
        count_if(p) as progressed,
        count_if(d) as dropped,
        count_if(o) as still_open,
        array_agg(secs) filter(where
            not secs is null) as secs
    from u
    group by
        sid,
        tp,
        ym,
        in365,
        segment,
        respondent
), m as (
    select
        sid,
        tp,
        ym as period,
        segment,
        sum(entered) as entered,
        count(distinct respondent) as customers,
        sum(progressed) as progressed,
        sum(dropped) as dropped,
        sum(still_open) as still_open,
        flatten(array_agg(secs) filter(where
            not secs is null)) as secs
    from g
    group by
        sid,
        tp,
        ym,
        segment
)
select
    *
from m
union all
select
    sid,
    tp,
    0,
    segment,
    sum(entered),
    count(distinct respondent),
    sum(progressed),
    sum(dropped),
    sum(still_open),
    flatten(array_agg(secs) filter(where
        not secs is null))
from g
where
    in365
group by
    sid,
    tp,
    segment;

create or replace temporary table flow0 as
with base as (
    select
        'customer' as journey,
        c.period,
        d.step,
        coalesce(tp.touchpoint, 'all') as touchpoint,
        segment,
        entered,
        customers,
        progressed,
        dropped,
        still_open,
        secs
    from cust as c
    join (
        select distinct
            step_order as so,
            step
        from cx_marts.main.dim_journey_step
        where
            journey = 'customer'
    ) as d
        on d.so = c.so
    left join tp
        on tp.tp = c.tp
    union all
    select
        sid.journey,
        j.period,
        sid.step,
        coalesce(tp.touchpoint, 'all'),
        segment,
        entered,
        customers,
        progressed,
        dropped,
        still_open,
        secs
    from jour as j
    join sid
        using (sid)
    left join tp
        on tp.tp = j.tp
), bo as (
    select
        *
    from base
    union all
    select
        journey,
        period,
        step,
        touchpoint,
        'all',
        sum(entered),
        sum(customers),
        sum(progressed),
        sum(dropped),
        sum(still_open),
        flatten(array_agg(secs) filter(where
            not secs is null))
    from base
    group by
        journey,
        period,
        step,
        touchpoint
)
select
    journey,
    case when period = 0 then 'last_365_days' else 'month' end as period,
    case
        when period = 0
        then (
            select
                as_of - 364
            from k
        )
        else make_date(period // 100, period % 100, 1)
    end as period_start,
    step,
    touchpoint,
    segment,
    entered,
    customers,
    progressed,
    dropped,
    still_open,
    coalesce(length(secs), 0) as timed,
    list_transform(list_sort(secs), lambda x : x / 60.0) as sorted_minutes
from bo;

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
),

bounds as (
    select
        min(period_days.date_key) as first_key,
        max(coalesce(cast(extract(year from night.as_of) * 10000 + extract(month from night.as_of) * 100 + extract(day from night.as_of) as integer), -1)) as last_key
    from period_days
    cross join night
),

segments as (
    select customer_key, segment from "cx_marts"."main"."dim_customer"
),

steps as (
    select
        journey,
        step,
        step_order,
        stage,
        target_minutes,
        step_order = max(step_order) over (partition by journey) as is_last
    from "cx_marts"."main"."dim_journey_step"
),events as (
    select
        events.event_key,
        events.customer_key,
        coalesce(segments.segment, 'unknown') as segment,
        events.journey_key,
        events.journey,
        touchpoints.touchpoint,
        touchpoints.stage,
        touchpoints.stage_order,
        events.direction,
        events.occurred_at,
        events.date_key,
        events.metric,
        events.score_scale,
        events.score_norm
    from "cx_marts"."main"."fct_journey_event" as events
    inner join "cx_marts"."main"."dim_touchpoint" as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    left join segments on segments.customer_key = events.customer_key
    inner join bounds on events.date_key between bounds.first_key and bounds.last_key
),journeys as (
    select
        journeys.journey_key,
        journeys.journey,
        period_days.period,
        period_days.period_start,
        coalesce(segments.segment, 'unknown') as segment,
        case when journeys.customer_key = -1 then -1 - journeys.journey_key else journeys.customer_key end as respondent,
        journeys.step_1_at,
        case when journeys.step_1_at <= journeys.window_ends_at then journeys.step_1_at end as in_window_1_at,
        journeys.step_2_at,
        case when journeys.step_2_at <= journeys.window_ends_at then journeys.step_2_at end as in_window_2_at,
        journeys.step_3_at,
        case when journeys.step_3_at <= journeys.window_ends_at then journeys.step_3_at end as in_window_3_at,
        journeys.step_4_at,
        case when journeys.step_4_at <= journeys.window_ends_at then journeys.step_4_at end as in_window_4_at,
        journeys.step_5_at,
        case when journeys.step_5_at <= journeys.window_ends_at then journeys.step_5_at end as in_window_5_at,
        journeys.step_6_at,
        case when journeys.step_6_at <= journeys.window_ends_at then journeys.step_6_at end as in_window_6_at,
        journeys.is_matured,
        journeys.is_completed
    from "cx_marts"."main"."fct_journey" as journeys
    inner join period_days on period_days.date_key = journeys.start_date_key
    left join segments on segments.customer_key = journeys.customer_key
),

flow as (select * from flow0),

next_contacts as (
    select
        customer_key,
        occurred_at,
        lead(occurred_at) over (partition by customer_key order by occurred_at) as next_at
    from (select distinct customer_key, occurred_at from events where direction = 'inbound' and customer_key <> -1) as contacts
),

answers as (
    select
        events.event_key,
        events.customer_key,
        events.segment,
        events.journey_key,
        events.journey,
        events.stage,
        events.touchpoint,
        events.date_key,
        events.score_scale,
        cast(round(events.score_norm * 1000000000) as bigint) as units,
        events.score_norm,
        events.score_norm <= 0.4 as is_low,
        events.customer_key <> -1 and events.occurred_at + to_hours(24 * 90) <= night.ends_at as is_judged,
        coalesce(next_contacts.next_at <= events.occurred_at + to_hours(24 * 90), false) as is_back
    from events
    cross join night
    left join next_contacts on next_contacts.customer_key = events.customer_key and next_contacts.occurred_at = events.occurred_at
    where events.score_norm is not null and events.score_scale is not null and events.metric <> 'enps' and events.touchpoint <> 'unknown'
),

placed_answers as (
    select
        'customer' as journey, stage as step, 'all' as touchpoint, segment,
        case when customer_key = -1 then -1 - event_key else customer_key end as respondent,
        date_key, score_scale, units, score_norm, is_low, is_judged, is_back
    from answers
    union all
    select
        answers.journey, served.step, 'all', answers.segment,
        case when answers.customer_key = -1 then -1 - answers.journey_key else answers.customer_key end,
        answers.date_key, answers.score_scale, answers.units, answers.score_norm, answers.is_low, answers.is_judged, answers.is_back
    from answers
    inner join "warehouse"."seeds"."journey_touchpoints" as served
        on served.journey = answers.journey
        and served.touchpoint = answers.touchpoint
    where served.step is not null
    union all
    select
        'customer' as journey, stage as step, touchpoint as touchpoint, segment,
        case when customer_key = -1 then -1 - event_key else customer_key end as respondent,
        date_key, score_scale, units, score_norm, is_low, is_judged, is_back
    from answers
    union all
    select
        answers.journey, served.step, answers.touchpoint, answers.segment,
        case when answers.customer_key = -1 then -1 - answers.journey_key else answers.customer_key end,
        answers.date_key, answers.score_scale, answers.units, answers.score_norm, answers.is_low, answers.is_judged, answers.is_back
    from answers
    inner join "warehouse"."seeds"."journey_touchpoints" as served
        on served.journey = answers.journey
        and served.touchpoint = answers.touchpoint
    where served.step is not null

),

scored as (
    select
        placed.journey,
        period_days.period,
        period_days.period_start,
        placed.step,
        placed.touchpoint,
        placed.score_scale,
        case when grouping(placed.segment) = 1 then 'all' else placed.segment end as segment,
        count(*) as scores,
        count(distinct placed.respondent) as respondents,
        cast(sum(placed.units) as decimal(38, 0)) as total,
        sum(cast(placed.units as decimal(19, 0)) * cast(placed.units as decimal(19, 0))) as squares,
        list_sort(list(placed.score_norm)) as sorted_scores,
        sum(case when placed.is_low then 1 else 0 end) as below_floor,
        count(distinct case when placed.is_judged then placed.respondent end) as judged_respondents,
        sum(case when placed.is_judged and placed.is_low then 1 else 0 end) as low_judged,
        sum(case when placed.is_judged and placed.is_low and not placed.is_back then 1 else 0 end) as low_exited,
        sum(case when placed.is_judged and not placed.is_low then 1 else 0 end) as other_judged,
        sum(case when placed.is_judged and not placed.is_low and not placed.is_back then 1 else 0 end) as other_exited
    from placed_answers as placed
    inner join period_days on period_days.date_key = placed.date_key
    group by grouping sets (
        (placed.journey, period_days.period, period_days.period_start, placed.step, placed.touchpoint, placed.score_scale),
        (placed.journey, period_days.period, period_days.period_start, placed.step, placed.touchpoint, placed.score_scale, placed.segment)
    )
),

shown_scales as (
    select journey, period, period_start, step, touchpoint, score_scale
    from (
        select
            journey, period, period_start, step, touchpoint,
            score_scale,
            row_number() over (partition by journey, period, period_start, step, touchpoint order by scores desc, score_scale) as place
        from scored
        where segment = 'all'
    ) as ranked
    where place = 1
),

journey_means as (
    select
        period,
        period_start,
        segment,
        score_scale,
        cast(sum(total) as double) / (1000000000.0 * nullif(sum(scores), 0)) as journey_score_mean,
        count(*) as touchpoints
    from scored
    where journey = 'customer' and touchpoint <> 'all'
    group by period, period_start, segment, score_scale
),

means as (
    select
        scored.journey,
        scored.period,
        scored.period_start,
        scored.step,
        scored.touchpoint,
        scored.segment,
        scored.scores,
        scored.respondents,
        scored.judged_respondents,
        scored.sorted_scores,
        scored.below_floor,
        scored.low_judged,
        scored.low_exited,
        scored.other_judged,
        scored.other_exited,
        cast(scored.total as double) / (1000000000.0 * nullif(scored.scores, 0)) as score_mean,
        case when scored.scores >= 2 then
        greatest(0.0, least(1.0, (
            cast(scored.total + 1000000000 as double) / (scored.scores + 2) - case when scored.scores >= 2 then (case
        when scored.scores = 1 then 12.706205
        when scored.scores = 2 then 4.302653
        when scored.scores = 3 then 3.182446
        when scored.scores = 4 then 2.776445
        when scored.scores = 5 then 2.570582
        when scored.scores = 6 then 2.446912
        when scored.scores = 7 then 2.364624
        when scored.scores = 8 then 2.306004
        when scored.scores = 9 then 2.262157
        when scored.scores = 10 then 2.228139
        when scored.scores = 11 then 2.200985
        when scored.scores = 12 then 2.178813
        when scored.scores = 13 then 2.160369
        when scored.scores = 14 then 2.144787
        when scored.scores = 15 then 2.13145
        when scored.scores = 16 then 2.119905
        when scored.scores = 17 then 2.109816
        when scored.scores = 18 then 2.100922
        when scored.scores = 19 then 2.093024
        when scored.scores = 20 then 2.085963
        when scored.scores = 21 then 2.079614
        when scored.scores = 22 then 2.073873
        when scored.scores = 23 then 2.068658
        when scored.scores = 24 then 2.063899
        when scored.scores = 25 then 2.059539
        when scored.scores = 26 then 2.055529
        when scored.scores = 27 then 2.051831
        when scored.scores = 28 then 2.048407
        when scored.scores = 29 then 2.04523
        when scored.scores = 30 then 2.042272
        when scored.scores > 30 then
            1.959964 + 2.372271 / (scored.scores) + 2.822499 / power(scored.scores, 2) + 2.555850 / power(scored.scores, 3)
    end) * sqrt((cast((scored.squares + cast(1000000000 as decimal(19, 0)) * 1000000000) - 2 * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) * ((scored.total + 1000000000) - (scored.scores + 2) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0))) - (scored.scores + 2) * (cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0))) as double)
        - power(cast((scored.total + 1000000000) - (scored.scores + 2) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) as double), 2) / nullif((scored.scores + 2), 0))) / (scored.scores + 2) end
        ) / 1000000000.0))
    end as score_ci_low,
        case when scored.scores >= 2 then
        greatest(0.0, least(1.0, (
            cast(scored.total + 1000000000 as double) / (scored.scores + 2) + case when scored.scores >= 2 then (case
        when scored.scores = 1 then 12.706205
        when scored.scores = 2 then 4.302653
        when scored.scores = 3 then 3.182446
        when scored.scores = 4 then 2.776445
        when scored.scores = 5 then 2.570582
        when scored.scores = 6 then 2.446912
        when scored.scores = 7 then 2.364624
        when scored.scores = 8 then 2.306004
        when scored.scores = 9 then 2.262157
        when scored.scores = 10 then 2.228139
        when scored.scores = 11 then 2.200985
        when scored.scores = 12 then 2.178813
        when scored.scores = 13 then 2.160369
        when scored.scores = 14 then 2.144787
        when scored.scores = 15 then 2.13145
        when scored.scores = 16 then 2.119905
        when scored.scores = 17 then 2.109816
        when scored.scores = 18 then 2.100922
        when scored.scores = 19 then 2.093024
        when scored.scores = 20 then 2.085963
        when scored.scores = 21 then 2.079614
        when scored.scores = 22 then 2.073873
        when scored.scores = 23 then 2.068658
        when scored.scores = 24 then 2.063899
        when scored.scores = 25 then 2.059539
        when scored.scores = 26 then 2.055529
        when scored.scores = 27 then 2.051831
        when scored.scores = 28 then 2.048407
        when scored.scores = 29 then 2.04523
        when scored.scores = 30 then 2.042272
        when scored.scores > 30 then
            1.959964 + 2.372271 / (scored.scores) + 2.822499 / power(scored.scores, 2) + 2.555850 / power(scored.scores, 3)
    end) * sqrt((cast((scored.squares + cast(1000000000 as decimal(19, 0)) * 1000000000) - 2 * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) * ((scored.total + 1000000000) - (scored.scores + 2) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0))) - (scored.scores + 2) * (cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0))) as double)
        - power(cast((scored.total + 1000000000) - (scored.scores + 2) * cast(round(cast((scored.total + 1000000000) as double) / nullif((scored.scores + 2), 0)) as decimal(19, 0)) as double), 2) / nullif((scored.scores + 2), 0))) / (scored.scores + 2) end
        ) / 1000000000.0))
    end as score_ci_high,
        cast(whole_steps.total as double) / (1000000000.0 * nullif(whole_steps.scores, 0)) as step_score_mean,
        journey_means.journey_score_mean,
        journey_means.touchpoints
    from scored
    inner join shown_scales as shown on shown.journey = scored.journey and shown.period = scored.period and shown.period_start = scored.period_start and shown.step = scored.step and shown.touchpoint = scored.touchpoint and shown.score_scale = scored.score_scale
    inner join scored as whole_steps
        on whole_steps.journey = scored.journey
        and whole_steps.period = scored.period
        and whole_steps.period_start = scored.period_start
        and whole_steps.step = scored.step
        and whole_steps.touchpoint = 'all'
        and whole_steps.score_scale = scored.score_scale
        and whole_steps.segment = scored.segment
    inner join journey_means
        on journey_means.period = scored.period
        and journey_means.period_start = scored.period_start
        and journey_means.segment = scored.segment
        and journey_means.score_scale = scored.score_scale
),

cells as (
    select
        keys.journey,
        keys.period,
        keys.period_start,
        keys.step,
        keys.touchpoint,
        keys.segment,
        coalesce(flow.customers, 0) as flow_people,
        coalesce(means.respondents, 0) as score_people,
        coalesce(means.judged_respondents, 0) as exit_people
    from (
        select journey, period, period_start, step, touchpoint, segment from flow
        union
        select journey, period, period_start, step, touchpoint, segment from means
    ) as keys
    left join flow on flow.journey = keys.journey and flow.period = keys.period and flow.period_start = keys.period_start and flow.step = keys.step and flow.touchpoint = keys.touchpoint and flow.segment = keys.segment
    left join means on means.journey = keys.journey and means.period = keys.period and means.period_start = keys.period_start and means.step = keys.step and means.touchpoint = keys.touchpoint and means.segment = keys.segment
),

parts as (
    select 'flow' as part, journey, period, period_start, step, touchpoint, segment, flow_people as people, (flow_people > 0 and flow_people < 5) as hidden
    from cells
    union all
    select 'score' as part, journey, period, period_start, step, touchpoint, segment, score_people as people, (score_people > 0 and score_people < 5) as hidden
    from cells
    union all
    select 'exit' as part, journey, period, period_start, step, touchpoint, segment, exit_people as people, (exit_people > 0 and exit_people < 5) as hidden
    from cells

),

totals_of_hidden_in_periods as (
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from parts where segment = 'all'
),

counted_for_down_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden,
        touchpoint <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) = 1 as hides_any,
        sum(case when touchpoint <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_members,
        sum(case when touchpoint <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step) as members,
        max(case when touchpoint = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_totals,
        coalesce(max(case when touchpoint <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, touchpoint <> 'all' and people > 0 and not hidden order by people, touchpoint) as size_rank
    from totals_of_hidden_in_periods
),

down_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (touchpoint = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_down_hidden_in_periods
),

below_hidden_in_periods as (
    select
        cells.part, cells.journey, cells.period, cells.period_start, cells.step, cells.touchpoint, cells.segment, cells.people,
        totals.hidden as in_hidden_total,
        cells.hidden or (cells.segment = 'all' and totals.hidden) as hidden
    from parts as cells
    inner join down_hidden_in_periods as totals on totals.part = cells.part and totals.journey = cells.journey and totals.period = cells.period and totals.period_start = cells.period_start and totals.step = cells.step and totals.touchpoint = cells.touchpoint
    where cells.touchpoint <> 'all'
),

counted_for_across_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people, in_hidden_total,
        hidden,
        segment <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) = 1 as hides_any,
        sum(case when segment <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as hidden_members,
        sum(case when segment <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as members,
        max(case when segment = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as hidden_totals,
        coalesce(max(case when segment <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step, touchpoint), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, touchpoint, segment <> 'all' and people > 0 and not hidden order by people, segment) as size_rank
    from below_hidden_in_periods
),

across_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people, in_hidden_total,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (segment = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_across_hidden_in_periods
),pools_of_hidden_in_periods as (
    select
        part, journey, period, period_start, step,
        segment,
        min(segment) over pool <> max(segment) over pool as is_cut
    from across_hidden_in_periods
    where hidden and segment <> 'all' and people > 0
    window pool as (partition by part, journey, period, period_start, step, case when in_hidden_total then 'all' else touchpoint end)
),

cut_hidden_in_periods as (
    select distinct part, journey, period, period_start, step, segment from pools_of_hidden_in_periods where is_cut
),

edge_hidden_in_periods as (
    select
        cells.part, cells.journey, cells.period, cells.period_start, cells.step, cells.touchpoint, cells.segment, cells.people,
        cells.hidden or cut.segment is not null or (cells.segment = 'all' and totals.hidden) as hidden
    from parts as cells
    left join cut_hidden_in_periods as cut on cut.part = cells.part and cut.journey = cells.journey and cut.period = cells.period and cut.period_start = cells.period_start and cut.step = cells.step and cut.segment = cells.segment
    left join down_hidden_in_periods as totals on totals.part = cells.part and totals.journey = cells.journey and totals.period = cells.period and totals.period_start = cells.period_start and totals.step = cells.step and totals.touchpoint = cells.touchpoint
    where cells.touchpoint = 'all'
),

counted_for_ended_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden,
        segment <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) = 1 as hides_any,
        sum(case when segment <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_members,
        sum(case when segment <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step) as members,
        max(case when segment = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_totals,
        coalesce(sum(case when segment <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, segment <> 'all' and people > 0 and not hidden order by people, segment) as size_rank
    from edge_hidden_in_periods
),

ended_hidden_in_periods as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (segment = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_ended_hidden_in_periods
),

hidden_in_periods as (
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from across_hidden_in_periods
    union all
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from ended_hidden_in_periods
),

months_of_parts_and_months as (
    select part, journey, step, touchpoint, segment, period_start from hidden_in_periods where period = 'month' and hidden
),

parts_and_months as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden or (
            period <> 'month'
            and exists (
                select 1 from months_of_parts_and_months as months
                where
                    months.part = cells.part and months.journey = cells.journey and months.step = cells.step and months.touchpoint = cells.touchpoint and months.segment = cells.segment
                    and months.period_start between cells.period_start and cast(cells.period_start as date) + cast(364 as integer)
            )
        ) as hidden
    from hidden_in_periods as cells
),

totals_of_hidden_parts as (
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from parts_and_months where segment = 'all'
),

counted_for_down_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden,
        touchpoint <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) = 1 as hides_any,
        sum(case when touchpoint <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_members,
        sum(case when touchpoint <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step) as members,
        max(case when touchpoint = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_totals,
        coalesce(max(case when touchpoint <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, touchpoint <> 'all' and people > 0 and not hidden order by people, touchpoint) as size_rank
    from totals_of_hidden_parts
),

down_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (touchpoint = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_down_hidden_parts
),

below_hidden_parts as (
    select
        cells.part, cells.journey, cells.period, cells.period_start, cells.step, cells.touchpoint, cells.segment, cells.people,
        totals.hidden as in_hidden_total,
        cells.hidden or (cells.segment = 'all' and totals.hidden) as hidden
    from parts_and_months as cells
    inner join down_hidden_parts as totals on totals.part = cells.part and totals.journey = cells.journey and totals.period = cells.period and totals.period_start = cells.period_start and totals.step = cells.step and totals.touchpoint = cells.touchpoint
    where cells.touchpoint <> 'all'
),

counted_for_across_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people, in_hidden_total,
        hidden,
        segment <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) = 1 as hides_any,
        sum(case when segment <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as hidden_members,
        sum(case when segment <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as members,
        max(case when segment = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step, touchpoint) as hidden_totals,
        coalesce(max(case when segment <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step, touchpoint), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, touchpoint, segment <> 'all' and people > 0 and not hidden order by people, segment) as size_rank
    from below_hidden_parts
),

across_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people, in_hidden_total,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (segment = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_across_hidden_parts
),pools_of_hidden_parts as (
    select
        part, journey, period, period_start, step,
        segment,
        min(segment) over pool <> max(segment) over pool as is_cut
    from across_hidden_parts
    where hidden and segment <> 'all' and people > 0
    window pool as (partition by part, journey, period, period_start, step, case when in_hidden_total then 'all' else touchpoint end)
),

cut_hidden_parts as (
    select distinct part, journey, period, period_start, step, segment from pools_of_hidden_parts where is_cut
),

edge_hidden_parts as (
    select
        cells.part, cells.journey, cells.period, cells.period_start, cells.step, cells.touchpoint, cells.segment, cells.people,
        cells.hidden or cut.segment is not null or (cells.segment = 'all' and totals.hidden) as hidden
    from parts_and_months as cells
    left join cut_hidden_parts as cut on cut.part = cells.part and cut.journey = cells.journey and cut.period = cells.period and cut.period_start = cells.period_start and cut.step = cells.step and cut.segment = cells.segment
    left join down_hidden_parts as totals on totals.part = cells.part and totals.journey = cells.journey and totals.period = cells.period and totals.period_start = cells.period_start and totals.step = cells.step and totals.touchpoint = cells.touchpoint
    where cells.touchpoint = 'all'
),

counted_for_ended_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden,
        segment <> 'all' and people > 0 as is_member,
        max(case when hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) = 1 as hides_any,
        sum(case when segment <> 'all' and people > 0 and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_members,
        sum(case when segment <> 'all' and people > 0 then 1 else 0 end) over (partition by part, journey, period, period_start, step) as members,
        max(case when segment = 'all' and hidden then 1 else 0 end) over (partition by part, journey, period, period_start, step) as hidden_totals,
        coalesce(sum(case when segment <> 'all' and people > 0 and hidden then people end) over (partition by part, journey, period, period_start, step), 0) as cover,
        row_number() over (partition by part, journey, period, period_start, step, segment <> 'all' and people > 0 and not hidden order by people, segment) as size_rank
    from edge_hidden_parts
),

ended_hidden_parts as (
    select
        part, journey, period, period_start, step, touchpoint, segment, people,
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= 5))
        or (segment = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_ended_hidden_parts
),

hidden_parts as (
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from across_hidden_parts
    union all
    select part, journey, period, period_start, step, touchpoint, segment, people, hidden from ended_hidden_parts
),

hidden_cells as (
    select
        journey, period, period_start, step, touchpoint,
        segment,
        max(case when part = 'flow' then people end) as flow_people,
        max(case when part = 'flow' and hidden then 1 else 0 end) = 1 as hides_flow,
        max(case when part = 'score' then people end) as score_people,
        max(case when part = 'score' and hidden then 1 else 0 end) = 1 as hides_score,
        max(case when part = 'exit' then people end) as exit_people,
        max(case when part = 'exit' and hidden then 1 else 0 end) = 1 as hides_exit
    from hidden_parts
    group by journey, period, period_start, step, touchpoint, segment
),

final as (
    select
        cells.journey,
        cells.segment,
        cells.step,
        steps.step_order,
        steps.stage,
        cells.touchpoint,
        coalesce(touchpoints.touchpoint_key, -1) as touchpoint_key,
        coalesce(touchpoints.channel, 'all') as channel,
        coalesce(touchpoints.channel_class, 'all') as channel_class,
        coalesce(touchpoints.owner_department, 'all') as owner_department,
        coalesce(touchpoints.initiated_by, 'all') as initiated_by,
        cells.period,
        cells.period_start,
        case when not cells.hides_flow then cast(coalesce(flow.entered, 0) as bigint) end as entered,
        case when not cells.hides_flow then cast(coalesce(flow.customers, 0) as bigint) end as customers,
        case when not cells.hides_flow then cast(coalesce(flow.progressed, 0) as bigint) end as progressed,
        case when not cells.hides_flow then cast(coalesce(flow.dropped, 0) as bigint) end as dropped,
        case when not cells.hides_flow then cast(coalesce(flow.still_open, 0) as bigint) end as still_open,
        case when not cells.hides_flow and not steps.is_last then
            round(cast(flow.progressed as double) / nullif(flow.progressed + flow.dropped, 0), 4)
        end as progress_rate,
        case when not cells.hides_flow then round(case when floor(((flow.timed - 1) * 0.5 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(floor(((flow.timed - 1) * 0.5 + 1)) as bigint)) end + (((flow.timed - 1) * 0.5 + 1) - floor(((flow.timed - 1) * 0.5 + 1))) * (case when ceil(((flow.timed - 1) * 0.5 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(ceil(((flow.timed - 1) * 0.5 + 1)) as bigint)) end - case when floor(((flow.timed - 1) * 0.5 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(floor(((flow.timed - 1) * 0.5 + 1)) as bigint)) end), 4) end as minutes_to_next_p50,
        case when not cells.hides_flow then round(case when floor(((flow.timed - 1) * 0.9 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(floor(((flow.timed - 1) * 0.9 + 1)) as bigint)) end + (((flow.timed - 1) * 0.9 + 1) - floor(((flow.timed - 1) * 0.9 + 1))) * (case when ceil(((flow.timed - 1) * 0.9 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(ceil(((flow.timed - 1) * 0.9 + 1)) as bigint)) end - case when floor(((flow.timed - 1) * 0.9 + 1)) >= 1 then list_extract(flow.sorted_minutes, cast(floor(((flow.timed - 1) * 0.9 + 1)) as bigint)) end), 4) end as minutes_to_next_p90,
        cast(steps.target_minutes as double) as target_minutes,
        shown.score_scale,
        case when not cells.hides_score then coalesce(means.scores, 0) end as scores,
        case when not cells.hides_score then round(means.score_mean, 4) end as score_mean,
        case when not cells.hides_score then round(means.score_ci_low, 4) end as score_ci_low,
        case when not cells.hides_score then round(means.score_ci_high, 4) end as score_ci_high,
        case when not cells.hides_score then round(case when floor(((means.scores - 1) * 0.1 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.1 + 1)) as bigint)) end + (((means.scores - 1) * 0.1 + 1) - floor(((means.scores - 1) * 0.1 + 1))) * (case when ceil(((means.scores - 1) * 0.1 + 1)) >= 1 then list_extract(means.sorted_scores, cast(ceil(((means.scores - 1) * 0.1 + 1)) as bigint)) end - case when floor(((means.scores - 1) * 0.1 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.1 + 1)) as bigint)) end), 4) end as score_p10,
        case when not cells.hides_score then round(case when floor(((means.scores - 1) * 0.5 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.5 + 1)) as bigint)) end + (((means.scores - 1) * 0.5 + 1) - floor(((means.scores - 1) * 0.5 + 1))) * (case when ceil(((means.scores - 1) * 0.5 + 1)) >= 1 then list_extract(means.sorted_scores, cast(ceil(((means.scores - 1) * 0.5 + 1)) as bigint)) end - case when floor(((means.scores - 1) * 0.5 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.5 + 1)) as bigint)) end), 4) end as score_p50,
        case when not cells.hides_score then round(case when floor(((means.scores - 1) * 0.9 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.9 + 1)) as bigint)) end + (((means.scores - 1) * 0.9 + 1) - floor(((means.scores - 1) * 0.9 + 1))) * (case when ceil(((means.scores - 1) * 0.9 + 1)) >= 1 then list_extract(means.sorted_scores, cast(ceil(((means.scores - 1) * 0.9 + 1)) as bigint)) end - case when floor(((means.scores - 1) * 0.9 + 1)) >= 1 then list_extract(means.sorted_scores, cast(floor(((means.scores - 1) * 0.9 + 1)) as bigint)) end), 4) end as score_p90,
        case when not cells.hides_score then round(cast(means.below_floor as double) / means.scores, 4) end as share_below_floor,
        case when not cells.hides_score then round(means.journey_score_mean, 4) end as journey_score_mean,
        case when not cells.hides_score then round(means.score_mean - means.journey_score_mean, 4) end as score_gap,
        case when not cells.hides_score then
            coalesce(means.score_ci_low > means.journey_score_mean and round(means.score_mean - means.journey_score_mean, 9) >= 0.1 and means.scores >= 30 and means.touchpoints >= 2 and cells.touchpoint <> 'all', false)
        end as is_peak,
        case when not cells.hides_score then
            coalesce(means.score_ci_high < means.journey_score_mean and round(means.journey_score_mean - means.score_mean, 9) >= 0.1 and means.scores >= 30 and means.touchpoints >= 2 and cells.touchpoint <> 'all', false)
        end as is_trough,
        case when not cells.hides_exit then cast(coalesce(means.low_judged, 0) as bigint) end as low_scores,
        case when not cells.hides_exit then round(cast(means.low_exited as double) / nullif(means.low_judged, 0), 4) end
            as exit_rate_after_low,
        case when not cells.hides_exit then round(cast(means.other_exited as double) / nullif(means.other_judged, 0), 4) end
            as exit_rate_otherwise,
        case when not cells.hides_score and not whole_steps.hides_score and cells.touchpoint <> 'all' then
            round(means.score_mean - means.step_score_mean, 4)
        end as channel_gap,
        case when not cells.hides_flow and not cells.hides_score then
            round(coalesce(flow.entered, 0) * case
                when means.score_mean < means.journey_score_mean then means.journey_score_mean - means.score_mean
                when means.score_mean is not null then 0.0
            end, 4)
        end as opportunity_size,
        cells.hides_flow or (cells.flow_people = 0 and cells.hides_score) as is_suppressed,
        coalesce(flow.entered, 0) < 30 as is_low_n
    from hidden_cells as cells
    inner join steps on steps.journey = cells.journey and steps.step = cells.step
    left join hidden_cells as whole_steps
        on whole_steps.journey = cells.journey and whole_steps.period = cells.period and whole_steps.period_start = cells.period_start and whole_steps.step = cells.step and whole_steps.segment = cells.segment and whole_steps.touchpoint = 'all'
    left join "cx_marts"."main"."dim_touchpoint" as touchpoints on touchpoints.touchpoint = cells.touchpoint
    left join flow on flow.journey = cells.journey and flow.period = cells.period and flow.period_start = cells.period_start and flow.step = cells.step and flow.touchpoint = cells.touchpoint and flow.segment = cells.segment
    left join means on means.journey = cells.journey and means.period = cells.period and means.period_start = cells.period_start and means.step = cells.step and means.touchpoint = cells.touchpoint and means.segment = cells.segment
    left join shown_scales as shown on shown.journey = cells.journey and shown.period = cells.period and shown.period_start = cells.period_start and shown.step = cells.step and shown.touchpoint = cells.touchpoint
)

select * from final;
