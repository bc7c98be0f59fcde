{#- What the clocks of the help desk's targets did, in our words. -#}
select
    metric_event_id as event_id,
    ticket_id,
    metric,
    coalesce(instance_id, 0) as instance_no,
    case when event_type = 'apply_group_sla' then 'apply_sla' else event_type end as kind,
    occurred_at as moment,
    sla_target_minutes as target_minutes,
    coalesce(is_sla_in_business_hours, false) as is_business_hours,
    sla_policy as policy,
    coalesce(deleted, false) as is_deleted,
    {{ version_columns() }}
from {{ ref('stg_zendesk__ticket_metric_events') }}
