{#- Cases in our words. A case is in the hands of a queue or of a person: ids of queues begin with 00G. -#}
select
    case_id as ticket_id,
    contact_id as requester_id,
    supplied_email as requester_email,
    account_id,
    case when not starts_with(owner_id, '00G') then owner_id end as assignee_id,
    case when starts_with(owner_id, '00G') then owner_id end as team,
    lower(origin) as channel,
    case
        when lower(case_type) in ('question', 'problem', 'incident', 'complaint', 'task') then lower(case_type)
        when case_type is not null then 'other'
    end as ticket_type,
    reason as topic,
    case
        when lower(priority) in ('low', 'normal', 'high', 'urgent') then lower(priority)
        when lower(priority) = 'medium' then 'normal'
        when lower(priority) = 'critical' then 'urgent'
        when priority is not null then 'other'
    end as priority,
    case
        when is_closed then 'closed'
        when lower(status) = 'new' then 'new'
        when lower(status) in ('open', 'working', 'in progress', 'assigned', 'escalated') then 'open'
        when lower(status) in ('pending', 'waiting on customer', 'awaiting customer') then 'pending'
        when lower(status) in ('hold', 'on hold') then 'hold'
        else 'other'
    end as status,
    coalesce(lower(case_type) = 'complaint', false) as is_complaint,
    is_escalated,
    created_date as created_at,
    closed_date as solved_at,
    master_record_id as merged_into_ticket_id,
    case when master_record_id is not null then 'merged' when is_deleted then 'soft' end as deletion_kind,
    is_deleted or master_record_id is not null as is_deleted,
    not is_deleted as is_there,
    'hard_inferred' as vanished_kind,
    system_modstamp as updated_at,
    {{ version_columns() }}
from {{ ref('stg_salesforce__case') }}
