{#-
    Every KPI, every window, every member, as it may be shown. What lives here: which cells are hidden, the comparison with the
    period before, targets and benchmarks. Not here: the figures (int_kpi__cell), the meaning (dim_kpi).

    What is shown must not give away what is hidden, by no subtraction of members or of windows. So records are cut into
    pieces that may be known, and a cell is shown only where it consists of whole pieces:
      - In a month, a member of fewer than k people is hidden together with the smallest of the others: what is left when the
        shown ones are subtracted is two members at least, and k people. In a window that reaches into the month they are
        hidden too.
      - A window of a breakdown begins and ends where time may be cut: between months; between weeks, where each member (and
        the hidden ones together) has k people in the week's part of the month on either side; between days likewise. Other
        windows of it have no row, since a hidden row would say that somebody is there, and a missing one that nobody is. For the
        same reason a hidden member has rows of months and quarters only, and a breakdown into a single hidden member has none.
    States (backlog, retention) are no sums over days: their members are hidden day by day. The company as a whole is always
    shown; employees from k_agents() on.

    Longer than 150 lines: what may be shown is one argument about months, weeks and days together; told in parts nobody
    could check it.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['measure', 'date_day'],
    touched_by="{{ touched_kpi_days() }}"
) }}

{%- set cell = ['measure', 'period', 'date_day', 'dimension', 'member'] %}

with night as (
    select as_of, is_stale from {{ night() }}
),

measures as (
    select
        measure,
        basis,
        basis in ('flow', 'latest') and max(case when method = 'per_hundred' then 1 else 0 end) = 0 as adds_up_over_days
    from {{ ref('kpis') }}
    group by measure, basis
),

cells as (
    select {{ kpi_cell_columns() | join(', ') }}
    from {{ ref('int_kpi__cell') }}
    where {{ is_touched(['measure', 'date_day']) }}
),

{#- The windows one period before, whole: whether a member of them may be known depends on all the others. -#}
earlier as (
    select {% for column in kpi_cell_columns() %}earlier.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ ref('int_kpi__cell') }} as earlier
    inner join (
        select distinct measure, period, {{ kpi_previous_day('period', 'date_day') }} as date_day from cells
    ) as compared on {{ equal_columns('compared', 'earlier', ['measure', 'period', 'date_day']) }}
),

shown_or_compared as (
    select {{ cell | join(', ') }}, window_start, min(n) as n, min(people) as people
    from (
        select {{ cell | join(', ') }}, window_start, n, people from cells
        union all
        select {{ cell | join(', ') }}, window_start, n, people from earlier
    ) as both_windows
    group by {{ cell | join(', ') }}, window_start
),

{#- Rates whose customers are all gone: their events are still somebody's, of as many people as they have behind them. -#}
without_customers as (
    select {{ cell | join(', ') }}, window_start
    from shown_or_compared
    where dimension <> 'all' and people = 0 and n > 0
),

events as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'respondent'] + kpi_dimensions(),
        'not is_state and measure in (select measure from without_customers)'
    ) }}
),

behind_events as (
    select {% for column in cell %}rates.{{ column }}, {% endfor %}count(distinct events.respondent) as people
    from without_customers as rates
    inner join events
        on events.measure = rates.measure
        and events.date_day between rates.window_start and rates.date_day
        and {{ kpi_member('rates.dimension', 'events') }} = rates.member
    group by {% for column in cell %}rates.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
),

breakdowns as (
    select
        {% for column in cell %}rows.{{ column }}, {% endfor %}
        rows.window_start,
        coalesce(behind_events.people, rows.people) as people,
        measures.adds_up_over_days
    from shown_or_compared as rows
    inner join measures on measures.measure = rows.measure
    left join behind_events on {{ equal_columns('behind_events', 'rows', cell) }}
    where rows.dimension <> 'all'
),

{#- States: the members of each day. -#}
states as (
    select {{ cell | join(', ') }}, people, {{ is_small('people') }} as hidden
    from breakdowns
    where not adds_up_over_days
),

{{ hide_another('states', 'judged_states', cell + ['people'], ['measure', 'period', 'date_day', 'dimension'], 'member', 'people') }},

{#- Sums over days: the months their windows reach into, and the one they begin after. -#}
windows as (
    select distinct measure, dimension, window_start, date_day from breakdowns where adds_up_over_days
),

months as (
    select distinct
        windows.measure,
        {{ plus_months(month_of(plus_days('windows.window_start', -1)), 'offsets.offset_days') }} as month_start
    from windows
    cross join ({{ day_offsets(5) }}) as offsets
    where {{ plus_months(month_of(plus_days('windows.window_start', -1)), 'offsets.offset_days') }} <= windows.date_day
),

{%- set record_columns = ['measure', 'date_day', 'respondent'] + kpi_dimensions() %}

records as (
    {{ all_kpi_records(
        record_columns,
        'not is_state and date_day <= (select as_of from night) and (measure, ' ~ month_of('date_day') ~ ') in (select measure, month_start from months)'
    ) }}
),

placed as (
    select
        records.measure,
        dimensions.dimension,
        {{ kpi_member('dimensions.dimension', 'records') }} as member,
        records.respondent,
        records.date_day,
        {{ month_of('records.date_day') }} as month_start,
        cast({{ dbt.date_trunc('week', 'records.date_day') }} as date) as week_start
    from records
    cross join {{ ref('kpi_dimensions') }} as dimensions
    where {{ kpi_member('dimensions.dimension', 'records') }} is not null
),

member_months as (
    select
        measure,
        dimension,
        month_start,
        member,
        count(distinct respondent) as people,
        count(distinct respondent) < {{ k_privacy() }} as hidden
    from placed
    group by measure, dimension, month_start, member
),

{{ hide_another(
    'member_months', 'judged_months', ['measure', 'dimension', 'month_start', 'member', 'people'], ['measure', 'dimension', 'month_start'],
    'member', 'people'
) }},

{#- In each month, what can be told apart: every shown member, and the hidden ones together. -#}
parts as (
    select
        placed.measure,
        placed.dimension,
        placed.month_start,
        placed.week_start,
        placed.date_day,
        case when judged_months.hidden then '' else placed.member end as part,
        placed.respondent
    from placed
    inner join judged_months
        on {{ equal_columns('judged_months', 'placed', ['measure', 'dimension', 'month_start', 'member']) }}
),

part_counts as (
    select measure, dimension, month_start, count(distinct part) as parts
    from parts
    group by measure, dimension, month_start
),

{%- for piece in ['week_start', 'date_day'] %}

safe_{{ piece }}s as (
    select pieces.measure, pieces.dimension, pieces.month_start, pieces.{{ piece }}
    from (
        select measure, dimension, month_start, {{ piece }}, part
        from parts
        group by measure, dimension, month_start, {{ piece }}, part
        having count(distinct respondent) >= {{ k_privacy() }}
    ) as pieces
    inner join part_counts on {{ equal_columns('part_counts', 'pieces', ['measure', 'dimension', 'month_start']) }}
    group by pieces.measure, pieces.dimension, pieces.month_start, pieces.{{ piece }}, part_counts.parts
    having count(*) = part_counts.parts
),
{%- endfor %}

{#- Days after which time may not be cut: neither on a month's last day, nor with something safe on either side. -#}
uncut_days as (
    select
        part_counts.measure,
        part_counts.dimension,
        dates.date_day
    from part_counts
    cross join night
    inner join {{ ref('dim_date') }} as dates
        on dates.date_day between part_counts.month_start and {{ month_end('part_counts.month_start') }}
    {%- for piece in ['week_start', 'date_day'] %}
    {%- for side, days in [('before', 0), ('after', 1)] %}
    left join safe_{{ piece }}s as {{ piece }}_{{ side }}
        on {{ equal_columns(piece ~ '_' ~ side, 'part_counts', ['measure', 'dimension', 'month_start']) }}
        and {{ piece }}_{{ side }}.{{ piece }} = {{ plus_days(
            'cast(' ~ dbt.date_trunc('week', 'dates.date_day') ~ ' as date)' if piece == 'week_start' else 'dates.date_day',
            (7 if piece == 'week_start' else 1) * days
        ) }}
    {%- endfor %}
    {%- endfor %}
    where
        dates.date_day < least({{ month_end('part_counts.month_start') }}, night.as_of)
        and not (
            (date_day_before.measure is not null or ({{ iso_weekday('dates.date_day') }} = 7 and week_start_before.measure is not null))
            and (date_day_after.measure is not null or ({{ iso_weekday('dates.date_day') }} = 7 and week_start_after.measure is not null))
        )
),

{#- Months in which a single member is all there is, and hidden: the company would say what it says. -#}
untold_months as (
    select measure, dimension, month_start
    from judged_months
    group by measure, dimension, month_start
    having count(*) = 1 and max(case when hidden then 1 else 0 end) = 1
),

told_windows as (
    select windows.measure, windows.dimension, windows.window_start, windows.date_day
    from windows
    left join uncut_days as begins
        on {{ equal_columns('begins', 'windows', ['measure', 'dimension']) }}
        and begins.date_day = {{ plus_days('windows.window_start', -1) }}
    left join uncut_days as ends on {{ equal_columns('ends', 'windows', ['measure', 'dimension', 'date_day']) }}
    left join untold_months
        on {{ equal_columns('untold_months', 'windows', ['measure', 'dimension']) }}
        and untold_months.month_start between {{ month_of('windows.window_start') }} and windows.date_day
    where begins.measure is null and ends.measure is null
    group by windows.measure, windows.dimension, windows.window_start, windows.date_day
    having count(untold_months.measure) = 0
),

pooled as (
    select distinct windows.measure, windows.dimension, windows.window_start, windows.date_day, judged_months.member
    from told_windows as windows
    inner join judged_months
        on {{ equal_columns('judged_months', 'windows', ['measure', 'dimension']) }}
        and judged_months.month_start between {{ month_of('windows.window_start') }} and windows.date_day
    where judged_months.hidden
),

{#- Every cell that has a row, and whether it is hidden. -#}
told as (
    select {{ cell | join(', ') }}, hidden
    from (
        select
            {{ cell | join(', ') }},
            hidden,
            count(*) over (partition by measure, period, date_day, dimension) as members
        from judged_states
    ) as states
    where not hidden or members > 1
    union all
    select
        {% for column in cell %}breakdowns.{{ column }}, {% endfor %}
        pooled.measure is not null
    from breakdowns
    inner join told_windows on {{ equal_columns('told_windows', 'breakdowns', ['measure', 'dimension', 'window_start', 'date_day']) }}
    left join pooled on {{ equal_columns('pooled', 'breakdowns', ['measure', 'dimension', 'window_start', 'date_day', 'member']) }}
    where breakdowns.adds_up_over_days and (pooled.measure is null or breakdowns.period in ('month', 'quarter'))
    union all
    select
        {% for column in cell %}whole.{{ column }}, {% endfor %}
        measures.basis = 'employee' and whole.n < {{ k_agents() }}
    from shown_or_compared as whole
    inner join measures on measures.measure = whole.measure
    where whole.dimension = 'all'
),

compared as (
    select
        {% for column in kpi_cell_columns() %}cells.{{ column }}, {% endfor %}
        told.hidden as is_suppressed,
        earlier.value as previous_value,
        {%- for name, sign in [('difference_low', '-'), ('difference_high', '+')] %}
        case when measures.basis <> 'stock' then {{ kpi_difference_end('kpis', 'cells', 'earlier', sign) }} end as {{ name }},
        {%- endfor %}
        coalesce({{ reaches_back('kpis', 'cells', 'first_days') }}, false) as is_filled,
        {{ is_over('periods', 'cells') }} as is_over,
        kpis.method,
        kpis.direction,
        kpis.min_n
    from cells
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = cells.kpi
    inner join measures on measures.measure = cells.measure
    inner join {{ ref('kpi_periods') }} as periods on periods.basis = measures.basis and periods.period = cells.period
    inner join told on {{ equal_columns('told', 'cells', cell) }}
    left join {{ ref('int_kpi__first_day') }} as first_days on first_days.measure = cells.measure
    left join (
        select {% for column in kpi_cell_columns() %}earlier.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
        from earlier
        inner join told on {{ equal_columns('told', 'earlier', cell) }}
        where not told.hidden
    ) as earlier
        on {{ equal_columns('earlier', 'cells', ['kpi', 'period', 'dimension', 'member']) }}
        and earlier.date_day = {{ kpi_previous_day('cells.period', 'cells.date_day') }}
        {#- A whole window is compared with a whole one; of states, each is one of its day. #}
        and {{ reaches_back('kpis', 'earlier', 'first_days') }}
        and (measures.basis = 'stock' or {{ is_over('periods', 'cells') }})
),

{#- The newest target that was valid on the day: the member's own, else the company's. -#}
targets as (
    select
        cell_days.kpi,
        cell_days.date_day,
        cell_days.dimension,
        cell_days.member,
        coalesce(own.target, company.target) as target
    from (select distinct kpi, date_day, dimension, member from cells) as cell_days
    {%- for name, dimension, member in [('own', 'cell_days.dimension', 'cell_days.member'), ('company', "'all'", "'all'")] %}
    left join (
        select
            kpi,
            dimension,
            member,
            target,
            valid_from,
            coalesce(
                {{ plus_days('lead(valid_from) over (partition by kpi, dimension, member order by valid_from)', -1) }},
                cast('9999-12-31' as date)
            ) as valid_to
        from {{ ref('kpi_targets') }}
    ) as {{ name }}
        on {{ name }}.kpi = cell_days.kpi
        and {{ name }}.dimension = {{ dimension }}
        and {{ name }}.member = {{ member }}
        and cell_days.date_day between {{ name }}.valid_from and {{ name }}.valid_to
    {%- endfor %}
),

{#- The newest figure of others that was there on the day. -#}
benchmarks as (
    select
        cell_days.kpi,
        cell_days.date_day,
        benchmarks.value,
        benchmarks.source || ' ' || cast(benchmarks.year as varchar) as benchmark_source,
        row_number() over (partition by cell_days.kpi, cell_days.date_day order by benchmarks.year desc, benchmarks.source) as place
    from (select distinct kpi, date_day from cells) as cell_days
    inner join {{ ref('kpi_benchmarks') }} as benchmarks
        on benchmarks.kpi = cell_days.kpi and benchmarks.year <= extract(year from cell_days.date_day)
),

final as (
    select
        {{ surrogate_key(['compared.kpi', date_key('compared.date_day'), 'compared.period', 'compared.dimension', 'compared.member']) }} as kpi_daily_key,
        {{ surrogate_key(['compared.kpi']) }} as kpi_key,
        compared.kpi,
        compared.measure,
        {{ date_key('compared.date_day') }} as date_key,
        compared.date_day,
        compared.period,
        compared.window_start,
        compared.dimension,
        compared.member,
        {%- for column in ['numerator', 'denominator', 'n', 'value', 'ci_low', 'ci_high'] %}
        case when not compared.is_suppressed then compared.{{ column }} end as {{ column }},
        {%- endfor %}
        compared.method,
        {%- set is_compared = 'not compared.is_suppressed and compared.previous_value is not null' %}
        case when not compared.is_suppressed then compared.previous_value end as previous_value,
        case when {{ is_compared }} then round(compared.value - compared.previous_value, 4) end as difference,
        case when {{ is_compared }} then round(compared.difference_low, 4) end as difference_low,
        case when {{ is_compared }} then round(compared.difference_high, 4) end as difference_high,
        case when {{ is_compared }} then compared.difference_low > 0 or compared.difference_high < 0 end as is_changed,
        targets.target,
        case when not compared.is_suppressed then
            case compared.direction
                when 'higher_is_better' then compared.value >= targets.target
                when 'lower_is_better' then compared.value <= targets.target
            end
        end as is_target_met,
        benchmarks.value as benchmark,
        benchmarks.benchmark_source,
        compared.is_suppressed,
        compared.n < compared.min_n as is_low_n,
        compared.is_filled and compared.is_over as is_complete_window,
        night.is_stale and compared.date_day = night.as_of as is_stale
    from compared
    cross join night
    inner join targets on {{ equal_columns('targets', 'compared', ['kpi', 'date_day', 'dimension', 'member']) }}
    left join benchmarks
        on compared.dimension = 'all'
        and benchmarks.place = 1
        and {{ equal_columns('benchmarks', 'compared', ['kpi', 'date_day']) }}
)

select * from final
