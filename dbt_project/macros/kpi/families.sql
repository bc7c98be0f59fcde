{#-
    The models whose records the KPIs count. What lives here: their names, all their records, and the days a night moves. A new
    family is named here once. Not here: the records themselves (models/intermediate/kpi/int_kpi__*).
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

{#- A CTE body: measure, day and is_state of the records a night moves, as they stood and as they stand. -#}
{%- macro moved_kpi_records() -%}
    {%- for family in kpi_families() %}
    select measure, date_day, is_state from {{ touched(family) }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#- Days from a record on in which a window may hold it: a quarter is the longest. -#}
{%- macro longest_window_days() -%} 92 {%- endmacro -%}

{#- Days that a KPI looks back beyond its window, at most (seed kpis, lookback_days). -#}
{%- macro longest_lookback_days() -%} 455 {%- endmacro -%}
