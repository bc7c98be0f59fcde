{#-
    Every KPI, every day, with its counts and its interval. What lives here: turning spans (over which days a record
    counts) and durations into one row per KPI, day, period and member. Not here: which records count and the formulas
    (macros/kpi), the meaning (dim_kpi).

    Counts are running sums over the days on which spans begin and end, so a window costs as much as a day. Values have
    four decimals, so that engines agree on them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['kpi', 'date_key'],
    touched_by="{{ touched_kpi_days() }}"
) }}

{%- set cell = 'kpi, period, dimension, member' %}

with night as (
    select as_of, is_stale from {{ night() }}
),

first_days as (
    {{ first_kpi_days() }}
),

targets as (
    select
        periods.kpi,
        periods.period,
        periods.days,
        coalesce(periods.lookback_days, 1) as window_days,
        dates.date_key,
        dates.date_day
    from {{ ref('kpi_periods') }} as periods
    cross join {{ ref('dim_date') }} as dates
    cross join night
    where
        dates.date_day <= night.as_of
        and {{ is_touched(['periods.kpi', 'dates.date_key']) }}
),

target_range as (
    select
        kpi,
        min(date_day) as first_day,
        max(date_day) as last_day
    from targets
    group by kpi
),

survey_spans as ({{ survey_spans() }}
),

retention_spans as ({{ retention_spans() }}
),

backlog_spans as ({{ backlog_spans() }}
),

durations as ({{ durations_of_tickets() }}
),

all_spans as (
    {%- for spans in ['survey_spans', 'retention_spans', 'backlog_spans'] %}
    select kpi, period, respondent, channel, country, from_date, to_date, positives, negatives, responses from {{ spans }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

spans as (
    select
        all_spans.kpi,
        all_spans.period,
        all_spans.respondent,
        all_spans.channel,
        all_spans.country,
        all_spans.from_date,
        all_spans.to_date,
        all_spans.positives,
        all_spans.negatives,
        all_spans.responses
    from all_spans
    inner join target_range
        on target_range.kpi = all_spans.kpi
        and all_spans.to_date >= target_range.first_day
        and all_spans.from_date <= target_range.last_day
    where all_spans.to_date >= all_spans.from_date
),

cell_spans as (
    {%- for dimension, member in [('all', "'all'"), ('channel', 'channel'), ('country', 'country')] %}
    select
        kpi, period, '{{ dimension }}' as dimension, {{ member }} as member,
        respondent, from_date, to_date, positives, negatives, responses
    from spans
    where {{ member }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

respondent_spans as (
    select
        {{ cell }},
        from_date,
        to_date,
        max(to_date) over (
            partition by {{ cell }}, respondent
            order by from_date, to_date
            rows between unbounded preceding and 1 preceding
        ) as covered_to
    from cell_spans
    where responses > 0
),

{#- The part of a respondent's span that no earlier span of theirs covers: parts never overlap, so they can be summed. -#}
new_respondent_spans as (
    select
        {{ cell }},
        greatest(from_date, coalesce({{ plus_days('covered_to', 1) }}, from_date)) as from_date,
        to_date
    from respondent_spans
    where covered_to is null or to_date > covered_to
),

changes as (
    select {{ cell }}, from_date as date_day, positives, negatives, responses, 0 as respondents from cell_spans
    union all
    select {{ cell }}, {{ plus_days('to_date', 1) }}, -positives, -negatives, -responses, 0 from cell_spans
    union all
    select {{ cell }}, from_date, 0, 0, 0, 1 from new_respondent_spans
    union all
    select {{ cell }}, {{ plus_days('to_date', 1) }}, 0, 0, 0, -1 from new_respondent_spans
    union all
    select cells.kpi, cells.period, cells.dimension, cells.member, targets.date_day, 0, 0, 0, 0
    from (
        select distinct {{ cell }} from cell_spans
        union
        select kpi, period, 'all', 'all' from {{ ref('kpi_periods') }} where kpi = 'backlog'
    ) as cells
    inner join targets on targets.kpi = cells.kpi and targets.period = cells.period
),

daily_changes as (
    select
        {{ cell }},
        date_day,
        sum(positives) as positives,
        sum(negatives) as negatives,
        sum(responses) as responses,
        sum(respondents) as respondents
    from changes
    group by {{ cell }}, date_day
),

counts as (
    select
        {{ cell }},
        date_day,
        cast(sum(positives) over running as bigint) as positives,
        cast(sum(negatives) over running as bigint) as negatives,
        cast(sum(responses) over running as bigint) as responses,
        cast(sum(respondents) over running as bigint) as respondents
    from daily_changes
    window running as (partition by {{ cell }} order by date_day rows unbounded preceding)
),

counted_kpis as (
    select
        counts.kpi,
        counts.period,
        counts.dimension,
        counts.member,
        counts.date_day,
        case
            when kpis.method = 'adjusted_wald' then cast(counts.positives - counts.negatives as double)
            when kpis.method = 'wilson' then cast(counts.positives as double)
            else cast(counts.responses as double)
        end as numerator,
        case when kpis.method <> 'count' then cast(counts.responses as double) end as denominator,
        counts.responses as n,
        counts.respondents,
        case
            when kpis.method = 'adjusted_wald' then {{ nps_value('counts.positives', 'counts.negatives', 'counts.responses') }}
            when kpis.method = 'wilson' then {{ percent_value('counts.positives', 'counts.responses') }}
            else cast(counts.responses as double)
        end as value,
        {%- for name, sign in [('ci_low', '-'), ('ci_high', '+')] %}
        case
            when kpis.method = 'adjusted_wald' then {{ nps_interval_end('counts.positives', 'counts.negatives', 'counts.responses', sign) }}
            when kpis.method = 'wilson' then {{ wilson_end('counts.positives', 'counts.responses', sign) }}
        end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counts
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = counts.kpi
    left join first_days on first_days.kpi = counts.kpi
    where
        counts.responses > 0
        or (counts.kpi = 'backlog' and counts.dimension = 'all' and counts.date_day >= first_days.first_day)
),

offsets as (
    {{ day_offsets(28) }}
),

{#- Distinct keeps the planner from joining on the measure first, which would multiply days by tickets. -#}
duration_days as (
    select distinct
        kpis.measure,
        targets.period,
        targets.date_day,
        {{ plus_days('targets.date_day', '-offsets.offset_days') }} as ended_on
    from targets
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = targets.kpi
    cross join offsets
    where kpis.method = 'order_statistics' and offsets.offset_days < targets.days
),

duration_cells as (
    select
        duration_days.measure,
        duration_days.period,
        duration_days.date_day,
        case when grouping(durations.channel) = 0 then 'channel' when grouping(durations.country) = 0 then 'country' else 'all' end as dimension,
        coalesce(durations.channel, durations.country, 'all') as member,
        count(durations.minutes) as n,
        count(distinct durations.respondent) as respondents,
        {{ sorted_values('durations.minutes') }} as sorted_minutes
    from durations
    inner join duration_days on duration_days.measure = durations.measure and duration_days.ended_on = durations.ended_on
    group by grouping sets (
        (duration_days.measure, duration_days.period, duration_days.date_day),
        (duration_days.measure, duration_days.period, duration_days.date_day, durations.channel),
        (duration_days.measure, duration_days.period, duration_days.date_day, durations.country)
    )
),

duration_kpis as (
    select
        kpis.kpi,
        duration_cells.period,
        duration_cells.dimension,
        duration_cells.member,
        duration_cells.date_day,
        cast(null as double) as numerator,
        cast(duration_cells.n as double) as denominator,
        duration_cells.n,
        duration_cells.respondents,
        {{ quantile_value('duration_cells.sorted_minutes', 'duration_cells.n', 'kpis.quantile') }} as value,
        {{ quantile_interval_end('duration_cells.sorted_minutes', 'duration_cells.n', 'kpis.quantile', '-') }} as ci_low,
        {{ quantile_interval_end('duration_cells.sorted_minutes', 'duration_cells.n', 'kpis.quantile', '+') }} as ci_high
    from duration_cells
    inner join {{ ref('kpis') }} as kpis on kpis.measure = duration_cells.measure and kpis.method = 'order_statistics'
),

measured as (
    select kpi, period, dimension, member, date_day, numerator, denominator, n, respondents, value, ci_low, ci_high from counted_kpis
    union all
    select kpi, period, dimension, member, date_day, numerator, denominator, n, respondents, value, ci_low, ci_high from duration_kpis
),

{#- Small cells. A hidden cell must not come back as the total minus the others: with one hidden, the next smallest is hidden too. -#}
small_cells as (
    select
        measured.kpi,
        measured.period,
        measured.dimension,
        measured.member,
        measured.date_day,
        measured.numerator,
        measured.denominator,
        measured.n,
        measured.value,
        measured.ci_low,
        measured.ci_high,
        measured.dimension <> 'all' and measured.respondents < {{ k_privacy() }} as is_small,
        sum(case when measured.respondents < {{ k_privacy() }} then 1 else 0 end) over (
            partition by measured.kpi, measured.period, measured.dimension, measured.date_day
        ) as small_members,
        row_number() over (
            partition by
                measured.kpi, measured.period, measured.dimension, measured.date_day,
                case when measured.respondents < {{ k_privacy() }} then 0 else 1 end
            order by measured.respondents, measured.member
        ) as size_rank
    from measured
),

hidden as (
    select
        kpi,
        period,
        dimension,
        member,
        date_day,
        numerator,
        denominator,
        n,
        value,
        ci_low,
        ci_high,
        is_small or (dimension <> 'all' and small_members = 1 and size_rank = 1) as is_suppressed
    from small_cells
),

final as (
    select
        {{ surrogate_key(['hidden.kpi', 'targets.date_key', 'hidden.period', 'hidden.dimension', 'hidden.member']) }} as kpi_daily_key,
        {{ surrogate_key(['hidden.kpi']) }} as kpi_key,
        hidden.kpi,
        targets.date_key,
        targets.date_day,
        hidden.period,
        targets.window_days,
        hidden.dimension,
        hidden.member,
        case when not hidden.is_suppressed then hidden.numerator end as numerator,
        case when not hidden.is_suppressed then hidden.denominator end as denominator,
        case when not hidden.is_suppressed then hidden.n end as n,
        case when not hidden.is_suppressed then round(hidden.value, 4) end as value,
        case when not hidden.is_suppressed then round(hidden.ci_low, 4) end as ci_low,
        case when not hidden.is_suppressed then round(hidden.ci_high, 4) end as ci_high,
        kpis.method,
        hidden.is_suppressed,
        hidden.n < kpis.min_n as is_low_n,
        {{ is_complete_window('targets.date_day', 'targets.window_days', 'first_days.first_day') }} as is_complete_window,
        night.is_stale and targets.date_day = night.as_of as is_stale
    from hidden
    inner join targets
        on targets.kpi = hidden.kpi and targets.period = hidden.period and targets.date_day = hidden.date_day
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = hidden.kpi
    left join first_days on first_days.kpi = hidden.kpi
    cross join night
)

select * from final
