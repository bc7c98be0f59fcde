{#- The first day the records of each measure know: a window that begins earlier is only partly filled. -#}
{{ config(
    touched_key=['measure'],
    touches=['first_day'],
    touched_by="select distinct measure from ({{ moved_kpi_records() }}) as records"
) }}

with records as (
    {{ all_kpi_records(['measure', 'date_day'], is_touched(['measure'])) }}
)

select
    measure,
    min(date_day) as first_day
from records
group by measure
