{#-
    What the KPIs leave out, told as the health of the data. What lives here: one sentence per reason, with the KPIs it concerns.
    Not here: the counts (mart_kpi_left_out), other measures of health (mart_data_health).

    The records of a reason are those of the KPI that leaves out the most of them; where another leaves out fewer, its name says
    how many. The share is that of the KPI that loses most.
-#}
{{ config(
    touched_key=['month_start'],
    touched_by="select month_start from {{ touched('mart_kpi_left_out') }}"
) }}

with left_out as (
    select
        left_out.month_start,
        left_out.source,
        left_out.stream,
        left_out.part,
        left_out.reason,
        left_out.because,
        left_out.remedy,
        kpis.name,
        left_out.records,
        left_out.counted,
        max(left_out.records) over (
            partition by left_out.month_start, left_out.source, left_out.stream, left_out.part, left_out.reason
        ) as most_records
    from {{ ref('mart_kpi_left_out') }} as left_out
    inner join {{ ref('kpis') }} as kpis on kpis.kpi = left_out.kpi
    where {{ is_touched(['left_out.month_start']) }}
),

reasons as (
    select
        month_start,
        source,
        stream,
        part,
        reason,
        because,
        remedy,
        most_records as records,
        max({{ percent_value('records', '(records + counted)') }}) as largest_share,
        {{ dbt.listagg(
            "name || case when records < most_records then ' (' || cast(records as varchar) || ')' else '' end", "', '", 'order by name'
        ) }} as kpis
    from left_out
    group by month_start, source, stream, part, reason, because, remedy, most_records
)

select
    month_start,
    source,
    stream,
    part,
    reason,
    records,
    largest_share,
    cast(records as varchar) || case when records = 1 then ' record of ' else ' records of ' end || source || '/' || stream
    || case when part <> '' then ' (' || part || ')' else '' end || case when records = 1 then ' is' else ' are' end
    || ' left out of ' || kpis || ' because ' || because || ': ' || remedy || '.' as message
from reasons
