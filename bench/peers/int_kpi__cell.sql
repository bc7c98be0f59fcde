-- int_kpi__cell of a full build by hand: each day sorted once and joined into windows as a list, counts added as doubles, decimals only
-- where there are totals. The rest is the model's own, for the KPIs of the sample company.
create or replace temp table tuned as
with night as (
    select as_of from "warehouse"."night"."night"
),

measures as (
    select measure, basis, max(quantile) is not null as has_quantiles, max(case when kpis.unit = 'currency' then 100 else 1000000 end) as units_per_one
    from "warehouse"."seeds"."kpis" as kpis
    group by measure, basis
),windows as (
    select
        measures.measure,
        measures.has_quantiles,
        measures.units_per_one,
        periods.period,
        dates.date_day,
        case
        when measures.basis = 'stock' then dates.date_day
        when periods.kind = 'rolling' then cast(dates.date_day as date) + cast(1 - periods.days as integer)
        when periods.period = 'week' then cast(date_trunc('week', dates.date_day) as date)
        when periods.period = 'month' then cast(date_trunc('month', dates.date_day) as date)
        when periods.period = 'quarter' then cast(date_trunc('quarter', dates.date_day) as date)
        else dates.date_day
    end as window_start,
        periods.kind = 'calendar' or cast(
        (date_diff('day', date_trunc('week', dates.date_day)::timestamp, dates.date_day::timestamp ))
     + 1 as integer) = 7 or dates.date_day = night.as_of as is_for_breakdowns
    from "cx_marts"."main"."dim_date" as dates
    cross join night
    cross join measures
    inner join "warehouse"."seeds"."kpi_periods" as periods on periods.basis = measures.basis
    where
        dates.date_day <= night.as_of
        and true
        and (
            periods.kind = 'rolling'
            or dates.date_day = case periods.period
        when 'week' then cast(date_trunc('week', dates.date_day) as date) + cast(6 as integer)
        when 'month' then cast(cast(cast(

    (cast(date_trunc('month', dates.date_day) as date) + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date)
        when 'quarter' then cast(

    (date_trunc('quarter', dates.date_day) + cast(3 as bigint) * interval 1 month) as date) + cast(-1 as integer)
        else dates.date_day
    end
            or (dates.date_day = night.as_of and measures.basis <> 'employee')
        )
),

ranges as (
    select
        measure,
        has_quantiles,
        units_per_one,
        min(window_start) as first_start,
        min(date_day) as first_day,
        max(date_day) as last_day
    from windows
    group by measure, has_quantiles, units_per_one
),

all_records as (

    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__answer" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__voice" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__ticket" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__order" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__customer" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__journey" where date_day <= (select as_of from night)
    union all
    select measure, date_day, superseded_on, is_state, respondent, positives, negatives, responses, total, minutes, segment, channel, country, team, product, journey, touchpoint from "warehouse"."intermediate"."int_kpi__case" where date_day <= (select as_of from night)

),

records as (
    select
        ranges.has_quantiles,
        ranges.first_day,
        cast(round(all_records.total * ranges.units_per_one) as decimal(19, 0)) as units,
        all_records.measure,
        all_records.date_day,
        all_records.superseded_on,
        all_records.is_state,
        all_records.respondent,
        all_records.positives,
        all_records.negatives,
        all_records.responses,
        all_records.minutes,
        all_records.segment,
        all_records.channel,
        all_records.country,
        all_records.team,
        all_records.product,
        all_records.journey,
        all_records.touchpoint
    from all_records
    inner join ranges
        on ranges.measure = all_records.measure
        and all_records.date_day <= ranges.last_day
        and (all_records.is_state or all_records.date_day >= ranges.first_start)
),

dimensions as (
    select 'all' as dimension union all select dimension from "warehouse"."seeds"."kpi_dimensions"
),

placed as (
    select
        records.measure,
        records.has_quantiles,
        dimensions.dimension,
        case dimensions.dimension
        when 'all' then 'all'
        when 'segment' then records.segment
        when 'channel' then records.channel
        when 'country' then records.country
        when 'team' then records.team
        when 'product' then records.product
        when 'journey' then records.journey
        when 'touchpoint' then records.touchpoint
    end as member,
        records.respondent,
        case when records.is_state then greatest(records.date_day, records.first_day) else records.date_day end as date_day,
        records.superseded_on,
        records.is_state,
        records.positives,
        records.negatives,
        records.responses,
        records.units,
        records.minutes
    from records
    cross join dimensions
    where case dimensions.dimension
        when 'all' then 'all'
        when 'segment' then records.segment
        when 'channel' then records.channel
        when 'country' then records.country
        when 'team' then records.team
        when 'product' then records.product
        when 'journey' then records.journey
        when 'touchpoint' then records.touchpoint
    end is not null
),people as (
    select
        measure,
        dimension,
        member,
        date_day,
        sum(case when records_now > 0 then 1 else 0 end - case when records_now - change > 0 then 1 else 0 end) as people
    from (
        select
            measure,
            dimension,
            member,
            date_day,
            sum(responses) as change,
            sum(sum(responses)) over (
                partition by measure, dimension, member, respondent order by date_day rows unbounded preceding
            ) as records_now
        from placed
        where is_state
        group by measure, dimension, member, respondent, date_day
    ) as respondents
    group by measure, dimension, member, date_day
),

added as (
    select
        measure,
        dimension,
        member,
        date_day,
        superseded_on,
        is_state,
        -- Counts are whole numbers: as doubles they add up exactly below 2^53, in half the bytes.
        cast(sum(positives) as double) as positives,
        cast(sum(negatives) as double) as negatives,
        cast(sum(responses) as double) as responses,
        cast(sum(coalesce(units, 0)) as decimal(38, 0)) as total,
        sum(cast(coalesce(units, 0) as decimal(19, 0)) * cast(coalesce(units, 0) as decimal(19, 0))) as squares,
        cast(0 as double) as people
    from placed
    where not has_quantiles
    group by measure, dimension, member, date_day, superseded_on, is_state
    union all
    select measure, dimension, member, date_day, null, true, 0::double, 0::double, 0::double, 0, 0, cast(people as double) from people
),in_periods as (
    select
        added.measure,
        periods.period,
        added.dimension,
        added.member,
        least(case periods.period
        when 'week' then cast(date_trunc('week', added.date_day) as date) + cast(6 as integer)
        when 'month' then cast(cast(cast(

    (cast(date_trunc('month', added.date_day) as date) + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date)
        when 'quarter' then cast(

    (date_trunc('quarter', added.date_day) + cast(3 as bigint) * interval 1 month) as date) + cast(-1 as integer)
        else added.date_day
    end, night.as_of) as date_day,
        added.superseded_on,
        added.positives,
        added.negatives,
        added.responses,
        added.total,
        added.squares,
        added.people
    from added
    cross join night
    cross join (select distinct period, kind, days from "warehouse"."seeds"."kpi_periods" where kind = 'calendar') as periods
    where not added.is_state
),

calendar_sums as (
    select
        measure, period, dimension, member,
        date_day,
        sum(positives) as positives,
        sum(negatives) as negatives,
        sum(responses) as responses,
        sum(total) as total,
        sum(squares) as squares,
        sum(people) as people
    from in_periods
    where (superseded_on is null or superseded_on > date_day) and (measure, period, date_day) in (select measure, period, date_day from windows)
    group by measure, period, dimension, member, date_day
),

stays as (
    select
        added.measure,
        periods.period,
        added.dimension,
        added.member,
        added.date_day as enters_on,
        case
            when added.is_state then null
            when added.superseded_on < case when periods.kind = 'rolling' then cast(added.date_day as date) + cast(periods.days as integer) else cast((case periods.period
        when 'week' then cast(date_trunc('week', added.date_day) as date) + cast(6 as integer)
        when 'month' then cast(cast(cast(

    (cast(date_trunc('month', added.date_day) as date) + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date)
        when 'quarter' then cast(

    (date_trunc('quarter', added.date_day) + cast(3 as bigint) * interval 1 month) as date) + cast(-1 as integer)
        else added.date_day
    end) as date) + cast(1 as integer) end then added.superseded_on
            else case when periods.kind = 'rolling' then cast(added.date_day as date) + cast(periods.days as integer) else cast((case periods.period
        when 'week' then cast(date_trunc('week', added.date_day) as date) + cast(6 as integer)
        when 'month' then cast(cast(cast(

    (cast(date_trunc('month', added.date_day) as date) + cast(1 as bigint) * interval 1 month) as date) as date) + cast(-1 as integer) as date)
        when 'quarter' then cast(

    (date_trunc('quarter', added.date_day) + cast(3 as bigint) * interval 1 month) as date) + cast(-1 as integer)
        else added.date_day
    end) as date) + cast(1 as integer) end
        end as leaves_on,
        added.positives,
        added.negatives,
        added.responses,
        added.total,
        added.squares,
        added.people
    from added
    inner join measures on measures.measure = added.measure
    inner join "warehouse"."seeds"."kpi_periods" as periods on periods.basis = measures.basis
    where added.is_state or periods.kind = 'rolling'
),

changes as (
    select measure, period, dimension, member, enters_on as date_day, positives, negatives, responses, total, squares, people, 0 as is_window from stays
    where leaves_on is null or leaves_on > enters_on
    union all
    select measure, period, dimension, member, leaves_on, -positives, -negatives, -responses, -total, -squares, -people, 0 from stays
    where leaves_on > enters_on
    union all
    select cells.measure, cells.period, cells.dimension, cells.member, windows.date_day, 0, 0, 0, 0, 0, 0, 1
    from (select distinct measure, period, dimension, member from stays) as cells
    inner join windows
        on windows.measure = cells.measure
        and windows.period = cells.period
        and (cells.dimension = 'all' or windows.is_for_breakdowns)
),

daily_changes as (
    select
        measure, period, dimension, member,
        date_day,
        sum(positives) as positives,
        sum(negatives) as negatives,
        sum(responses) as responses,
        sum(total) as total,
        sum(squares) as squares,
        sum(people) as people,
        max(is_window) as is_window
    from changes
    group by measure, period, dimension, member, date_day
),

-- Decimals run along only where a measure has totals.
with_totals as (
    select distinct measure from placed where units is not null
),

running as (
    select
        measure, period, dimension, member,
        date_day,
        sum(positives) over so_far as positives,
        sum(negatives) over so_far as negatives,
        sum(responses) over so_far as responses,
        sum(total) over so_far as total,
        sum(squares) over so_far as squares,
        sum(people) over so_far as people,
        is_window
    from daily_changes
    where measure in (select measure from with_totals)
    window so_far as (partition by measure, period, dimension, member order by date_day rows unbounded preceding)
    union all
    select
        measure, period, dimension, member,
        date_day,
        sum(positives) over so_far as positives,
        sum(negatives) over so_far as negatives,
        sum(responses) over so_far as responses,
        0,
        0,
        sum(people) over so_far as people,
        is_window
    from daily_changes
    where measure not in (select measure from with_totals)
    window so_far as (partition by measure, period, dimension, member order by date_day rows unbounded preceding)
),

counts as (
    select
        measure, period, dimension, member,
        date_day,
        cast(sum(positives) as bigint) as positives,
        cast(sum(negatives) as bigint) as negatives,
        cast(sum(responses) as bigint) as responses,
        cast(sum(people) as bigint) as people,
        cast(sum(total) as decimal(38, 0)) as total,
        cast(sum(squares) as decimal(38, 0)) as squares
    from (
        select measure, period, dimension, member, date_day, positives, negatives, responses, total, squares, people from running where is_window = 1
        union all
        select measure, period, dimension, member, date_day, positives, negatives, responses, total, squares, people from calendar_sums
    ) as both_kinds
    group by measure, period, dimension, member, date_day
),

beginnings as (
    select measure, min(date_day) as began_on from all_records where is_state group by measure
),estimated as (
    select
        kpis.kpi,
        kpis.method,
        kpis.unit,
        kpis.counted,
        kpis.basis,
        counts.measure,
        counts.date_day,
        counts.period,
        counts.dimension,
        counts.member,
        counts.positives,
        counts.negatives,
        counts.responses,
        counts.total,
        counts.squares,
        counts.people,
        case
        when kpis.method = 'adjusted_wald' then 100.0 * (counts.positives - counts.negatives) / (counts.responses + 3.0)
        when kpis.method = 'wilson' then 100.0 * ((case kpis.counted when 'negatives' then counts.responses - counts.positives else counts.positives end) + 1.0) / (counts.responses + 2.0)
        when kpis.method = 'mean' and kpis.unit = 'percent of the scale'
            then cast(counts.total + 100000000 as double) / (counts.responses + 2) / case when kpis.unit = 'currency' then 100 else 1000000 end
        when kpis.method = 'mean' then cast(counts.total as double) / case when kpis.unit = 'currency' then 100 else 1000000 end / nullif(counts.responses, 0)
        when kpis.method = 'per_hundred' then 100.0 * (counts.positives + 1.0) / nullif(counts.responses, 0)
    end as estimate,
        case
        when kpis.method = 'adjusted_wald' then (case
        when counts.responses = 1 then 12.706205
        when counts.responses = 2 then 4.302653
        when counts.responses = 3 then 3.182446
        when counts.responses = 4 then 2.776445
        when counts.responses = 5 then 2.570582
        when counts.responses = 6 then 2.446912
        when counts.responses = 7 then 2.364624
        when counts.responses = 8 then 2.306004
        when counts.responses = 9 then 2.262157
        when counts.responses = 10 then 2.228139
        when counts.responses = 11 then 2.200985
        when counts.responses = 12 then 2.178813
        when counts.responses = 13 then 2.160369
        when counts.responses = 14 then 2.144787
        when counts.responses = 15 then 2.13145
        when counts.responses = 16 then 2.119905
        when counts.responses = 17 then 2.109816
        when counts.responses = 18 then 2.100922
        when counts.responses = 19 then 2.093024
        when counts.responses = 20 then 2.085963
        when counts.responses = 21 then 2.079614
        when counts.responses = 22 then 2.073873
        when counts.responses = 23 then 2.068658
        when counts.responses = 24 then 2.063899
        when counts.responses = 25 then 2.059539
        when counts.responses = 26 then 2.055529
        when counts.responses = 27 then 2.051831
        when counts.responses = 28 then 2.048407
        when counts.responses = 29 then 2.04523
        when counts.responses = 30 then 2.042272
        when counts.responses > 30 then
            1.959964 + 2.372271 / (counts.responses) + 2.822499 / power(counts.responses, 2) + 2.555850 / power(counts.responses, 3)
    end) * (100.0 * sqrt((((counts.positives + 0.75) / (counts.responses + 3.0)) + ((counts.negatives + 0.75) / (counts.responses + 3.0)) - (((counts.positives + 0.75) / (counts.responses + 3.0)) - ((counts.negatives + 0.75) / (counts.responses + 3.0))) * (((counts.positives + 0.75) / (counts.responses + 3.0)) - ((counts.negatives + 0.75) / (counts.responses + 3.0)))) / (counts.responses + 3.0)))
        when kpis.method = 'wilson' then (case
        when counts.responses = 1 then 12.706205
        when counts.responses = 2 then 4.302653
        when counts.responses = 3 then 3.182446
        when counts.responses = 4 then 2.776445
        when counts.responses = 5 then 2.570582
        when counts.responses = 6 then 2.446912
        when counts.responses = 7 then 2.364624
        when counts.responses = 8 then 2.306004
        when counts.responses = 9 then 2.262157
        when counts.responses = 10 then 2.228139
        when counts.responses = 11 then 2.200985
        when counts.responses = 12 then 2.178813
        when counts.responses = 13 then 2.160369
        when counts.responses = 14 then 2.144787
        when counts.responses = 15 then 2.13145
        when counts.responses = 16 then 2.119905
        when counts.responses = 17 then 2.109816
        when counts.responses = 18 then 2.100922
        when counts.responses = 19 then 2.093024
        when counts.responses = 20 then 2.085963
        when counts.responses = 21 then 2.079614
        when counts.responses = 22 then 2.073873
        when counts.responses = 23 then 2.068658
        when counts.responses = 24 then 2.063899
        when counts.responses = 25 then 2.059539
        when counts.responses = 26 then 2.055529
        when counts.responses = 27 then 2.051831
        when counts.responses = 28 then 2.048407
        when counts.responses = 29 then 2.04523
        when counts.responses = 30 then 2.042272
        when counts.responses > 30 then
            1.959964 + 2.372271 / (counts.responses) + 2.822499 / power(counts.responses, 2) + 2.555850 / power(counts.responses, 3)
    end) * 100.0 * sqrt(((case kpis.counted when 'negatives' then counts.responses - counts.positives else counts.positives end) + 1.0) * (counts.responses - (case kpis.counted when 'negatives' then counts.responses - counts.positives else counts.positives end) + 1.0) / (counts.responses + 2.0)) / (counts.responses + 2.0)
        when kpis.method = 'mean' and kpis.unit = 'percent of the scale'
            then case when counts.responses >= 2 then (case
        when counts.responses = 1 then 12.706205
        when counts.responses = 2 then 4.302653
        when counts.responses = 3 then 3.182446
        when counts.responses = 4 then 2.776445
        when counts.responses = 5 then 2.570582
        when counts.responses = 6 then 2.446912
        when counts.responses = 7 then 2.364624
        when counts.responses = 8 then 2.306004
        when counts.responses = 9 then 2.262157
        when counts.responses = 10 then 2.228139
        when counts.responses = 11 then 2.200985
        when counts.responses = 12 then 2.178813
        when counts.responses = 13 then 2.160369
        when counts.responses = 14 then 2.144787
        when counts.responses = 15 then 2.13145
        when counts.responses = 16 then 2.119905
        when counts.responses = 17 then 2.109816
        when counts.responses = 18 then 2.100922
        when counts.responses = 19 then 2.093024
        when counts.responses = 20 then 2.085963
        when counts.responses = 21 then 2.079614
        when counts.responses = 22 then 2.073873
        when counts.responses = 23 then 2.068658
        when counts.responses = 24 then 2.063899
        when counts.responses = 25 then 2.059539
        when counts.responses = 26 then 2.055529
        when counts.responses = 27 then 2.051831
        when counts.responses = 28 then 2.048407
        when counts.responses = 29 then 2.04523
        when counts.responses = 30 then 2.042272
        when counts.responses > 30 then
            1.959964 + 2.372271 / (counts.responses) + 2.822499 / power(counts.responses, 2) + 2.555850 / power(counts.responses, 3)
    end) * sqrt((cast((counts.squares + cast(100000000 as decimal(19, 0)) * 100000000) - 2 * cast(round(cast((counts.total + 100000000) as double) / nullif((counts.responses + 2), 0)) as decimal(19, 0)) * ((counts.total + 100000000) - (counts.responses + 2) * cast(round(cast((counts.total + 100000000) as double) / nullif((counts.responses + 2), 0)) as decimal(19, 0))) - (counts.responses + 2) * (cast(round(cast((counts.total + 100000000) as double) / nullif((counts.responses + 2), 0)) as decimal(19, 0)) * cast(round(cast((counts.total + 100000000) as double) / nullif((counts.responses + 2), 0)) as decimal(19, 0))) as double)
        - power(cast((counts.total + 100000000) - (counts.responses + 2) * cast(round(cast((counts.total + 100000000) as double) / nullif((counts.responses + 2), 0)) as decimal(19, 0)) as double), 2) / nullif((counts.responses + 2), 0))) / (counts.responses + 2) end / case when kpis.unit = 'currency' then 100 else 1000000 end
        when kpis.method = 'mean'
            then case when counts.responses >= 2 and (cast(counts.squares - 2 * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) * (counts.total - counts.responses * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0))) - counts.responses * (cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0))) as double)
        - power(cast(counts.total - counts.responses * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) as double), 2) / nullif(counts.responses, 0)) > 0 then
        (case
        when counts.responses - 1 = 1 then 12.706205
        when counts.responses - 1 = 2 then 4.302653
        when counts.responses - 1 = 3 then 3.182446
        when counts.responses - 1 = 4 then 2.776445
        when counts.responses - 1 = 5 then 2.570582
        when counts.responses - 1 = 6 then 2.446912
        when counts.responses - 1 = 7 then 2.364624
        when counts.responses - 1 = 8 then 2.306004
        when counts.responses - 1 = 9 then 2.262157
        when counts.responses - 1 = 10 then 2.228139
        when counts.responses - 1 = 11 then 2.200985
        when counts.responses - 1 = 12 then 2.178813
        when counts.responses - 1 = 13 then 2.160369
        when counts.responses - 1 = 14 then 2.144787
        when counts.responses - 1 = 15 then 2.13145
        when counts.responses - 1 = 16 then 2.119905
        when counts.responses - 1 = 17 then 2.109816
        when counts.responses - 1 = 18 then 2.100922
        when counts.responses - 1 = 19 then 2.093024
        when counts.responses - 1 = 20 then 2.085963
        when counts.responses - 1 = 21 then 2.079614
        when counts.responses - 1 = 22 then 2.073873
        when counts.responses - 1 = 23 then 2.068658
        when counts.responses - 1 = 24 then 2.063899
        when counts.responses - 1 = 25 then 2.059539
        when counts.responses - 1 = 26 then 2.055529
        when counts.responses - 1 = 27 then 2.051831
        when counts.responses - 1 = 28 then 2.048407
        when counts.responses - 1 = 29 then 2.04523
        when counts.responses - 1 = 30 then 2.042272
        when counts.responses - 1 > 30 then
            1.959964 + 2.372271 / (counts.responses - 1) + 2.822499 / power(counts.responses - 1, 2) + 2.555850 / power(counts.responses - 1, 3)
    end) * sqrt((cast(counts.squares - 2 * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) * (counts.total - counts.responses * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0))) - counts.responses * (cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0))) as double)
        - power(cast(counts.total - counts.responses * cast(round(cast(counts.total as double) / nullif(counts.responses, 0)) as decimal(19, 0)) as double), 2) / nullif(counts.responses, 0)) / (counts.responses - 1.0) / counts.responses)
    end / case when kpis.unit = 'currency' then 100 else 1000000 end
        when kpis.method = 'per_hundred' then 1.959964 * 100.0 * sqrt(counts.positives + 1.0) / nullif(counts.responses, 0)
    end as margin
    from counts
    inner join "warehouse"."seeds"."kpis" as kpis on kpis.measure = counts.measure
    left join beginnings on beginnings.measure = counts.measure
    where
        counts.responses > 0
        or counts.positives > 0
        or (kpis.kpi = 'backlog' and counts.dimension = 'all' and counts.date_day >= beginnings.began_on)
),

counted as (
    select
        kpi,
        measure,
        date_day,
        period,
        dimension,
        member,
        case counted
            when 'net' then cast(positives - negatives as double)
            when 'positives' then cast(positives as double)
            when 'negatives' then cast(responses - positives as double)
            when 'total' then cast(estimated.total as double) / case when estimated.unit = 'currency' then 100 else 1000000 end
            else cast(responses as double)
        end as numerator,
        case when method not in ('count', 'sum') then cast(responses as double) end as denominator,
        case when method = 'per_hundred' then positives else responses end as n,
        case when basis = 'stock' or method = 'per_hundred' then people end as people,
        case estimated.method
        when 'adjusted_wald' then 100.0 * (estimated.positives - estimated.negatives) / nullif(estimated.responses, 0)
        when 'wilson' then 100.0 * (case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / nullif(estimated.responses, 0)
        when 'mean' then cast(estimated.total as double) / case when estimated.unit = 'currency' then 100 else 1000000 end / nullif(estimated.responses, 0)
        when 'sum' then cast(estimated.total as double) / case when estimated.unit = 'currency' then 100 else 1000000 end
        when 'per_hundred' then 100.0 * estimated.positives / nullif(estimated.responses, 0)
        else cast(estimated.responses as double)
    end as value,
        case
        when estimated.method = 'adjusted_wald'
            then case when estimated.responses > 0 then
        greatest(-100.0, least(100.0,
            100.0 * (estimated.positives - estimated.negatives) / (estimated.responses + 3.0) - 1.959964 * 100.0 * sqrt((((estimated.positives + 0.75) / (estimated.responses + 3.0)) + ((estimated.negatives + 0.75) / (estimated.responses + 3.0)) - (((estimated.positives + 0.75) / (estimated.responses + 3.0)) - ((estimated.negatives + 0.75) / (estimated.responses + 3.0))) * (((estimated.positives + 0.75) / (estimated.responses + 3.0)) - ((estimated.negatives + 0.75) / (estimated.responses + 3.0)))) / (estimated.responses + 3.0))
        ))
    end
        when estimated.method = 'wilson' then case when estimated.responses > 0 then
        greatest(0.0, least(100.0,
            100.0 * (((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double)) + 1.959964 * 1.959964 / (2.0 * estimated.responses)
                - 1.959964 * sqrt(((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double)) * (1 - ((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double))) / estimated.responses + 1.959964 * 1.959964 / (4.0 * estimated.responses * estimated.responses)))
            / (1 + 1.959964 * 1.959964 / estimated.responses)
        ))
    end
        when estimated.method = 'mean' and estimated.unit = 'percent of the scale' and (estimated.estimate - estimated.margin) is not null
            then greatest(0.0, least(100.0, (estimated.estimate - estimated.margin)))
        when estimated.method = 'mean' then (estimated.estimate - estimated.margin)
        when estimated.method = 'per_hundred' then 100.0 * (estimated.positives + 1.959964 * 1.959964 / 2 - 1.959964 * sqrt(estimated.positives + 1.959964 * 1.959964 / 4)) / nullif(estimated.responses, 0)
    end as ci_low,
        case
        when estimated.method = 'adjusted_wald'
            then case when estimated.responses > 0 then
        greatest(-100.0, least(100.0,
            100.0 * (estimated.positives - estimated.negatives) / (estimated.responses + 3.0) + 1.959964 * 100.0 * sqrt((((estimated.positives + 0.75) / (estimated.responses + 3.0)) + ((estimated.negatives + 0.75) / (estimated.responses + 3.0)) - (((estimated.positives + 0.75) / (estimated.responses + 3.0)) - ((estimated.negatives + 0.75) / (estimated.responses + 3.0))) * (((estimated.positives + 0.75) / (estimated.responses + 3.0)) - ((estimated.negatives + 0.75) / (estimated.responses + 3.0)))) / (estimated.responses + 3.0))
        ))
    end
        when estimated.method = 'wilson' then case when estimated.responses > 0 then
        greatest(0.0, least(100.0,
            100.0 * (((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double)) + 1.959964 * 1.959964 / (2.0 * estimated.responses)
                + 1.959964 * sqrt(((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double)) * (1 - ((case estimated.counted when 'negatives' then estimated.responses - estimated.positives else estimated.positives end) / cast(estimated.responses as double))) / estimated.responses + 1.959964 * 1.959964 / (4.0 * estimated.responses * estimated.responses)))
            / (1 + 1.959964 * 1.959964 / estimated.responses)
        ))
    end
        when estimated.method = 'mean' and estimated.unit = 'percent of the scale' and (estimated.estimate + estimated.margin) is not null
            then greatest(0.0, least(100.0, (estimated.estimate + estimated.margin)))
        when estimated.method = 'mean' then (estimated.estimate + estimated.margin)
        when estimated.method = 'per_hundred' then 100.0 * (estimated.positives + 1.959964 * 1.959964 / 2 + 1.959964 * sqrt(estimated.positives + 1.959964 * 1.959964 / 4)) / nullif(estimated.responses, 0)
    end as ci_high,
        estimate,
        margin
    from estimated
),

-- Each day is sorted once and joined into the windows as a list.
sorted_days as (
    select measure, dimension, member, date_day, list_sort(list(minutes)) as minutes
    from placed
    where has_quantiles
    group by measure, dimension, member, date_day
),

durations as (
    select measure, period, date_day, dimension, member, len(sorted_minutes) as n, sorted_minutes
    from (
        select
            windows.measure, windows.period, windows.date_day, days.dimension, days.member,
            list_sort(flatten(list(days.minutes))) as sorted_minutes
        from sorted_days as days
        inner join windows
            on windows.measure = days.measure
            and days.date_day between windows.window_start and windows.date_day
            and (days.dimension = 'all' or windows.is_for_breakdowns)
        where windows.has_quantiles
        group by windows.measure, windows.period, windows.date_day, days.dimension, days.member
    ) as in_windows
),

timed as (
    select
        kpis.kpi,
        durations.measure,
        durations.date_day,
        durations.period,
        durations.dimension,
        durations.member,
        cast(null as double) as numerator,
        cast(durations.n as double) as denominator,
        durations.n,
        cast(null as bigint) as people,
        case when floor(((durations.n - 1) * kpis.quantile + 1)) >= 1 then list_extract(durations.sorted_minutes, cast(floor(((durations.n - 1) * kpis.quantile + 1)) as bigint)) end + (((durations.n - 1) * kpis.quantile + 1) - floor(((durations.n - 1) * kpis.quantile + 1))) * (case when ceil(((durations.n - 1) * kpis.quantile + 1)) >= 1 then list_extract(durations.sorted_minutes, cast(ceil(((durations.n - 1) * kpis.quantile + 1)) as bigint)) end - case when floor(((durations.n - 1) * kpis.quantile + 1)) >= 1 then list_extract(durations.sorted_minutes, cast(floor(((durations.n - 1) * kpis.quantile + 1)) as bigint)) end) as value,
        case when floor(durations.n * kpis.quantile - 1.959964 * sqrt(durations.n * kpis.quantile * (1 - kpis.quantile))) >= 1 then list_extract(durations.sorted_minutes, cast(floor(durations.n * kpis.quantile - 1.959964 * sqrt(durations.n * kpis.quantile * (1 - kpis.quantile))) as bigint)) end as ci_low,
        case when (ceil(durations.n * kpis.quantile + 1.959964 * sqrt(durations.n * kpis.quantile * (1 - kpis.quantile))) + 1) >= 1 then list_extract(durations.sorted_minutes, cast((ceil(durations.n * kpis.quantile + 1.959964 * sqrt(durations.n * kpis.quantile * (1 - kpis.quantile))) + 1) as bigint)) end as ci_high,
        cast(null as double) as estimate,
        cast(null as double) as margin
    from durations
    inner join "warehouse"."seeds"."kpis" as kpis on kpis.measure = durations.measure
),

figures as (
    select kpi, measure, date_day, period, dimension, member, numerator, denominator, n, people, value, ci_low, ci_high, estimate, margin from counted
    union all
    select kpi, measure, date_day, period, dimension, member, numerator, denominator, n, people, value, ci_low, ci_high, estimate, margin from timed
)

select
    figures.kpi,
    figures.measure,
    figures.date_day,
    figures.period,
    windows.window_start,
    figures.dimension,
    figures.member,
    round(figures.numerator, 4) as numerator,
    figures.denominator,
    figures.n,
    figures.people,
    round(figures.value, 4) as value,
    round(figures.ci_low, 4) as ci_low,
    round(figures.ci_high, 4) as ci_high,
    round(figures.estimate, 8) as estimate,
    round(figures.margin, 8) as margin
from figures
inner join windows
    on windows.measure = figures.measure
    and windows.period = figures.period
    and windows.date_day = figures.date_day;
