{#- What is inside `sla` and `status` is of these types by contract; a cast that fails must never quote a row in a log. -#}
select
    id as metric_event_id,
    ticket_id,
    metric,
    instance_id,
    type as event_type,
    time as occurred_at,
    try_cast(sla ->> '$.target' as double) as sla_target_minutes,
    try_cast(sla ->> '$.business_hours' as boolean) as is_sla_in_business_hours,
    sla ->> '$.policy.title' as sla_policy,
    try_cast(status ->> '$.calendar' as double) as calendar_minutes,
    try_cast(status ->> '$.business' as double) as business_minutes,
    deleted,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('zendesk', 'ticket_metric_events') }}
