{#-
    What happened on tickets, in every source system, and in which role somebody did it. Not here: which value a change came
    from where the event does not say it (int_ticket__change), what it means for the ticket (int_ticket__conversation).

    A role is that of the moment of the event (int_author__role). Of whom nothing was told by then: who is in charge of the
    ticket is an agent, who asks is the customer, and else what is first told of them holds; of others the role is not known.
    `is_told` is false for what a ticket itself makes us add (its creation): that is no history.
-#}
{{ config(
    touched_key=['source', 'ticket_id'],
    touches=['ticket_key'],
    touched_by="
        select source, ticket_id from {{ touched('int_ticket__unioned') }}
        union
        select _source, ticket_id from {{ ref('stg_zendesk__ticket_audits') }}
        where (_source, audit_id) in ({{ new_rows('stg_zendesk__ticket_audits', ['_source', 'audit_id']) }})
        union
        select _source, ticket_id from {{ ref('stg_canonical__ticket_event') }}
        where (_source, event_id) in ({{ new_rows('stg_canonical__ticket_event', ['_source', 'event_id']) }})
        union
        select events.source, events.ticket_id
        from {{ this }} as events
        inner join {{ touched('int_author__role') }} as moved
            on events.source = moved.source and events.author_id = moved.author_id
    "
) }}

with {{ audit_event_ctes() }},

canonical_events as (
    {{ newest_versions('stg_canonical__ticket_event', ['event_id'], [
        'ticket_id', 'event_type', 'occurred_at', 'sequence', 'author_id', 'author_role', 'is_public', 'from_value',
        'to_value', 'is_deleted', 'updated_at'
    ], where='(_source, event_id) in (select _source, event_id from ' ~ ref('stg_canonical__ticket_event')
        ~ ' where ' ~ is_touched(['_source', 'ticket_id']) ~ ')') }}
),

tickets as (
    select
        source,
        system,
        ticket_id,
        requester_id,
        created_by_id,
        assignee_id,
        channel,
        created_at,
        solved_at,
        status,
        updated_at,
        _version_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['source', 'ticket_id']) }}
),

told_creations as (
    select distinct _source, ticket_id
    from audit_events
    where kind = 'Create' and not is_vanished
),

unioned as (
    select
        _source as source,
        'zendesk' as system,
        audit_id || ':' || place as event_id,
        ticket_id,
        event_type,
        created_at as occurred_at,
        try_cast(audit_id as bigint) as place_in_source,
        audit_id,
        cast(place as bigint) as place_in_audit,
        author_id,
        {#- A comment by a rule is a bot talking; anything else by a rule is the system at work. #}
        case when is_by_machine then case when event_type = 'comment' then 'bot' else 'system' end end as stated_role,
        true as is_told,
        case when event_type = 'comment' then coalesce(is_public, true) end as is_public,
        case when event_type <> 'comment' then from_value end as from_value,
        case when event_type not in ('comment', 'chat', 'rating_offered') then to_value end as to_value,
        is_vanished as is_deleted,
        created_at as updated_at,
        _version_at
    from known_events
    where event_type is not null and (event_type in ('comment', 'chat', 'rating_offered') or to_value is not null)
    union all
    {#- Nobody is said to have made a ticket: the system. The CRM keeps no history of cases here at all. #}
    select
        tickets.source,
        tickets.system,
        'created:' || tickets.ticket_id,
        tickets.ticket_id,
        'created',
        tickets.created_at,
        -1,
        '',
        0,
        case when tickets.system = 'zendesk' then tickets.created_by_id end,
        case when tickets.system = 'salesforce' or tickets.created_by_id is null then 'system' end,
        told_creations.ticket_id is not null,
        null,
        null,
        tickets.channel,
        false,
        tickets.updated_at,
        tickets._version_at
    from tickets
    left join told_creations
        on tickets.system = 'zendesk'
        and told_creations._source = tickets.source
        and told_creations.ticket_id = tickets.ticket_id
    where tickets.system in ('zendesk', 'salesforce')
    union all
    select
        source,
        'salesforce',
        'closed:' || ticket_id,
        ticket_id,
        'status_change',
        solved_at,
        0,
        '',
        0,
        null,
        'system',
        false,
        null,
        null,
        status,
        false,
        updated_at,
        _version_at
    from tickets
    where system = 'salesforce' and status = 'closed' and solved_at is not null
    union all
    select
        _source,
        'canonical',
        event_id,
        ticket_id,
        event_type,
        occurred_at,
        sequence,
        '',
        0,
        author_id,
        author_role,
        true,
        is_public,
        from_value,
        to_value,
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_events
    where {{ is_touched(['_source', 'ticket_id']) }}
)

select
    {{ surrogate_key(['unioned.source', 'unioned.event_id']) }} as event_key,
    {{ surrogate_key(['unioned.source', 'unioned.ticket_id']) }} as ticket_key,
    unioned.source,
    unioned.system,
    unioned.event_id,
    unioned.ticket_id,
    unioned.event_type,
    unioned.occurred_at,
    {#- Of the help desk the order of audits tells the order of what happened at one time. #}
    case
        when unioned.system = 'canonical' then unioned.place_in_source
        else row_number() over (
            partition by unioned.source, unioned.ticket_id
            order by unioned.occurred_at, unioned.place_in_source nulls last, unioned.audit_id, unioned.place_in_audit
        )
    end as sequence,
    unioned.author_id,
    case
        when unioned.stated_role is not null then unioned.stated_role
        when roles.first_told_at <= unioned.occurred_at then roles.role
        when unioned.author_id = tickets.requester_id then coalesce(roles.role, 'customer')
        when unioned.author_id = tickets.assignee_id then coalesce(nullif(roles.role, 'customer'), 'agent')
        else roles.role
    end as author_role,
    unioned.is_public,
    unioned.from_value,
    unioned.to_value,
    unioned.is_told,
    unioned.is_deleted,
    unioned.updated_at,
    unioned._version_at
from unioned
left join tickets
    on tickets.source = unioned.source
    and tickets.ticket_id = unioned.ticket_id
left join {{ ref('int_author__role') }} as roles
    on roles.source = unioned.source
    and roles.author_id = unioned.author_id
    and (roles.valid_from is null or roles.valid_from <= unioned.occurred_at)
    and (roles.valid_to is null or roles.valid_to > unioned.occurred_at)
