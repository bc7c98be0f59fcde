{#-
    Every KPI of every window and member, nothing hidden. What lives here: adding records up over windows, and the figures that
    come of it. Not here: which records count (int_kpi__*), formulas (macros/kpi), what may be shown (mart_kpi_daily).

    Calendar periods are sums over their days. What rolling windows and states hold is summed as changes: up on the day a record
    enters, down on the day it leaves, so a window of 90 days costs as much as one of 7. Quantiles need the values themselves:
    windows are spread into their days. Rolling windows of breakdowns end on Sundays and on the business date: on other days they
    could hardly ever be shown.

    Longer than 150 lines: sums over days, running changes and quantiles are three ways to one shape of cell, over the same
    windows and members.
-#}
{{ config(
    touched_key=['measure', 'date_day'],
    touched_by="
        with night as (
            select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
        ),
        moved as (
            select measure, date_day, is_state from ({{ moved_kpi_records() }}) as records where date_day is not null
        )
        select moved.measure, dates.date_day
        from moved
        cross join night
        inner join {{ ref('dim_date') }} as dates
            on dates.date_day >= moved.date_day
            and (moved.is_state or dates.date_day < " ~ plus_days('moved.date_day', longest_window_days()) ~ ")
            and dates.date_day <= night.as_of
        union
        select kpis.measure, dates.date_day
        from {{ ref('dim_date') }} as dates
        inner join night on dates.date_day between least(night.previous_as_of, night.as_of) and greatest(night.previous_as_of, night.as_of)
        cross join {{ ref('kpis') }} as kpis
        union
        select cells.measure, cells.date_day from {{ this }} as cells inner join night on cells.date_day > night.as_of
    "
) }}

{%- set cell = 'measure, period, dimension, member' %}
{%- set sums = ['positives', 'negatives', 'responses', 'total', 'squares', 'people'] %}

with night as (
    select as_of from {{ night() }}
),

measures as (
    select measure, basis, max(quantile) is not null as has_quantiles, max({{ units_per_one('kpis') }}) as units_per_one
    from {{ ref('kpis') }} as kpis
    group by measure, basis
),

{#- The windows that end on a touched day: whole periods, the running ones up to the business date, rolling windows every day. -#}
windows as (
    select
        measures.measure,
        measures.has_quantiles,
        measures.units_per_one,
        periods.period,
        dates.date_day,
        {{ kpi_window_start('periods', 'dates.date_day', 'measures.basis') }} as window_start,
        periods.kind = 'calendar' or {{ iso_weekday('dates.date_day') }} = 7 or dates.date_day = night.as_of as is_for_breakdowns
    from {{ ref('dim_date') }} as dates
    cross join night
    cross join measures
    inner join {{ ref('kpi_periods') }} as periods on periods.basis = measures.basis
    where
        dates.date_day <= night.as_of
        and {{ is_touched(['measures.measure', 'dates.date_day']) }}
        and (
            periods.kind = 'rolling'
            or dates.date_day = {{ kpi_period_end('periods', 'dates.date_day') }}
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

{%- set record_columns = [
    'measure', 'date_day', 'superseded_on', 'is_state', 'respondent', 'positives', 'negatives', 'responses', 'total', 'minutes'
] + kpi_dimensions() %}

all_records as (
    {{ all_kpi_records(record_columns, 'date_day <= (select as_of from night)') }}
),

records as (
    select
        ranges.has_quantiles,
        ranges.first_day,
        cast(round(all_records.total * ranges.units_per_one) as decimal(19, 0)) as units,
        {%- for column in record_columns if column != 'total' %}
        all_records.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from all_records
    inner join ranges
        on ranges.measure = all_records.measure
        and all_records.date_day <= ranges.last_day
        and (all_records.is_state or all_records.date_day >= ranges.first_start)
),

dimensions as (
    select 'all' as dimension union all select dimension from {{ ref('kpi_dimensions') }}
),

placed as (
    select
        records.measure,
        records.has_quantiles,
        dimensions.dimension,
        {{ kpi_member('dimensions.dimension', 'records') }} as member,
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
    where {{ kpi_member('dimensions.dimension', 'records') }} is not null
),

{#- How many people a state is about: somebody enters with their first record and leaves with their last. -#}
people as (
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
        sum(positives) as positives,
        sum(negatives) as negatives,
        sum(responses) as responses,
        {{ sum_of_units('coalesce(units, 0)') }} as total,
        {{ sum_of_squares('coalesce(units, 0)') }} as squares,
        0 as people
    from placed
    where not has_quantiles
    group by measure, dimension, member, date_day, superseded_on, is_state
    union all
    select measure, dimension, member, date_day, null, true, 0, 0, 0, 0, 0, people from people
),

{#- Where a record counts in a calendar period: on its last day, or on the business date while it is running. -#}
in_periods as (
    select
        added.measure,
        periods.period,
        added.dimension,
        added.member,
        least({{ kpi_period_end('periods', 'added.date_day') }}, night.as_of) as date_day,
        added.superseded_on,
        {%- for sum in sums %}
        added.{{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from added
    cross join night
    cross join (select distinct period, kind, days from {{ ref('kpi_periods') }} where kind = 'calendar') as periods
    where not added.is_state
),

calendar_sums as (
    select
        {{ cell }},
        date_day,
        {%- for sum in sums %}
        sum({{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from in_periods
    where (superseded_on is null or superseded_on > date_day) and (measure, period, date_day) in (select measure, period, date_day from windows)
    group by {{ cell }}, date_day
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
            when added.superseded_on < {{ kpi_leaves_on('periods', 'added.date_day') }} then added.superseded_on
            else {{ kpi_leaves_on('periods', 'added.date_day') }}
        end as leaves_on,
        {%- for sum in sums %}
        added.{{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from added
    inner join measures on measures.measure = added.measure
    inner join {{ ref('kpi_periods') }} as periods on periods.basis = measures.basis
    where added.is_state or periods.kind = 'rolling'
),

changes as (
    select {{ cell }}, enters_on as date_day, {{ sums | join(', ') }}, 0 as is_window from stays
    where leaves_on is null or leaves_on > enters_on
    union all
    select {{ cell }}, leaves_on, -{{ sums | join(', -') }}, 0 from stays
    where leaves_on > enters_on
    union all
    select cells.measure, cells.period, cells.dimension, cells.member, windows.date_day, {{ (['0'] * sums | length) | join(', ') }}, 1
    from (select distinct {{ cell }} from stays) as cells
    inner join windows
        on windows.measure = cells.measure
        and windows.period = cells.period
        and (cells.dimension = 'all' or windows.is_for_breakdowns)
),

daily_changes as (
    select
        {{ cell }},
        date_day,
        {%- for sum in sums %}
        sum({{ sum }}) as {{ sum }},
        {%- endfor %}
        max(is_window) as is_window
    from changes
    group by {{ cell }}, date_day
),

running as (
    select
        {{ cell }},
        date_day,
        {%- for sum in sums %}
        sum({{ sum }}) over so_far as {{ sum }},
        {%- endfor %}
        is_window
    from daily_changes
    window so_far as (partition by {{ cell }} order by date_day rows unbounded preceding)
),

counts as (
    select
        {{ cell }},
        date_day,
        {%- for sum in ['positives', 'negatives', 'responses', 'people'] %}
        cast(sum({{ sum }}) as bigint) as {{ sum }},
        {%- endfor %}
        cast(sum(total) as decimal(38, 0)) as total,
        cast(sum(squares) as decimal(38, 0)) as squares
    from (
        select {{ cell }}, date_day, {{ sums | join(', ') }} from running where is_window = 1
        union all
        select {{ cell }}, date_day, {{ sums | join(', ') }} from calendar_sums
    ) as both_kinds
    group by {{ cell }}, date_day
),

beginnings as (
    select measure, min(date_day) as began_on from all_records where is_state group by measure
),

{#- Once there were tickets, a backlog of 0 is a figure; a share of nothing is none. -#}
estimated as (
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
        {%- for sum in sums %}
        counts.{{ sum }},
        {%- endfor %}
        {{ kpi_estimate('kpis', 'counts') }} as estimate,
        {{ kpi_margin('kpis', 'counts') }} as margin
    from counts
    inner join {{ ref('kpis') }} as kpis on kpis.measure = counts.measure
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
            when 'total' then {{ kpi_total('estimated', 'estimated') }}
            else cast(responses as double)
        end as numerator,
        case when method not in ('count', 'sum') then cast(responses as double) end as denominator,
        case when method = 'per_hundred' then positives else responses end as n,
        case when basis = 'stock' or method = 'per_hundred' then people end as people,
        {{ kpi_value('estimated', 'estimated') }} as value,
        {{ kpi_interval_end('estimated', 'estimated', '-') }} as ci_low,
        {{ kpi_interval_end('estimated', 'estimated', '+') }} as ci_high,
        estimate,
        margin
    from estimated
),

window_days as (
    select
        windows.measure,
        windows.period,
        windows.date_day,
        windows.is_for_breakdowns,
        {{ plus_days('windows.date_day', '-offsets.offset_days') }} as ended_on
    from windows
    cross join ({{ day_offsets(longest_window_days()) }}) as offsets
    where windows.has_quantiles and offsets.offset_days <= {{ dbt.datediff('windows.window_start', 'windows.date_day', 'day') }}
),

durations as (
    select
        window_days.measure,
        window_days.period,
        window_days.date_day,
        placed.dimension,
        placed.member,
        count(*) as n,
        {{ sorted_values('placed.minutes') }} as sorted_minutes
    from placed
    inner join window_days
        on window_days.measure = placed.measure
        and window_days.ended_on = placed.date_day
        and (placed.dimension = 'all' or window_days.is_for_breakdowns)
    where placed.has_quantiles
    group by window_days.measure, window_days.period, window_days.date_day, placed.dimension, placed.member
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
        {{ quantile_value('durations.sorted_minutes', 'durations.n', 'kpis.quantile') }} as value,
        {{ quantile_interval_end('durations.sorted_minutes', 'durations.n', 'kpis.quantile', '-') }} as ci_low,
        {{ quantile_interval_end('durations.sorted_minutes', 'durations.n', 'kpis.quantile', '+') }} as ci_high,
        cast(null as double) as estimate,
        cast(null as double) as margin
    from durations
    inner join {{ ref('kpis') }} as kpis on kpis.measure = durations.measure
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
    and windows.date_day = figures.date_day
