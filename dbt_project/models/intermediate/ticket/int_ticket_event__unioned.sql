{#-
    What happened on tickets, in every source system, and in which role somebody did it. Not here: which value a change came
    from where the event does not say it (int_ticket__change), what it means for the ticket (int_ticket__conversation).

    A role is that of the moment of the event (int_author__role). Of whom nothing was told by then: who is in charge of the
    ticket is an agent, who asks is the customer, and else what is first told of them holds; of others the role is not known.
    `is_told` is false for what a ticket itself makes us add (its creation): that is no history.
    An event that is told of another ticket leaves the one it was told of before.
-#}
{{ config(
    touched_key=['source', 'ticket_id'],
    touches=['ticket_key'],
    touched_by="
        select source, ticket_id from {{ touched('int_ticket__unioned') }}
        union
        select source, ticket_id from {{ ref('int_ticket_event__version') }}
        where (source, event_id) in ({{ new_versions('ticket_event', ['source', 'event_id']) }})
        union
        select source, ticket_id from {{ this }}
        where (source, event_id) in ({{ new_versions('ticket_event', ['source', 'event_id']) }})
        union
        select events.source, events.ticket_id
        from {{ this }} as events
        inner join {{ touched('int_author__role') }} as moved
            on events.source = moved.source and events.author_id = moved.author_id
    "
) }}

with newest as (
    {{ newest_versions('int_ticket_event__version', ['source', 'event_id'], [
        'system', 'ticket_id', 'event_type', 'occurred_at', 'sequence', 'author_id', 'stated_role', 'is_public', 'from_value',
        'to_value', 'is_from_told', 'is_by_rule', 'is_told', 'is_deleted', 'updated_at'
    ], where='(source, event_id) in (select source, event_id from ' ~ ref('int_ticket_event__version')
        ~ ' where ' ~ is_touched(['source', 'ticket_id']) ~ ')') }}
),

tickets as (
    select
        source,
        ticket_id,
        requester_id,
        assignee_id
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['source', 'ticket_id']) }}
)

select
    {{ surrogate_key(['newest.source', 'newest.event_id']) }} as event_key,
    {{ surrogate_key(['newest.source', 'newest.ticket_id']) }} as ticket_key,
    newest.source,
    newest.system,
    newest.event_id,
    newest.ticket_id,
    newest.event_type,
    newest.occurred_at,
    newest.sequence,
    newest.author_id,
    case
        when newest.stated_role is not null then newest.stated_role
        when roles.first_told_at <= newest.occurred_at then roles.role
        when newest.author_id = tickets.requester_id then coalesce(roles.role, 'customer')
        when newest.author_id = tickets.assignee_id then coalesce(nullif(roles.role, 'customer'), 'agent')
        else roles.role
    end as author_role,
    newest.is_public,
    newest.from_value,
    newest.to_value,
    newest.is_from_told,
    newest.is_by_rule,
    newest.is_told,
    newest.is_deleted or newest.is_vanished as is_deleted,
    newest.updated_at,
    newest._version_at
from newest
left join tickets
    on tickets.source = newest.source
    and tickets.ticket_id = newest.ticket_id
left join {{ ref('int_author__role') }} as roles
    on roles.source = newest.source
    and roles.author_id = newest.author_id
    and (roles.valid_from is null or roles.valid_from <= newest.occurred_at)
    and (roles.valid_to is null or roles.valid_to > newest.occurred_at)
where {{ is_touched(['newest.source', 'newest.ticket_id']) }}
