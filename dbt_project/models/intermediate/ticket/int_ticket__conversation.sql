{#-
    What was said on each ticket by whom. What lives here: replies, and whether anything can be said of them at all. Not here: who began
    a ticket (int_ticket__beginning), how long a reply took (fct_ticket), what was done on a ticket (int_ticket__history).

    A reply is a public comment by a person of ours after the ticket began; the comment with which an agent opens a ticket is none.

    `conversation` says what is known of the answers:
      told            the creation or a comment was delivered: a ticket without a public answer is unanswered
      first_reply     no comment was delivered, but the ticket says when a person answered first, or that nobody has
      elsewhere       they are kept elsewhere (seed conversations_elsewhere, a chat, a call typed in), and none is told here
      not_delivered   neither the creation nor any comment was delivered
      unknown_author  somebody answered of whom it is not known whether they are one of us
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__beginning') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
    "
) }}

with public_comments as (
    select
        comments.ticket_key,
        comments.author_role,
        comments.occurred_at,
        beginnings.is_customer_initiated,
        row_number() over (
            partition by comments.ticket_key order by comments.occurred_at, coalesce(comments.sequence, 0), comments.event_key
        ) as comment_no,
        row_number() over (
            partition by comments.ticket_key, case when comments.author_role in ('customer', 'agent') then 1 else 0 end
            order by comments.occurred_at desc, coalesce(comments.sequence, 0) desc, comments.event_key desc
        ) as recency
    from {{ ref('int_ticket_event__unioned') }} as comments
    inner join {{ ref('int_ticket__beginning') }} as beginnings on beginnings.ticket_key = comments.ticket_key
    where
        comments.event_type = 'comment'
        and not comments.is_deleted
        and coalesce(comments.is_public, true)
        and comments.occurred_at >= beginnings.created_at
        and {{ is_touched(['comments.ticket_key']) }}
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
        beginnings.ticket_key,
        beginnings.is_customer_initiated,
        case
            when not beginnings.is_delivered and beginnings.first_replied_at >= beginnings.created_at then 'first_reply'
            when beginnings.is_customer_initiated and beginnings.is_typed_in then 'elsewhere'
            when beginnings.is_elsewhere and not beginnings.is_answered_here then 'elsewhere'
            when not beginnings.is_delivered and not beginnings.is_replied then 'first_reply'
            when not beginnings.is_delivered then 'not_delivered'
            when coalesce(replies.replies, 0) = 0 and replies.comments_of_unknown > 0 then 'unknown_author'
            else 'told'
        end as conversation,
        case when beginnings.is_delivered then replies.first_reply_at else beginnings.first_replied_at end as first_reply_at,
        replies.first_automated_reply_at,
        cast(coalesce(replies.replies, 0) as integer) as replies,
        cast(coalesce(replies.automated_replies, 0) as integer) as automated_replies,
        cast(coalesce(replies.comments_of_ours, 0) as integer) as comments_of_ours,
        cast(coalesce(replies.comments_of_machines, 0) as integer) as comments_of_machines,
        cast(coalesce(replies.customer_contacts, 0) as integer) as customer_contacts,
        beginnings.agent_touches,
        coalesce(replies.last_speaker, case when beginnings.is_customer_initiated then 'customer' end) as last_speaker
    from {{ ref('int_ticket__beginning') }} as beginnings
    left join replies on replies.ticket_key = beginnings.ticket_key
    where {{ is_touched(['beginnings.ticket_key']) }}
)

{#- Of what is not told nothing is said. -#}
select
    ticket_key,
    is_customer_initiated,
    conversation,
    case when conversation in ('told', 'first_reply') then first_reply_at end as first_reply_at
    {%- for column in [
        'first_automated_reply_at', 'replies', 'automated_replies', 'comments_of_ours', 'comments_of_machines',
        'customer_contacts', 'agent_touches', 'last_speaker'
    ] %},
    case when conversation = 'told' then {{ column }} end as {{ column }}
    {%- endfor %}
from judged
