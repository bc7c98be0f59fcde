{#-
    Tickets of the help desk in our words. One that is in the trash or in the spam folder is gone: a mistake, or no request.

    Of the history the desk tells when a ticket was last resolved, and no more: what else changed, its versions tell. A status of
    the company's own is none of ours. That a target was missed is told by a rule that runs now and then; that it was kept, by nobody.
-#}
with tickets as (
    select
        ticket_id,
        subject,
        description,
        lower(ticket_type) as ticket_type,
        priority,
        status,
        channel_code,
        requester_id,
        responder_id,
        group_id,
        company_id,
        coalesce(try_cast(tags as varchar[]), []) as tags,
        coalesce(try_cast(json_extract_string(custom_fields, '$[*].value') as varchar[]), []) as custom_values,
        due_by,
        fr_due_by,
        is_escalated,
        fr_escalated,
        is_milestone_told,
        {#- What no contract bounds lies within the life of the ticket, or is no time. #}
        {%- for name, milestone in [
            ('first_responded_at', 'first_responded_at'), ('solved_at', 'coalesce(resolved_at, closed_at)')
        ] %}
        case
            when {{ milestone }} between created_at and {{ after_days('updated_at', 1) }} then {{ milestone }}
        end as {{ name }},
        {%- endfor %}
        is_in_trash,
        is_spam,
        created_at,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_freshdesk__tickets') }}
),

conventions as (
    {{ tag_conventions_of('freshdesk') }}
),

tagged as (
    select
        tickets.*,
        coalesce(tickets.ticket_type = 'complaint', false) or list_has_any(tickets.tags, conventions.complaint_tags) as is_complaint,
        {{ topic_of_tags('tickets.tags') }} as topic
    from tickets
    cross join conventions
)

select
    ticket_id,
    requester_id,
    company_id as account_id,
    {#- Short values of custom fields may be anything; the longer ones name a record where there is one of that name. #}
    list_sort(list_distinct(list_filter(
        custom_values, lambda named: length(named) between 4 and 40 and not regexp_matches(named, '\s')
    ))) as named_ids,
    responder_id as assignee_id,
    group_id as team,
    {#- A word of its own for a number that is not documented: the table `channels` of the company may say which it is. #}
    case
        when channel_code in ('1', '10') then 'email'
        when channel_code in ('2', '9') then 'web'
        when channel_code = '3' then 'phone'
        when channel_code = '7' then 'chat'
        when channel_code is not null then 'source_' || channel_code
    end as channel,
    case when channel_code = '10' then 'outbound' end as direction,
    case
        when is_complaint then 'complaint'
        when ticket_type in ('question', 'problem', 'incident', 'task') then ticket_type
        when ticket_type is not null then 'other'
    end as ticket_type,
    topic,
    subject,
    description,
    case
        when priority = '1' then 'low'
        when priority = '2' then 'normal'
        when priority = '3' then 'high'
        when priority = '4' then 'urgent'
        when priority is not null then 'other'
    end as priority,
    case
        when is_in_trash then 'deleted'
        when status = '2' then 'open'
        when status = '3' then 'pending'
        when status = '4' then 'solved'
        when status = '5' then 'closed'
        else 'other'
    end as status,
    is_complaint,
    created_at,
    case when is_milestone_told then first_responded_at is not null end as is_replied,
    first_responded_at as first_replied_at,
    solved_at,
    fr_due_by as first_reply_due_at,
    case when fr_escalated then true end as is_first_reply_breached,
    due_by as resolution_due_at,
    case when is_escalated then true end as is_resolution_breached,
    case when is_in_trash or is_spam then 'soft' end as deletion_kind,
    is_in_trash or is_spam as is_deleted,
    not is_in_trash and not is_spam as is_there,
    case when status = '5' then 'retention_purge' else 'hard_inferred' end as vanished_kind,
    updated_at,
    {{ version_columns(source='source') }}
from tagged
