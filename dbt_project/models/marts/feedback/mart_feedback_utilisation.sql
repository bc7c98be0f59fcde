{#-
    How much of what is said is put to use, by kind of source and month. What lives here: coverage and use. Not here: which items
    count (fct_feedback), the formulas (macros/kpi/voice.sql).

    'all' are the sources of customers; employees stand by themselves.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        select {{ month_of_key('date_key') }} as month_start from {{ touched('fct_feedback') }} where date_key > 0
        union
        select {{ month_of_key('date_key') }} from {{ ref('fct_feedback') }}
        where date_key > 0 and feedback_key in (select feedback_key from {{ touched('bridge_feedback_theme') }})
        union
        select {{ month_of_key('date_key') }} from {{ ref('fct_feedback') }}
        where date_key > 0 and (source_object, source_ref) in (select source_object, source_ref from {{ touched('fct_closed_loop_case') }})
    "
) }}

{%- set least = smallest_group('is_employee') %}
{%- set parts = ['linked', 'themed', 'responded', 'actioned', 'used'] %}
with cases as (
    {{ done_about_feedback() }}
),

done as (
    select
        items.feedback_key,
        items.date_key,
        items.source_type,
        items.customer_key,
        coalesce(items.responded_at, cases.responded_at) as responded_at,
        coalesce(items.actioned_at, cases.actioned_at) as actioned_at
    from {{ ref('fct_feedback') }} as items
    left join cases on cases.source_object = items.source_object and cases.source_ref = items.source_ref
    where items.is_counted and items.date_key > 0 and {{ is_touched([month_of_key('items.date_key')]) }}
),

items as (
    select
        feedback_key,
        {{ month_of_key('date_key') }} as month_start,
        source_type,
        source_type = 'employee' as is_employee,
        case when customer_key = -1 then -1 - feedback_key else customer_key end as person,
        case when customer_key <> -1 then 1 else 0 end as linked,
        case when responded_at is not null then 1 else 0 end as responded,
        case when actioned_at is not null then 1 else 0 end as actioned,
        case when {{ is_used('responded_at', 'actioned_at') }} then 1 else 0 end as used
    from done
),

unthemed as (
    select feedback_key from {{ ref('bridge_feedback_theme') }} where theme_key = -1
),

cells as (
    select
        items.month_start,
        items.is_employee,
        coalesce(items.source_type, 'all') as source_type,
        count(*) as items,
        cast(sum(items.linked) as bigint) as linked,
        count(*) - count(unthemed.feedback_key) as themed,
        cast(sum(items.responded) as bigint) as responded,
        cast(sum(items.actioned) as bigint) as actioned,
        cast(sum(items.used) as bigint) as used,
        count(distinct items.person) as people
    from items
    left join unthemed on unthemed.feedback_key = items.feedback_key
    group by grouping sets ((items.month_start, items.is_employee), (items.month_start, items.is_employee, items.source_type))
    having items.source_type is not null or not items.is_employee
),

small_sources as (
    select
        month_start,
        is_employee,
        source_type,
        people,
        {{ is_small('people', least) }} as hidden
    from cells
),

{{ hide_another(
    'small_sources', 'sources', ['month_start', 'is_employee', 'source_type', 'people'], ['month_start', 'is_employee'],
    'source_type', 'people', least
) }},

final as (
    select
        cells.month_start,
        cells.source_type,
        case when not sources.hidden then cells.items end as items,
        {%- for part in parts %}
        case when not sources.hidden then cells.{{ part }} end as {{ part }},
        case when not sources.hidden then round({{ percent_value('cells.' ~ part, 'cells.items') }}, 4) end as {{ part }}_rate,
        {%- endfor %}
        case when not sources.hidden then round({{ wilson_end('cells.used', 'cells.items', '-') }}, 4) end as used_ci_low,
        case when not sources.hidden then round({{ wilson_end('cells.used', 'cells.items', '+') }}, 4) end as used_ci_high,
        sources.hidden as is_suppressed,
        cells.items < {{ n_low() }} as is_low_n
    from cells
    inner join sources
        on sources.month_start = cells.month_start
        and sources.is_employee = cells.is_employee
        and sources.source_type = cells.source_type
)

select * from final
