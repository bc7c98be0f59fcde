{{ config(
    touched_key=['source', 'ticket_id'],
    touches=['ticket_key', 'requester_id', 'respondent_key'],
    touched_by="
        {{ new_rows('stg_zendesk__tickets', ['_source', 'ticket_id']) }}
        union {{ new_rows('stg_salesforce__case', ['_source', 'case_id']) }}
        union {{ new_rows('stg_canonical__ticket', ['_source', 'ticket_id']) }}
    "
) }}

with zendesk_tickets as (
    {{ newest_versions('stg_zendesk__tickets', ['ticket_id'], [
        'external_id', 'custom_fields', 'requester_id', 'organization_id', 'submitter_id', 'assignee_id', 'group_id', 'via_channel', 'via_rel',
        'ticket_type', 'tags', 'priority', 'status', 'created_at', 'updated_at'
    ], purge="status = 'deleted'") }}
),

tagged_tickets as (
    select
        *,
        list_contains(coalesce(try_cast(tags as varchar[]), []), 'complaint') as is_tagged_complaint,
        list_contains(coalesce(try_cast(tags as varchar[]), []), 'closed_by_merge') as is_merged,
        list_extract(list_filter(coalesce(try_cast(tags as varchar[]), []), lambda tag: starts_with(tag, 'topic_')), 1) as topic_tag
    from zendesk_tickets
),

salesforce_cases as (
    {{ newest_versions('stg_salesforce__case', ['case_id'], [
        'contact_id', 'supplied_email', 'account_id', 'owner_id', 'origin', 'case_type', 'reason', 'priority', 'status',
        'is_escalated', 'is_closed', 'closed_date', 'master_record_id', 'is_deleted', 'created_date', 'system_modstamp'
    ]) }}
),

canonical_tickets as (
    {{ newest_versions('stg_canonical__ticket', ['ticket_id'], [
        'requester_id', 'requester_email', 'account_id', 'created_by_id', 'assignee_id', 'team', 'channel', 'direction', 'ticket_type',
        'topic', 'priority', 'status', 'is_complaint', 'is_escalated', 'created_at', 'solved_at', 'merged_into_ticket_id',
        'deletion_kind', 'is_deleted', 'updated_at'
    ], purge="deletion_kind = 'retention_purge'") }}
),

unioned as (
    select
        _source as source,
        'zendesk' as system,
        ticket_id,
        requester_id,
        cast(null as varchar) as requester_email,
        organization_id as account_id,
        {#- Short values of custom fields may be anything; the longer ones name a record where there is one of that name. #}
        list_distinct(list_filter(
            [external_id] || coalesce(try_cast(json_extract_string(custom_fields, '$[*].value') as varchar[]), []),
            lambda named: named = external_id or (length(named) between 4 and 40 and not regexp_matches(named, '\s'))
        )) as named_ids,
        submitter_id as created_by_id,
        assignee_id,
        group_id as team,
        via_channel as channel,
        case when via_rel in ('inbound', 'outbound') then via_rel end as direction,
        case
            when is_tagged_complaint then 'complaint'
            when ticket_type in ('question', 'problem', 'incident', 'task') then ticket_type
            when ticket_type is not null then 'other'
        end as ticket_type,
        substr(topic_tag, 7) as topic,
        {{ zendesk_priority('priority') }} as priority,
        case when is_purged and status <> 'closed' then 'deleted' else {{ zendesk_status('status') }} end as status,
        is_tagged_complaint as is_complaint,
        cast(null as boolean) as is_escalated,
        created_at,
        cast(null as timestamptz) as solved_at,
        cast(null as varchar) as merged_into_ticket_id,
        {#- Closed tickets are gone by the desk's schedule of deletion, others by somebody's hand. #}
        case
            when is_merged then 'merged'
            when is_purged and status = 'closed' then 'retention_purge'
            when is_purged or status = 'deleted' then 'soft'
            when is_vanished and status = 'closed' then 'retention_purge'
            when is_vanished then 'hard_inferred'
        end as deletion_kind,
        is_purged or status = 'deleted' or is_merged or is_vanished as is_deleted,
        updated_at,
        _version_at
    from tagged_tickets
    union all
    select
        _source,
        'salesforce',
        case_id,
        contact_id,
        supplied_email,
        account_id,
        null,
        null,
        {{ salesforce_assignee('owner_id') }},
        {{ salesforce_queue('owner_id') }},
        lower(origin),
        null,
        case
            when lower(case_type) in ('question', 'problem', 'incident', 'complaint', 'task') then lower(case_type)
            when case_type is not null then 'other'
        end,
        reason,
        {{ salesforce_priority('priority') }},
        {{ salesforce_status('status', 'is_closed') }},
        coalesce(lower(case_type) = 'complaint', false),
        is_escalated,
        created_date,
        closed_date,
        master_record_id,
        case
            when master_record_id is not null then 'merged'
            when is_deleted then 'soft'
            when is_vanished then 'hard_inferred'
        end,
        is_deleted or master_record_id is not null or is_vanished,
        system_modstamp,
        _version_at
    from salesforce_cases
    union all
    select
        _source,
        'canonical',
        ticket_id,
        requester_id,
        requester_email,
        account_id,
        null,
        created_by_id,
        assignee_id,
        team,
        channel,
        direction,
        ticket_type,
        topic,
        priority,
        status,
        coalesce(is_complaint, ticket_type = 'complaint', false),
        is_escalated,
        created_at,
        solved_at,
        merged_into_ticket_id,
        coalesce(
            case when is_purged then 'retention_purge' else deletion_kind end,
            case
                when merged_into_ticket_id is not null then 'merged'
                when status = 'deleted' or is_deleted then 'soft'
                when is_vanished and status = 'closed' then 'retention_purge'
                when is_vanished then 'hard_inferred'
            end
        ),
        is_purged or coalesce(is_deleted, false) or status = 'deleted' or merged_into_ticket_id is not null or is_vanished,
        updated_at,
        _version_at
    from canonical_tickets
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
        when {{ personal_email('requester_email') }} is null then -1
        else {{ respondent_key('source', 'requester_id', personal_email('requester_email')) }}
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
    status,
    is_complaint,
    is_escalated,
    created_at,
    solved_at,
    merged_into_ticket_id,
    deletion_kind,
    is_deleted,
    updated_at,
    _version_at
from unioned
