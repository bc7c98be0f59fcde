{#-
    Which days of which measures a night moves in mart_kpi_daily. What lives here: its touched_by. Not here: which cells a
    record moves (int_kpi__cell).

    A record moves the windows that hold it, and what may be shown of every window that reaches into its month; each of these
    is compared with by a window one period later. A state moves all days from its own on. The month that is running is
    judged anew every night. Where the first day of a measure moves, so does which windows are complete, and compared.
-#}
{%- macro touched_kpi_days() -%}
    {%- set reach = 2 * (longest_window_days() | int) -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    moved as (
        select
            measure,
            case when is_state then date_day else {{ month_of('date_day') }} end as from_date,
            case when is_state then cast('9999-12-31' as date) else {{ plus_days(month_end(month_of('date_day')), reach) }} end as to_date
        from ({{ moved_kpi_records() }}) as records
        where date_day is not null
        union
        select measure, min(first_day), {{ plus_days('max(first_day)', reach + longest_lookback_days() | int) }}
        from {{ touched('int_kpi__first_day') }}
        group by measure
        union
        select
            kpis.measure,
            {{ month_of('least(night.previous_as_of, night.as_of)') }},
            greatest(night.previous_as_of, night.as_of)
        from {{ ref('kpis') }} as kpis
        cross join night
    )
    select moved.measure, dates.date_day
    from moved
    cross join night
    inner join {{ ref('dim_date') }} as dates on dates.date_day between moved.from_date and least(moved.to_date, night.as_of)
    union
    select days.measure, days.date_day from {{ this }} as days inner join night on days.date_day > night.as_of
{%- endmacro -%}

{#- The columns of int_kpi__cell that the mart reads. -#}
{%- macro kpi_cell_columns() -%}
    {{ return([
        'kpi', 'measure', 'date_day', 'period', 'window_start', 'dimension', 'member', 'numerator', 'denominator', 'n', 'people',
        'value', 'ci_low', 'ci_high', 'estimate', 'margin'
    ]) }}
{%- endmacro -%}
