{#-
    What a night moves of the KPIs, model by model from the records on. What lives here: their touched_by. Not here: what the passing
    of time touches in other models, and the business dates that passed (macros/incremental/passing_time.sql).
-#}

{#-
    Cells of the measures with or without quantiles. A sum of a day moves the windows that hold the day, a state all days from its
    own on. With the business date the running windows move, and what was known of the days that passed comes in.
-#}
{%- macro touched_kpi_cells(has_quantiles) -%}
    with passing as (
        {{ passing_time() }}
    ),
    night as (
        select as_of from {{ night() }}
    ),
    measures as (
        select measure from {{ ref('kpis') }} group by measure having max(quantile) is {{ 'not' if has_quantiles else '' }} null
    ),
    moved as (
        select measure, dimension, member, date_day, {{ plus_days('date_day', longest_window_days() | int - 1) }} as last_day
        from {{ touched('int_kpi__day') }}
        where not is_state
        union
        select touched.measure, touched.dimension, touched.member, touched.date_day, night.as_of
        from {{ touched('int_kpi__day') }} as touched
        cross join night
        where touched.is_state
        union
        select days.measure, days.dimension, days.member, passing.after_day, passing.until_day
        from {{ ref('int_kpi__day') }} as days
        cross join passing
        group by days.measure, days.dimension, days.member, passing.after_day, passing.until_day
    )
    select moved.measure, moved.dimension, moved.member, dates.date_day
    from moved
    cross join night
    inner join measures on measures.measure = moved.measure
    inner join {{ ref('dim_date') }} as dates on dates.date_day between moved.date_day and least(moved.last_day, night.as_of)
    union
    select cells.measure, cells.dimension, cells.member, cells.date_day
    from {{ this }} as cells
    inner join night on cells.date_day > night.as_of
{%- endmacro -%}

{#- Measures and months: those of records that moved, and of the business dates that passed. -#}
{%- macro touched_kpi_months() -%}
    with passing as (
        {{ passing_time() }}
    ),
    passed_days as (
        {{ days_between('passing', 'after_day', 'until_day') }}
    )
    select measure, {{ month_of('date_day') }}
    from ({{ moved_kpi_records() }}) as records
    where not is_state and date_day is not null
    union
    select kpis.measure, {{ month_of('passed_days.date_day') }}
    from {{ ref('kpis') }} as kpis
    cross join passed_days
{%- endmacro -%}

{#-
    What may be shown: of cells that moved, of windows that begin or end where time may be cut otherwise now, of those that reach
    into a month in which others are hidden, and of rates without customers whose events moved.
-#}
{%- macro touched_told_cells() -%}
    with moved_cells as (
        select measure, dimension, date_day from {{ touched('int_kpi__counted_cell') }}
        union
        select measure, dimension, date_day from {{ touched('int_kpi__timed_cell') }}
    ),
    cuts as (
        select measure, dimension, date_day from {{ touched('int_kpi__uncut_day') }}
    ),
    months as (
        select measure, dimension, month_start from {{ touched('int_kpi__member_month') }}
    ),
    windows as (
        select distinct measure, dimension, window_start, date_day
        from {{ ref('int_kpi__cell') }}
        where (measure, dimension) in (select measure, dimension from cuts union select measure, dimension from months)
    ),
    moved_events as (
        select measure, date_day from ({{ moved_kpi_records() }}) as records where not is_state
    )
    select measure, dimension, date_day from moved_cells
    union
    select windows.measure, windows.dimension, windows.date_day
    from windows
    inner join cuts on {{ equal_columns('cuts', 'windows', ['measure', 'dimension', 'date_day']) }}
    union
    select windows.measure, windows.dimension, windows.date_day
    from windows
    inner join cuts
        on {{ equal_columns('cuts', 'windows', ['measure', 'dimension']) }}
        and windows.window_start = {{ plus_days('cuts.date_day', 1) }}
    union
    select windows.measure, windows.dimension, windows.date_day
    from windows
    inner join months
        on {{ equal_columns('months', 'windows', ['measure', 'dimension']) }}
        and months.month_start between {{ month_of('windows.window_start') }} and windows.date_day
    union
    select rates.measure, rates.dimension, rates.date_day
    from {{ ref('int_kpi__cell') }} as rates
    inner join moved_events
        on moved_events.measure = rates.measure
        and moved_events.date_day between rates.window_start and rates.date_day
    where rates.dimension <> 'all' and rates.people = 0 and rates.n > 0
{%- endmacro -%}

{#-
    The days of mart_kpi_daily: where a cell moved or what may be shown of it, where the window one period before did, and the business
    dates, which may be stale. Where the first day of a measure moves, so does which windows are complete, and compared.
-#}
{%- macro touched_kpi_days() -%}
    {%- set reach = 2 * (longest_window_days() | int) + longest_lookback_days() | int -%}
    with passing as (
        {{ passing_time() }}
    ),
    moved as (
        {%- for model in ['int_kpi__counted_cell', 'int_kpi__timed_cell', 'int_kpi__told_cell'] %}
        select measure, dimension, period, date_day from {{ touched(model) }}
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ),
    first_days as (
        select measure, min(first_day) as from_date, {{ plus_days('max(first_day)', reach) }} as to_date
        from {{ touched('int_kpi__first_day') }}
        group by measure
    )
    select measure, dimension, date_day from moved
    union
    select later.measure, later.dimension, later.date_day
    from {{ ref('int_kpi__told_cell') }} as later
    inner join moved
        on {{ equal_columns('moved', 'later', ['measure', 'dimension', 'period']) }}
        and moved.date_day = {{ kpi_previous_day('later.period', 'later.date_day') }}
    union
    select told.measure, told.dimension, told.date_day
    from {{ ref('int_kpi__told_cell') }} as told
    inner join passing on told.date_day in (passing.after_day, passing.until_day)
    union
    select told.measure, told.dimension, told.date_day
    from {{ ref('int_kpi__told_cell') }} as told
    inner join first_days on first_days.measure = told.measure and told.date_day between first_days.from_date and first_days.to_date
{%- endmacro -%}

{#- The columns of int_kpi__cell that the mart reads. -#}
{%- macro kpi_cell_columns() -%}
    {{ return([
        'kpi', 'measure', 'date_day', 'period', 'window_start', 'dimension', 'member', 'numerator', 'denominator', 'n', 'people',
        'value', 'ci_low', 'ci_high', 'estimate', 'margin'
    ]) }}
{%- endmacro -%}
