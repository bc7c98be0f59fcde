{#-
    Conversations of Intercom in our words. A closed one is solved, because the next message opens it again; one that is put off until
    some time is on hold. A campaign's message is of the company, an answer of its customer of the customer's conversation all the same.
-#}
with conversations as (
    select
        conversation_id,
        title,
        contact_id,
        company_id,
        state,
        priority,
        assignee_id,
        team_id,
        coalesce(try_cast(tags as varchar[]), []) as tags,
        source_type,
        source_delivered_as,
        source_subject,
        source_body,
        source_author_id,
        has_statistics,
        first_admin_reply_at,
        last_close_at,
        created_at,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_intercom__conversations') }}
),

conventions as (
    {{ tag_conventions_of('intercom') }}
),

tagged as (
    select
        conversations.*,
        list_has_any(conversations.tags, conventions.complaint_tags) as is_complaint,
        {{ topic_of_tags('conversations.tags') }} as topic
    from conversations
    cross join conventions
)

select
    conversation_id as ticket_id,
    contact_id as requester_id,
    company_id as account_id,
    source_author_id as created_by_id,
    assignee_id,
    team_id as team,
    {#- By telephone it is spoken, in Intercom's own messenger and in WhatsApp it is a chat that is told here. #}
    case
        when source_type in ('phone_call', 'phone_switch') then 'phone'
        when source_type in ('conversation', 'whatsapp') then 'conversation'
        when source_type = 'push' then 'app'
        else source_type
    end as channel,
    case
        when source_delivered_as = 'customer_initiated' then 'inbound'
        when source_delivered_as in ('admin_initiated', 'automated', 'campaigns_initiated') then 'outbound'
    end as direction,
    case when is_complaint then 'complaint' end as ticket_type,
    topic,
    coalesce(nullif(source_subject, ''), title) as subject,
    source_body as description,
    case
        when priority in ('low', 'high', 'urgent') then priority
        when priority = 'medium' then 'normal'
        when priority = 'priority' then 'high'
        when priority not in ('none', 'not_priority') then 'other'
    end as priority,
    case state when 'open' then 'open' when 'closed' then 'solved' when 'snoozed' then 'hold' else 'other' end as status,
    is_complaint,
    created_at,
    case when has_statistics then first_admin_reply_at is not null end as is_replied,
    first_admin_reply_at as first_replied_at,
    case when state = 'closed' then last_close_at end as solved_at,
    false as is_deleted,
    true as is_there,
    'hard_inferred' as vanished_kind,
    updated_at,
    {{ version_columns(source='source') }}
from tagged
