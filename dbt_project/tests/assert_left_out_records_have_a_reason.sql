-- Every left-out record has a reason that can be told, and a measure that some KPI counts: else it would be left out in silence.
with records as (
    {{ all_left_out_records(['measure', 'reason'], 'true') }}
)

select records.measure, records.reason
from records
left join {{ ref('left_out_reasons') }} as reasons on reasons.reason = records.reason
left join {{ ref('kpis') }} as kpis on kpis.measure = records.measure
where reasons.reason is null or kpis.kpi is null
