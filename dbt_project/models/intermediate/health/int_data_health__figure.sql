{{ config(materialized='view', incremental_strategy=none) }}

{#-
    Every figure of the health of the data in one shape. What lives here: the figures of batches and matches beside what is made of
    feedback, what people approved and what was defined anew. Not here: bounds and verdicts (mart_data_health).

    `usual` is the median a figure is held against, where there is one; `said` a sentence of it that a person or the gate wrote.
-#}
with approvals as (
    select
        extract_date,
        source,
        stream,
        count(*) as approvals,
        {{ dbt.listagg("approved_by || ' on ' || approved_on || ' (' || checks || '): ' || because", "'; '", 'order by approved_on, checks, approved_by, because') }} as said
    from {{ source('night', 'approvals') }}
    group by extract_date, source, stream
),

definitions as (
    select
        as_of,
        kind,
        name,
        change,
        count(*) as changes
    from {{ source('night', 'definition_changes') }}
    group by as_of, kind, name, change
)

select
    date_day,
    source,
    stream,
    measure,
    value,
    numerator,
    denominator,
    n,
    cast(null as double) as usual,
    false as is_hidden,
    said
from {{ ref('int_data_health__batch_figure') }}
union all
select date_day, source, stream, measure, value, numerator, denominator, n, usual, is_hidden, null
from {{ ref('int_data_health__match_figure') }}
union all
{%- for part in ['linked', 'themed', 'responded', 'actioned', 'used'] %}
select
    month_start,
    'feedback',
    source_type,
    'feedback_{{ part }}',
    cast({{ percent_value(part, 'items') }} as double),
    cast({{ part }} as double),
    cast(items as double),
    items,
    null,
    is_suppressed,
    null
from {{ ref('mart_feedback_utilisation') }}
union all
{%- endfor %}
select extract_date, source, stream, 'approved', cast(approvals as double), null, null, approvals, null, false, said
from approvals
union all
select as_of, kind, name, 'definition_' || change, cast(changes as double), null, null, changes, null, false, null
from definitions
