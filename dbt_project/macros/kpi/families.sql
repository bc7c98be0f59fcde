{#-
    The models whose records the KPIs count. What lives here: their names, all their records, how these are added up, and which of
    them a night moves. A new family is named here once. Not here: the records themselves (models/intermediate/kpi/int_kpi__*).
-#}
{%- macro kpi_families() -%}
    {{ return(['int_kpi__answer', 'int_kpi__voice', 'int_kpi__ticket', 'int_kpi__order', 'int_kpi__customer', 'int_kpi__journey', 'int_kpi__case']) }}
{%- endmacro -%}

{#- A CTE body: the records of all families. `where` filters them; it may name their columns. -#}
{%- macro all_kpi_records(columns, where) -%}
    {%- for family in kpi_families() %}
    select {{ columns | join(', ') }} from {{ ref(family) }} where {{ where }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#-
    A CTE body: each record of `records` once for every dimension it has a member in, with the columns named. Dimensions are those of
    the seed; with `whole` there is also 'all', to which every record belongs.
-#}
{%- macro placed_kpi_records(records, columns, whole=true) -%}
    select
        {% for column in columns %}{{ records }}.{{ column }}, {% endfor %}
        dimensions.dimension,
        {{ kpi_member('dimensions.dimension', records) }} as member
    from {{ records }}
    cross join (
        {% if whole %}select 'all' as dimension union all {% endif %}select dimension from {{ ref('kpi_dimensions') }}
    ) as dimensions
    where {{ kpi_member('dimensions.dimension', records) }} is not null
{%- endmacro -%}

{#-
    A CTE body: how each measure is added up. `adds_up` says that its windows are sums over days of people who answered or were
    answered; a state is none, nor are events per hundred customers.
-#}
{%- macro kpi_measures() -%}
    select
        measure,
        basis,
        max(quantile) is not null as has_quantiles,
        max({{ units_per_one('kpis') }}) as units_per_one,
        basis in ('flow', 'latest') and max(case when method = 'per_hundred' then 1 else 0 end) = 0 as adds_up
    from {{ ref('kpis') }} as kpis
    group by measure, basis
{%- endmacro -%}

{#- A CTE body: measure, day, is_state and respondent (or some of these) of the records a night moves, as they stood and as they stand. -#}
{%- macro moved_kpi_records(columns=['measure', 'date_day', 'is_state']) -%}
    {%- for family in kpi_families() %}
    select {{ columns | join(', ') }} from {{ touched(family) }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#- Days from a record on in which a window may hold it: a quarter is the longest. -#}
{%- macro longest_window_days() -%} 92 {%- endmacro -%}

{#- Days that a KPI looks back beyond its window, at most (seed kpis, lookback_days). -#}
{%- macro longest_lookback_days() -%} 455 {%- endmacro -%}
