{#-
    The windows KPIs are shown over. What lives here: where a period begins and ends, which windows are to be worked out, which
    member a record has. Not here: which KPI has which periods (seed kpi_periods), sums over windows (int_kpi__*_cell).

    `periods` is a relation with the columns of the seed: period, kind and, for rolling windows, days.
-#}

{#- The last day of the calendar period a day lies in. -#}
{%- macro kpi_period_end(periods, day) -%}
    case {{ periods }}.period
        when 'week' then {{ plus_days(dbt.date_trunc('week', day), 6) }}
        when 'month' then {{ month_end(month_of(day)) }}
        when 'quarter' then {{ plus_days(dbt.dateadd('month', 3, dbt.date_trunc('quarter', day)), -1) }}
        else {{ day }}
    end
{%- endmacro -%}

{#- The first day of the window that ends on a day; a state is that of the day itself. -#}
{%- macro kpi_window_start(periods, day, basis) -%}
    case
        when {{ basis }} = 'stock' then {{ day }}
        when {{ periods }}.kind = 'rolling' then {{ plus_days(day, '1 - ' ~ periods ~ '.days') }}
        when {{ periods }}.period = 'week' then cast({{ dbt.date_trunc('week', day) }} as date)
        when {{ periods }}.period = 'month' then {{ month_of(day) }}
        when {{ periods }}.period = 'quarter' then cast({{ dbt.date_trunc('quarter', day) }} as date)
        else {{ day }}
    end
{%- endmacro -%}

{#-
    CTEs, to be put after `night` (as_of): `windows` of the measures with or without quantiles, and `wanted`, the windows of each
    member that are to be worked out: of the touched days, in a full build all in which there can be anything.

    Windows are whole periods, the running ones up to the business date, and rolling windows of every day; those of breakdowns
    end on Sundays and on the business date only: on other days they could hardly ever be shown.
-#}
{%- macro wanted_kpi_cells(has_quantiles) -%}
measures as (
    {{ kpi_measures() }}
),

windows as (
    select
        measures.measure,
        periods.period,
        dates.date_day,
        {{ kpi_window_start('periods', 'dates.date_day', 'measures.basis') }} as window_start,
        periods.kind = 'calendar' or {{ iso_weekday('dates.date_day') }} = 7 or dates.date_day = night.as_of as is_for_breakdowns
    from {{ ref('dim_date') }} as dates
    cross join night
    cross join measures
    inner join {{ ref('kpi_periods') }} as periods on periods.basis = measures.basis
    where
        {{ '' if has_quantiles else 'not ' }}measures.has_quantiles
        and dates.date_day <= night.as_of
        and (
            periods.kind = 'rolling'
            or dates.date_day = {{ kpi_period_end('periods', 'dates.date_day') }}
            or (dates.date_day = night.as_of and measures.basis <> 'employee')
        )
),

wanted_days as (
    {%- if is_incremental() %}
    {{ own_touched_keys() }}
    {%- else %}
    select members.measure, members.dimension, members.member, dates.date_day
    from (
        select
            days.measure,
            days.dimension,
            days.member,
            min(days.date_day) as first_day,
            max(case when days.is_state then night.as_of else {{ plus_days('days.date_day', longest_window_days()) }} end) as last_day
        from {{ ref('int_kpi__day') }} as days
        cross join night
        group by days.measure, days.dimension, days.member
    ) as members
    inner join {{ ref('dim_date') }} as dates on dates.date_day between members.first_day and members.last_day
    {%- endif %}
),

wanted as (
    select
        wanted_days.measure,
        wanted_days.dimension,
        wanted_days.member,
        windows.period,
        wanted_days.date_day,
        windows.window_start
    from wanted_days
    inner join windows on windows.measure = wanted_days.measure and windows.date_day = wanted_days.date_day
    where wanted_days.dimension = 'all' or windows.is_for_breakdowns
)
{%- endmacro -%}

{#- The window is over: of a calendar period its last day is there. -#}
{%- macro is_over(periods, cells) -%}
    ({{ periods }}.kind = 'rolling' or {{ cells }}.date_day = {{ kpi_period_end(periods, cells ~ '.date_day') }})
{%- endmacro -%}

{#- The records of the measure reach back over the whole window, and as far before it as the KPI looks. -#}
{%- macro reaches_back(kpis, cells, first_days) -%}
    {{ plus_days(cells ~ '.window_start', '-' ~ kpis ~ '.lookback_days') }} >= {{ first_days }}.first_day
{%- endmacro -%}

{#- The last day of the window one period before: of a running period the whole one before it. -#}
{%- macro kpi_previous_day(period, day) -%}
    case {{ period }}
        when 'day' then {{ plus_days(day, -1) }}
        when 'week' then {{ plus_days(dbt.date_trunc('week', day), -1) }}
        when 'month' then {{ plus_days(month_of(day), -1) }}
        when 'quarter' then {{ plus_days(dbt.date_trunc('quarter', day), -1) }}
        when 'rolling_7' then {{ plus_days(day, -7) }}
        when 'rolling_28' then {{ plus_days(day, -28) }}
        when 'rolling_90' then {{ plus_days(day, -90) }}
    end
{%- endmacro -%}

{#- The member a record has in a dimension; NULL where its measure does not have the dimension. -#}
{%- macro kpi_member(dimension, records) -%}
    case {{ dimension }}
        when 'all' then 'all'
        {%- for name in kpi_dimensions() %}
        when '{{ name }}' then {{ records }}.{{ name }}
        {%- endfor %}
    end
{%- endmacro -%}
