{#-
    Who began each ticket, and what was said on it by whom. What lives here: contacts of customers, replies, and whether anything
    can be said of them at all. Not here: how long a reply took (fct_ticket), what was done on a ticket (int_ticket__history).

    A reply is a public comment by a person of ours after the ticket began; the comment with which an agent opens a ticket is
    none. Who types a call in is not who called: a ticket that one of us made for somebody who called, came in or wrote a letter
    is the customer's, unless it says that it goes out or it begins with a message of ours.

    `conversation` says what is known of the answers:
      told            the creation or a comment was delivered: a ticket without a public answer is unanswered
      elsewhere       they are kept elsewhere (seed conversations_elsewhere, a chat, a call typed in), and none is told here
      not_delivered   neither the creation nor any comment was delivered
      unknown_author  somebody answered of whom it is not known whether they are one of us
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union
        select ticket_key from {{ ref('int_ticket__unioned') }}
        where
            (source, requester_id) in (select source, author_id from {{ touched('int_author__role') }})
            or (source, created_by_id) in (select source, author_id from {{ touched('int_author__role') }})
    "
) }}

with events as (
    select
        ticket_key,
        event_key,
        event_type,
        system,
        occurred_at,
        coalesce(sequence, 0) as sequence,
        author_id,
        author_role,
        coalesce(is_public, true) as is_public,
        is_told
    from {{ ref('int_ticket_event__unioned') }}
    where event_type in ('created', 'comment', 'chat') and not is_deleted and {{ is_touched(['ticket_key']) }}
),

{#- A machine that answers has a name; a rule of the desk that sends a message has none. -#}
said as (
    select
        ticket_key,
        min(case when event_type = 'created' then case author_role when 'customer' then 1 when 'agent' then 0 when 'bot' then 0 end end) = 1
            as is_created_by_customer,
        max(case when event_type = 'comment' or (event_type = 'created' and is_told) then 1 else 0 end) = 1 as is_delivered,
        max(case when event_type = 'chat' then 1 else 0 end) = 1 as has_chat,
        max(case
            when event_type = 'comment' and is_public
                and (author_role = 'agent' or (author_role = 'bot' and (author_id is not null or system <> 'zendesk'))) then 1
            else 0
        end) = 1 as is_answered_here,
        min(case when event_type = 'comment' and is_public and author_role in ('agent', 'bot') then occurred_at end) as first_message_of_ours_at,
        sum(case when event_type = 'comment' and author_role = 'agent' then 1 else 0 end) as agent_touches
    from events
    group by ticket_key
),

tickets as (
    select
        tickets.ticket_key,
        tickets.created_at,
        coalesce(
            said.is_created_by_customer,
            tickets.created_by_id is null or coalesce(tickets.created_by_id = tickets.requester_id, false)
                or coalesce(creators.role, 'customer') = 'customer'
        ) as is_created_by_customer,
        said.is_created_by_customer as is_told_to_be_by_customer,
        coalesce(requesters.role in ('agent', 'bot'), false) as is_internal,
        tickets.direction,
        coalesce(channels.channel in ('phone', 'store', 'post'), false)
            and coalesce(said.first_message_of_ours_at > tickets.created_at, true) as is_of_spoken_word,
        coalesce(said.has_chat, false) or exists (
            select 1 from {{ ref('conversations_elsewhere') }} as elsewhere
            where elsewhere.system in (tickets.system, '*') and elsewhere.raw_channel = lower(tickets.channel)
        ) as is_elsewhere,
        coalesce(said.is_answered_here, false) as is_answered_here,
        coalesce(said.is_delivered, false) as is_delivered,
        coalesce(said.agent_touches, 0) as agent_touches
    from {{ ref('int_ticket__unioned') }} as tickets
    left join said on said.ticket_key = tickets.ticket_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(tickets.channel)
    left join {{ ref('int_author__role') }} as requesters
        on requesters.source = tickets.source
        and requesters.author_id = tickets.requester_id
        and (requesters.valid_from is null or requesters.valid_from <= tickets.created_at)
        and (requesters.valid_to is null or requesters.valid_to > tickets.created_at)
    left join {{ ref('int_author__role') }} as creators
        on creators.source = tickets.source
        and creators.author_id = tickets.created_by_id
        and (creators.valid_from is null or creators.valid_from <= tickets.created_at)
        and (creators.valid_to is null or creators.valid_to > tickets.created_at)
    where {{ is_touched(['tickets.ticket_key']) }}
),

beginnings as (
    select
        ticket_key,
        case
            when is_told_to_be_by_customer then true
            when is_internal or direction = 'outbound' then false
            when is_created_by_customer or direction = 'inbound' then true
            else is_of_spoken_word
        end as is_customer_initiated,
        not is_created_by_customer and is_of_spoken_word as is_typed_in
    from tickets
),

public_comments as (
    select
        events.ticket_key,
        events.author_role,
        events.occurred_at,
        beginnings.is_customer_initiated,
        row_number() over (
            partition by events.ticket_key order by events.occurred_at, events.sequence, events.event_key
        ) as comment_no,
        row_number() over (
            partition by events.ticket_key, case when events.author_role in ('customer', 'agent') then 1 else 0 end
            order by events.occurred_at desc, events.sequence desc, events.event_key desc
        ) as recency
    from events
    inner join tickets on tickets.ticket_key = events.ticket_key
    inner join beginnings on beginnings.ticket_key = events.ticket_key
    where events.event_type = 'comment' and events.is_public and events.occurred_at >= tickets.created_at
),

replies as (
    select
        ticket_key,
        min(case when is_reply and author_role = 'agent' then occurred_at end) as first_reply_at,
        min(case when is_reply and author_role in ('bot', 'system') then occurred_at end) as first_automated_reply_at,
        sum(case when is_reply and author_role = 'agent' then 1 else 0 end) as replies,
        sum(case when is_reply and author_role in ('bot', 'system') then 1 else 0 end) as automated_replies,
        sum(case when author_role in ('agent', 'bot', 'system') then 1 else 0 end) as comments_of_ours,
        sum(case when author_role in ('bot', 'system') then 1 else 0 end) as comments_of_machines,
        sum(case when author_role = 'customer' then 1 else 0 end) as customer_contacts,
        sum(case when author_role is null then 1 else 0 end) as comments_of_unknown,
        max(case when recency = 1 and author_role in ('customer', 'agent') then author_role end) as last_speaker
    from (
        select
            ticket_key,
            author_role,
            occurred_at,
            recency,
            not (comment_no = 1 and coalesce(author_role, 'nobody') <> 'customer' and not is_customer_initiated) as is_reply
        from public_comments
    ) as marked
    group by ticket_key
),

judged as (
    select
        tickets.ticket_key,
        beginnings.is_customer_initiated,
        case
            when beginnings.is_customer_initiated and beginnings.is_typed_in then 'elsewhere'
            when tickets.is_elsewhere and not tickets.is_answered_here then 'elsewhere'
            when not tickets.is_delivered then 'not_delivered'
            when coalesce(replies.replies, 0) = 0 and replies.comments_of_unknown > 0 then 'unknown_author'
            else 'told'
        end as conversation,
        replies.first_reply_at,
        replies.first_automated_reply_at,
        cast(coalesce(replies.replies, 0) as integer) as replies,
        cast(coalesce(replies.automated_replies, 0) as integer) as automated_replies,
        cast(coalesce(replies.comments_of_ours, 0) as integer) as comments_of_ours,
        cast(coalesce(replies.comments_of_machines, 0) as integer) as comments_of_machines,
        cast(coalesce(replies.customer_contacts, 0) as integer) as customer_contacts,
        cast(tickets.agent_touches as integer) as agent_touches,
        coalesce(replies.last_speaker, case when beginnings.is_customer_initiated then 'customer' end) as last_speaker
    from tickets
    inner join beginnings on beginnings.ticket_key = tickets.ticket_key
    left join replies on replies.ticket_key = tickets.ticket_key
)

{#- Of what is not told nothing is said. -#}
select
    ticket_key,
    is_customer_initiated,
    conversation
    {%- for column in [
        'first_reply_at', 'first_automated_reply_at', 'replies', 'automated_replies', 'comments_of_ours', 'comments_of_machines',
        'customer_contacts', 'agent_touches', 'last_speaker'
    ] %},
    case when conversation = 'told' then {{ column }} end as {{ column }}
    {%- endfor %}
from judged
