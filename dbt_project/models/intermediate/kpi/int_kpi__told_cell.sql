{#-
    Which cells have a row in mart_kpi_daily, and which of those are hidden.

    What is shown must not give away what is hidden, by no subtraction of members or of windows. So records are cut into
    pieces that may be known, and a cell is shown only where it consists of whole pieces:
      - In a month, a member of fewer than k people is hidden together with the smallest of the others: what is left when the
        shown ones are subtracted is two members at least, and k people (int_kpi__member_month). In a window that reaches into the
        month they are hidden too.
      - A window of a breakdown begins and ends where time may be cut: between months; between weeks, where each member (and
        the hidden ones together) has k people in the week's part of the month on either side; between days likewise
        (int_kpi__uncut_day). Other windows of it have no row, since a hidden row would say that somebody is there, and a missing
        one that nobody is. For the same reason a hidden member has rows of months and quarters only, and a breakdown into a single
        hidden member has none.
    States (backlog, retention) are no sums over days: their members are hidden day by day. The company as a whole is always
    shown; employees from k_agents() on.
-#}
{{ config(
    touched_key=['measure', 'dimension', 'date_day'],
    touches=['period'],
    touched_by="{{ touched_told_cells() }}"
) }}

-- depends_on: {{ ref('int_kpi__counted_cell') }}
-- depends_on: {{ ref('int_kpi__timed_cell') }}
{%- set cell = ['measure', 'period', 'date_day', 'dimension', 'member'] %}
{%- set window = ['measure', 'dimension', 'window_start', 'date_day'] %}

with measures as (
    {{ kpi_measures() }}
),

cells as (
    select {{ cell | join(', ') }}, window_start, min(n) as n, min(people) as people
    from {{ ref('int_kpi__cell') }}
    where {{ is_touched(['measure', 'dimension', 'date_day']) }}
    group by {{ cell | join(', ') }}, window_start
),

{#- Rates whose customers are all gone: their events are still somebody's, of as many people as they have behind them. -#}
without_customers as (
    select {{ cell | join(', ') }}, window_start
    from cells
    where dimension <> 'all' and people = 0 and n > 0
),

events as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'respondent'] + kpi_dimensions(),
        'not is_state and measure in (select measure from without_customers)'
    ) }}
),

behind_events as (
    select {{ columns_of('rates', cell) }}, count(distinct events.respondent) as people
    from without_customers as rates
    inner join events
        on events.measure = rates.measure
        and events.date_day between rates.window_start and rates.date_day
        and {{ kpi_member('rates.dimension', 'events') }} = rates.member
    group by {{ columns_of('rates', cell) }}
),

breakdowns as (
    select
        {{ columns_of('cells', cell) }},
        cells.window_start,
        coalesce(behind_events.people, cells.people) as people,
        measures.adds_up
    from cells
    inner join measures on measures.measure = cells.measure
    left join behind_events on {{ equal_columns('behind_events', 'cells', cell) }}
    where cells.dimension <> 'all'
),

states as (
    select {{ cell | join(', ') }}, people, {{ is_small('people') }} as hidden
    from breakdowns
    where not adds_up
),

{{ hide_another('states', 'judged_states', cell + ['people'], ['measure', 'period', 'date_day', 'dimension'], 'member', 'people') }},

windows as (
    select distinct {{ window | join(', ') }} from breakdowns where adds_up
),

{#- Months in which a single member is all there is, and hidden: the company would say what it says. -#}
untold_months as (
    select measure, dimension, month_start
    from {{ ref('int_kpi__member_month') }}
    group by measure, dimension, month_start
    having count(*) = 1 and max(case when is_hidden then 1 else 0 end) = 1
),

told_windows as (
    select {{ columns_of('windows', window) }}
    from windows
    left join {{ ref('int_kpi__uncut_day') }} as begins
        on {{ equal_columns('begins', 'windows', ['measure', 'dimension']) }}
        and begins.date_day = {{ plus_days('windows.window_start', -1) }}
    left join {{ ref('int_kpi__uncut_day') }} as ends on {{ equal_columns('ends', 'windows', ['measure', 'dimension', 'date_day']) }}
    left join untold_months
        on {{ equal_columns('untold_months', 'windows', ['measure', 'dimension']) }}
        and untold_months.month_start between {{ month_of('windows.window_start') }} and windows.date_day
    where begins.measure is null and ends.measure is null
    group by {{ columns_of('windows', window) }}
    having count(untold_months.measure) = 0
),

pooled as (
    select distinct {{ columns_of('windows', window) }}, months.member
    from told_windows as windows
    inner join {{ ref('int_kpi__member_month') }} as months
        on {{ equal_columns('months', 'windows', ['measure', 'dimension']) }}
        and months.month_start between {{ month_of('windows.window_start') }} and windows.date_day
    where months.is_hidden
)

select {{ cell | join(', ') }}, hidden as is_hidden
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
    {{ columns_of('breakdowns', cell) }},
    pooled.measure is not null
from breakdowns
inner join told_windows on {{ equal_columns('told_windows', 'breakdowns', window) }}
left join pooled on {{ equal_columns('pooled', 'breakdowns', window + ['member']) }}
where breakdowns.adds_up and (pooled.measure is null or breakdowns.period in ('month', 'quarter'))
union all
select
    {{ columns_of('cells', cell) }},
    measures.basis = 'employee' and cells.n < {{ k_agents() }}
from cells
inner join measures on measures.measure = cells.measure
where cells.dimension = 'all'
