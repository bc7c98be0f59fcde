{#-
    The health of the data. What lives here: the bounds a figure is held against, the sentence that says so, and which days
    a night moves. Not here: the figures (mart_data_health), the bounds themselves (seed health_thresholds).
-#}

{#- Days before a day whose median its match rate is held against, and how many of them must be known. -#}
{%- macro match_days() -%} 28 {%- endmacro -%}
{%- macro match_least_days() -%} 7 {%- endmacro -%}

{#-
    How far a share of n may lie below its usual one, in percentage points: as many as the seed says, or, where few records make
    it jump by chance, three times its standard error. Two more records of either kind keep that from being 0 where all are alike.
-#}
{%- macro match_band(median, n, points) -%}
    {%- set usual = '((' ~ median ~ ' * ' ~ n ~ ' / 100.0 + 2.0) / (' ~ n ~ ' + 4.0))' -%}
    greatest({{ points }}, 300.0 * sqrt({{ usual }} * (1.0 - {{ usual }}) / {{ n }}))
{%- endmacro -%}

{#- Aggregate: the `count` least of the distinct values of a group, ascending. -#}
{%- macro least_values(value, count) -%}
    {{ return(adapter.dispatch('least_values')(value, count)) }}
{%- endmacro -%}

{%- macro duckdb__least_values(value, count) -%}
    list_slice(list_sort(list(distinct {{ value }})), 1, {{ count }})
{%- endmacro -%}

{#- Whether a figure is past a bound, in the direction that is bad. -#}
{%- macro is_past(value, bound, direction) -%}
    case {{ direction }} when 'lower_is_better' then {{ value }} >= {{ bound }} when 'higher_is_better' then {{ value }} <= {{ bound }} else false end
{%- endmacro -%}

{#-
    touched_by of int_data_health__batch_figure. A batch that came, or of which the gate now says something else, moves every day from
    its own on.
-#}
{%- macro touched_batch_days() -%}
    with night as (
        select night, as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    first_moved as (
        select min(batches.extract_date) as first_day
        from {{ source('night', 'batches') }} as batches
        inner join night on night.night = batches.night
    ),
    bounds as (
        select
            least(night.as_of, night.previous_as_of, coalesce(first_moved.first_day, night.as_of)) as first_day,
            greatest(night.as_of, night.previous_as_of) as last_day
        from night
        cross join first_moved
    )
    {{ days_between('bounds', 'first_day', 'last_day') }}
    union
    select figures.date_day from {{ this }} as figures inner join night on figures.date_day > night.as_of
{%- endmacro -%}

{#- touched_by of int_data_health__match_figure. A day's match rate moves the medians of the days after it. -#}
{%- macro touched_match_days() -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    bounds as (
        select least(as_of, previous_as_of) as first_day, greatest(as_of, previous_as_of) as last_day from night
    ),
    offsets as (
        {{ day_offsets(match_days() | int + 1) }}
    )
    {{ days_between('bounds', 'first_day', 'last_day') }}
    union
    select {{ plus_days(date_of_key('matching.date_key'), 'offsets.offset_days') }}
    from {{ touched('int_data_health__matching') }} as matching
    cross join offsets
    union
    select figures.date_day from {{ this }} as figures inner join night on figures.date_day > night.as_of
{%- endmacro -%}

{#- touched_by of mart_data_health: areas and days. The log of definitions and what people approved move as a whole. -#}
{%- macro touched_health_days() -%}
    select moved.date_day, thresholds.area
    from (
        select date_day, measure from {{ touched('int_data_health__batch_figure') }}
        union
        select date_day, measure from {{ touched('int_data_health__match_figure') }}
    ) as moved
    inner join {{ ref('health_thresholds') }} as thresholds on thresholds.measure = moved.measure
    union
    select month_start, 'feedback_utilisation' from {{ touched('mart_feedback_utilisation') }}
    union
    select month_start, 'left_out' from {{ touched('int_data_health__left_out') }}
    union
    select as_of, 'definition' from {{ source('night', 'definition_changes') }}
    union
    select extract_date, 'approval' from {{ source('night', 'approvals') }}
    union
    select date_day, area from {{ this }} where area in ('definition', 'approval')
{%- endmacro -%}
