{#-
    What the parts of Intercom's conversations tell, in our words, as last known. What lives here: a part taken apart into what was said,
    how the conversation stood then and who it was handed to; its first message. Not here: kinds of parts that say nothing of these.

    Of a conversation the API shows its last 500 parts. What lies before them is kept where an earlier night saw it; where none did, the
    conversation's own times of the first answer and the first close stand for them. If it is closed once more among the parts that are
    there, and not opened before, it had been opened by then.

    Longer than 150 lines: each of two lists of what may be told stands beside the words it becomes.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'ticket_id'],
    touches=['event_id'],
    touched_by="
        {{ new_rows('stg_intercom__conversations', ['_source', 'conversation_id']) }}
        union
        {{ new_rows('stg_intercom__conversation_parts', ['_source', 'conversation_id']) }}
    "
) }}

with parts as (
    {{ newest_versions('stg_intercom__conversation_parts', ['_source', 'conversation_id', 'part_id'], [
        'part_type', 'author_id', 'author_type', 'assigned_to_id', 'assigned_to_type', 'has_body', 'created_at', 'updated_at'
    ], where=is_touched(['_source', 'conversation_id'])) }}
),

conversations as (
    {{ newest_versions('stg_intercom__conversations', ['_source', 'conversation_id'], [
        'source_author_id', 'source_author_type', 'first_admin_reply_at', 'first_close_at', 'created_at', 'updated_at'
    ], where=is_touched(['_source', 'conversation_id'])) }}
),

first_parts as (
    select
        _source,
        conversation_id,
        min(created_at) as first_part_at,
        min(case when part_type in ('close', 'snoozed') then created_at end) as first_shut_at,
        min(case when part_type like '%open' or part_type like '%unsnooze%' then created_at end) as first_open_at
    from parts
    where not is_vanished
    group by _source, conversation_id
),

{#- What one part tells: that something was said, how the conversation stood from then on, who it was handed to. -#}
part_aspects as (
    select
        *,
        unnest(list_filter([
            case when has_body and part_type in ('comment', 'quick_reply', 'open', 'close', 'note', 'note_and_reopen') then 'said' end,
            case when part_type in (
                'close', 'snoozed', 'open', 'unsnoozed', 'timer_unsnooze', 'note_and_reopen', 'assign_and_reopen', 'assign_and_unsnooze'
            ) then 'status' end,
            case when assigned_to_type in ('admin', 'team') and assigned_to_id <> '0' then 'assigned' end
        ], lambda aspect: aspect is not null)) as aspect
    from parts
),

{#- The message a conversation begins with is no part. That it was said is told only where parts are delivered at all. -#}
conversation_aspects as (
    select
        conversations._source,
        conversations.conversation_id,
        conversations.source_author_id,
        conversations.source_author_type,
        conversations.first_admin_reply_at,
        conversations.first_close_at,
        first_parts.first_part_at,
        conversations.created_at,
        conversations.is_vanished,
        conversations.updated_at,
        conversations._version_at,
        unnest(list_filter([
            'created',
            case when first_parts.first_part_at is not null then 'began' end,
            case when first_parts.first_part_at > conversations.first_admin_reply_at then 'answered' end,
            case when first_parts.first_part_at > conversations.first_close_at then 'closed' end,
            case
                when first_parts.first_part_at > conversations.first_close_at and first_parts.first_shut_at is not null
                    and (first_parts.first_open_at is null or first_parts.first_open_at > first_parts.first_shut_at) then 'reopened'
            end
        ], lambda aspect: aspect is not null)) as aspect
    from conversations
    left join first_parts
        on first_parts._source = conversations._source
        and first_parts.conversation_id = conversations.conversation_id
),

events as (
    select
        _source,
        conversation_id,
        part_id || ':' || aspect as event_id,
        case
            when aspect = 'said' then 'comment'
            when aspect = 'status' then 'status_change'
            when assigned_to_type = 'team' then 'team_change'
            else 'assignee_change'
        end as event_type,
        created_at as occurred_at,
        part_id,
        author_id,
        author_type,
        case when aspect = 'said' then part_type not in ('note', 'note_and_reopen') end as is_public,
        case
            when aspect = 'assigned' then assigned_to_id
            when aspect = 'status' then case part_type when 'close' then 'solved' when 'snoozed' then 'hold' else 'open' end
        end as to_value,
        true as is_told,
        is_vanished as is_deleted,
        updated_at,
        _version_at
    from part_aspects
    union all by name
    select
        _source,
        conversation_id,
        aspect || ':' || conversation_id as event_id,
        case when aspect in ('closed', 'reopened') then 'status_change' when aspect = 'created' then aspect else 'comment' end as event_type,
        case aspect
            when 'answered' then first_admin_reply_at
            when 'closed' then first_close_at
            when 'reopened' then first_part_at
            else created_at
        end as occurred_at,
        case when aspect in ('created', 'began') then source_author_id end as author_id,
        case when aspect in ('created', 'began') then source_author_type when aspect <> 'reopened' then 'admin' end as author_type,
        case when aspect in ('began', 'answered') then true end as is_public,
        case aspect when 'closed' then 'solved' when 'reopened' then 'open' end as to_value,
        aspect <> 'created' as is_told,
        is_vanished as is_deleted,
        updated_at,
        _version_at
    from conversation_aspects
)

select
    event_id,
    conversation_id as ticket_id,
    event_type,
    occurred_at,
    {#- Numbers of parts tell the order of what happened in one second. #}
    row_number() over (
        partition by _source, conversation_id
        order by occurred_at, case when part_id is null then 0 else 1 end, try_cast(part_id as bigint) nulls last, part_id, event_id
    ) as sequence,
    author_id,
    case
        when author_type in ('user', 'lead', 'contact') then 'customer'
        when author_type = 'admin' then 'agent'
        when author_type = 'bot' then 'bot'
        else 'system'
    end as stated_role,
    is_public,
    to_value,
    is_told,
    is_deleted,
    updated_at,
    {{ assembled_columns('_version_at', '_source') }}
from events
