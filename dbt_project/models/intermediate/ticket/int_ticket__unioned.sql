{#- Tickets of every source system, as last known. Not here: how their versions were mapped (int_ticket__version). -#}
{{ config(
    touched_key=['source', 'ticket_id'],
    touches=['ticket_key', 'requester_id', 'respondent_key'],
    touched_by="{{ new_rows('int_ticket__version', ['source', 'ticket_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_ticket__version', ['source', 'ticket_id'], [
        'system', 'requester_id', 'requester_email', 'account_id', 'named_ids', 'created_by_id', 'assignee_id', 'team', 'channel',
        'direction', 'ticket_type', 'topic', 'priority', 'status', 'is_complaint', 'is_escalated', 'created_at', 'is_replied',
        'first_replied_at', 'solved_at', 'sla_policy', 'first_reply_due_at', 'is_first_reply_breached', 'resolution_due_at',
        'is_resolution_breached', 'merged_into_ticket_id', 'deletion_kind', 'is_deleted', 'vanished_kind', 'updated_at'
    ], tombstone='tombstone_kind') }}
),

{#- Closed tickets are gone by the desk's schedule of deletion, others by somebody's hand. -#}
tickets as (
    select
        *,
        {{ personal_email('requester_email') }} as personal_email,
        case when tombstone = 'soft' and status = 'closed' then 'retention_purge' else tombstone end as gone_kind
    from newest
)

select
    {{ surrogate_key(['source', 'ticket_id']) }} as ticket_key,
    source,
    system,
    ticket_id,
    requester_id,
    requester_email,
    {#- Only an address makes a requester somebody of whom there may be no contact record. #}
    case
        when personal_email is null then -1
        else {{ respondent_key('source', 'requester_id', 'personal_email') }}
    end as respondent_key,
    account_id,
    named_ids,
    created_by_id,
    assignee_id,
    team,
    channel,
    direction,
    ticket_type,
    topic,
    priority,
    case when gone_kind = 'soft' then 'deleted' else status end as status,
    is_complaint,
    is_escalated,
    created_at,
    is_replied,
    first_replied_at,
    solved_at,
    sla_policy,
    first_reply_due_at,
    is_first_reply_breached,
    resolution_due_at,
    is_resolution_breached,
    merged_into_ticket_id,
    case
        when tombstone = 'retention_purge' then tombstone
        when deletion_kind = 'merged' then 'merged'
        else coalesce(gone_kind, deletion_kind, case when is_vanished then vanished_kind end)
    end as deletion_kind,
    gone_kind is not null or is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from tickets
