{#-
    The windows KPIs are shown over. What lives here: where a period begins and ends, when a record leaves it, which member a
    record has. Not here: which KPI has which periods (seed kpi_periods), sums over windows (int_kpi__cell).

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

{#- The first day on which no window of the period holds a record of this day. -#}
{%- macro kpi_leaves_on(periods, day) -%}
    case when {{ periods }}.kind = 'rolling' then {{ plus_days(day, periods ~ '.days') }} else {{ plus_days('(' ~ kpi_period_end(periods, day) ~ ')', 1) }} end
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
