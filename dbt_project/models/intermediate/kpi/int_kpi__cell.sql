{#-
    Every KPI of every window and member, nothing hidden. What may be shown of them is in int_kpi__told_cell. The tables stand without
    their database, so that the view can be read under whatever name the file is attached.
-#}
{{ config(materialized='view') }}

select {{ kpi_cell_columns() | join(', ') }} from {{ ref('int_kpi__counted_cell').include(database=false) }}
union all
select {{ kpi_cell_columns() | join(', ') }} from {{ ref('int_kpi__timed_cell').include(database=false) }}
