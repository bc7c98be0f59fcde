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
        inner join {{ touched('int_contact__unioned') }} as moved
            on events.source = moved.source and events.author_id = moved.contact_id
        inner join {{ ref('int_contact__unioned') }} as contacts
            on moved.source = contacts.source and moved.contact_id = contacts.contact_id
        where events.system = 'zendesk' and (
            events.author_role = 'system'
            or (contacts.role = 'agent' and events.author_role = 'customer')
            or (contacts.role = 'customer' and events.author_role <> 'customer')
        )
        union
        select events.source, events.ticket_id
        from {{ this }} as events
        inner join {{ touched('int_agent__unioned') }} as moved
            on events.source = moved.source and events.author_id = moved.agent_id
        inner join {{ ref('int_agent__unioned') }} as agents
            on moved.source = agents.source and moved.agent_id = agents.agent_id
        where events.system = 'zendesk'
            and agents.is_automated is distinct from (events.author_role = 'bot')
    "
) }}

with audits as (
    {{ newest_versions('stg_zendesk__ticket_audits', ['audit_id'], [
        'ticket_id', 'author_id', 'created_at', 'events', 'via_channel'
    ], where='(_source, audit_id) in (select _source, audit_id from ' ~ ref('stg_zendesk__ticket_audits')
        ~ ' where ' ~ is_touched(['_source', 'ticket_id']) ~ ')') }}
),

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
        channel,
        created_at,
        solved_at,
        status,
        is_deleted,
        updated_at,
        _version_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['source', 'ticket_id']) }}
),

{#- Who is an agent, and which agents are bots; nobody else is listed. -#}
contacts as (
    select
        source,
        contact_id,
        role
    from {{ ref('int_contact__unioned') }}
    where system = 'zendesk'
),

bots as (
    select
        source,
        agent_id
    from {{ ref('int_agent__unioned') }}
    where system = 'zendesk' and is_automated
),

audit_lists as (
    select
        _source,
        audit_id,
        ticket_id,
        author_id,
        created_at,
        via_channel,
        is_vanished,
        _version_at,
        try_cast(events as json[]) as events
    from audits
    where {{ is_touched(['_source', 'ticket_id']) }}
),

audit_places as (
    select
        _source,
        audit_id,
        ticket_id,
        author_id,
        created_at,
        via_channel,
        is_vanished,
        _version_at,
        events,
        unnest(range(1, len(events) + 1)) as place
    from audit_lists
),

audit_events as (
    select
        _source,
        audit_id,
        ticket_id,
        created_at,
        is_vanished,
        _version_at,
        place,
        events[place] ->> '$.type' as kind,
        events[place] ->> '$.field_name' as field_name,
        events[place] ->> '$.previous_value' as from_value,
        coalesce(events[place] ->> '$.value', events[place] ->> '$.score') as to_value,
        try_cast(events[place] ->> '$.public' as boolean) as is_public,
        coalesce(events[place] ->> '$.author_id', author_id) as author_id,
        coalesce(events[place] ->> '$.via.channel', via_channel) as via_channel
    from audit_places
),

{#- Kinds the product may invent later say nothing here, as its makers ask. -#}
known_events as (
    select
        _source,
        audit_id,
        ticket_id,
        created_at,
        is_vanished,
        _version_at,
        place,
        case
            when kind in ('Comment', 'VoiceComment') then 'comment'
            when kind = 'SatisfactionRating' and to_value = 'offered' then 'rating_offered'
            when kind in ('Create', 'Change') and field_name = 'status' then 'status_change'
            when kind in ('Create', 'Change') and field_name = 'assignee_id' then 'assignee_change'
            when kind in ('Create', 'Change') and field_name = 'group_id' then 'team_change'
            when kind in ('Create', 'Change') and field_name = 'priority' then 'priority_change'
        end as event_type,
        from_value,
        to_value,
        is_public,
        nullif(author_id, '-1') as author_id,
        coalesce(author_id = '-1' or via_channel in ('rule', 'system'), true) as is_by_machine
    from audit_events
),

zendesk_events as (
    select
        _source as source,
        audit_id || ':' || place as event_id,
        ticket_id,
        event_type,
        created_at as occurred_at,
        try_cast(audit_id as bigint) as audit_number,
        audit_id,
        place,
        author_id,
        is_by_machine,
        case when event_type = 'comment' then coalesce(is_public, true) end as is_public,
        case when event_type <> 'comment' then from_value end as from_value,
        case when event_type not in ('comment', 'rating_offered') then to_value end as to_value,
        is_vanished as is_deleted,
        created_at as updated_at,
        _version_at
    from known_events
    where event_type is not null and (event_type in ('comment', 'rating_offered') or to_value is not null)
    union all
    select
        source,
        'created:' || ticket_id,
        ticket_id,
        'created',
        created_at,
        -1,
        '',
        0,
        created_by_id,
        created_by_id is null,
        null,
        null,
        channel,
        false,
        updated_at,
        _version_at
    from tickets
    where system = 'zendesk'
),

unioned as (
    select
        zendesk_events.source,
        'zendesk' as system,
        zendesk_events.event_id,
        zendesk_events.ticket_id,
        zendesk_events.event_type,
        zendesk_events.occurred_at,
        {#- A comment by a rule is a bot talking; anything else by a rule is the system at work. Somebody not known yet is a
            customer if the ticket is theirs, and otherwise neither customer nor agent until their record arrives. #}
        row_number() over (
            partition by zendesk_events.source, zendesk_events.ticket_id
            order by
                zendesk_events.occurred_at,
                zendesk_events.audit_number nulls last,
                zendesk_events.audit_id,
                zendesk_events.place
        ) as sequence,
        zendesk_events.author_id,
        case
            when zendesk_events.is_by_machine then case when zendesk_events.event_type = 'comment' then 'bot' else 'system' end
            when bots.agent_id is not null then 'bot'
            when contacts.role = 'agent' then 'agent'
            when contacts.role = 'customer' then 'customer'
            when zendesk_events.author_id = tickets.requester_id then 'customer'
            else 'system'
        end as author_role,
        zendesk_events.is_public,
        zendesk_events.from_value,
        zendesk_events.to_value,
        zendesk_events.is_deleted,
        zendesk_events.updated_at,
        zendesk_events._version_at
    from zendesk_events
    left join tickets
        on zendesk_events.source = tickets.source
        and zendesk_events.ticket_id = tickets.ticket_id
    left join contacts
        on zendesk_events.source = contacts.source
        and zendesk_events.author_id = contacts.contact_id
    left join bots
        on zendesk_events.source = bots.source
        and zendesk_events.author_id = bots.agent_id
    union all
    {#- The CRM keeps no history of cases here: only their creation and their closing are known. #}
    select
        source,
        'salesforce',
        'created:' || ticket_id,
        ticket_id,
        'created',
        created_at,
        1,
        null,
        'system',
        null,
        null,
        channel,
        false,
        updated_at,
        _version_at
    from tickets
    where system = 'salesforce'
    union all
    select
        source,
        'salesforce',
        'closed:' || ticket_id,
        ticket_id,
        'status_change',
        solved_at,
        2,
        null,
        'system',
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
        author_id,
        author_role,
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
    {{ surrogate_key(['source', 'event_id']) }} as event_key,
    {{ surrogate_key(['source', 'ticket_id']) }} as ticket_key,
    source,
    system,
    event_id,
    ticket_id,
    event_type,
    occurred_at,
    sequence,
    author_id,
    author_role,
    is_public,
    from_value,
    to_value,
    is_deleted,
    updated_at,
    _version_at
from unioned
