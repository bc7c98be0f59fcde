{#-
    What was said on the tickets of the help desk, and that each was made. What lives here: messages and creations. Not here: in which
    role somebody wrote (int_ticket_event__unioned), changes of a ticket, of which the desk keeps no history that can be asked for:
    its versions tell them (int_ticket__change).

    A comment on a rating is no message: it is told with the rating. What is forwarded, the customer does not see. Who types a call in,
    or sends the first e-mail, is one of us, and not told who.
-#}
select
    message_id as event_id,
    ticket_id,
    'comment' as event_type,
    created_at as occurred_at,
    {#- A later message has a higher id; the first one is of the creation. #}
    case when kind = 'description' then 0 else try_cast(message_id as bigint) end as sequence,
    user_id as author_id,
    case when kind = 'description' and user_id is null then 'agent' end as stated_role,
    not coalesce(is_private, false) and coalesce(message_code, '0') <> '8' as is_public,
    true as is_told,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_freshdesk__conversations') }}
where coalesce(message_code, '0') <> '6'
union all by name
select
    'created:' || ticket_id as event_id,
    ticket_id,
    'created' as event_type,
    created_at as occurred_at,
    -1 as sequence,
    case when channel_code not in ('3', '10') then requester_id end as author_id,
    case when channel_code in ('3', '10') then 'agent' end as stated_role,
    false as is_told,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_freshdesk__tickets') }}
