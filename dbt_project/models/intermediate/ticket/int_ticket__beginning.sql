{#-
    Who began each ticket, and what of its conversation is delivered. What lives here: contacts of customers. Not here: what was
    answered, and whether anything can be said of it (int_ticket__conversation).

    Who types a call in is not who called: a ticket that one of us made for somebody who called, came in or wrote a letter
    is the customer's, unless it says that it goes out or it begins with a message of ours.
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
        event_type,
        occurred_at,
        author_role,
        coalesce(is_by_rule, false) as is_by_rule,
        coalesce(is_public, true) as is_public,
        is_told
    from {{ ref('int_ticket_event__unioned') }}
    where event_type in ('created', 'comment', 'chat') and not is_deleted and {{ is_touched(['ticket_key']) }}
),

{#- A machine that answers has a name; a rule of the desk that sends a message answers nobody. -#}
said as (
    select
        ticket_key,
        min(case when event_type = 'created' then case author_role when 'customer' then 1 when 'agent' then 0 when 'bot' then 0 end end) = 1
            as is_created_by_customer,
        max(case when event_type = 'comment' or (event_type = 'created' and is_told) then 1 else 0 end) = 1 as is_delivered,
        max(case when event_type = 'chat' then 1 else 0 end) = 1 as has_chat,
        max(case
            when event_type = 'comment' and is_public
                and (author_role = 'agent' or (author_role = 'bot' and not is_by_rule)) then 1
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
        tickets.is_replied,
        tickets.first_replied_at,
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
)

select
    ticket_key,
    created_at,
    case
        when is_told_to_be_by_customer then true
        when is_internal or direction = 'outbound' then false
        when is_created_by_customer or direction = 'inbound' then true
        else is_of_spoken_word
    end as is_customer_initiated,
    not is_created_by_customer and is_of_spoken_word as is_typed_in,
    is_elsewhere,
    is_answered_here,
    is_delivered,
    cast(agent_touches as integer) as agent_touches,
    is_replied,
    first_replied_at
from tickets
