{#- Tickets of the help desk in our words. A deleted ticket comes once more with its words wiped out: a tombstone. -#}
with tickets as (
    select
        ticket_id,
        external_id,
        subject,
        description,
        ticket_type,
        priority,
        status,
        requester_id,
        submitter_id,
        assignee_id,
        group_id,
        organization_id,
        coalesce(try_cast(tags as varchar[]), []) as tags,
        coalesce(try_cast(json_extract_string(custom_fields, '$[*].value') as varchar[]), []) as custom_values,
        via_channel,
        via_rel,
        created_at,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_zendesk__tickets') }}
),

conventions as (
    {{ tag_conventions_of('zendesk') }}
),

tagged as (
    select
        tickets.*,
        list_has_any(tickets.tags, conventions.complaint_tags) as is_complaint,
        {{ topic_of_tags('tickets.tags') }} as topic
    from tickets
    cross join conventions
)

select
    ticket_id,
    requester_id,
    organization_id as account_id,
    {#- Short values of custom fields may be anything; the longer ones name a record where there is one of that name. #}
    list_sort(list_distinct(list_filter(
        [external_id] || custom_values,
        lambda named: named = external_id or (length(named) between 4 and 40 and not regexp_matches(named, '\s'))
    ))) as named_ids,
    submitter_id as created_by_id,
    assignee_id,
    group_id as team,
    via_channel as channel,
    case when via_rel in ('inbound', 'outbound') then via_rel end as direction,
    case
        when is_complaint then 'complaint'
        when ticket_type in ('question', 'problem', 'incident', 'task') then ticket_type
        when ticket_type is not null then 'other'
    end as ticket_type,
    topic,
    subject,
    description,
    case when priority in ('low', 'normal', 'high', 'urgent') then priority when priority is not null then 'other' end as priority,
    case when status in ('new', 'open', 'pending', 'hold', 'solved', 'closed', 'deleted') then status else 'other' end as status,
    is_complaint,
    created_at,
    case when list_contains(tags, 'closed_by_merge') then 'merged' when status = 'deleted' then 'soft' end as deletion_kind,
    list_contains(tags, 'closed_by_merge') or status = 'deleted' as is_deleted,
    status <> 'deleted' as is_there,
    case when status = 'deleted' then 'soft' end as tombstone_kind,
    case when status = 'closed' then 'retention_purge' else 'hard_inferred' end as vanished_kind,
    updated_at,
    {{ version_columns(source='source') }}
from tagged
