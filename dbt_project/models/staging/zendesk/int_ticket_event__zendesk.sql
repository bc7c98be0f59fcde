{#-
    What the audits of the help desk tell of its tickets, in our words, as last known. What lives here: an audit's list taken apart, the
    kinds of events we know, and the creation of each ticket. Not here: in which role somebody acted (int_ticket_event__unioned).

    Kinds the product may invent later say nothing, as its makers ask. An audit is a list that may come anew, so this is no view
    of versions.

    Longer than 150 lines: every kind of event is taken from the same list, whose place orders them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'ticket_id'],
    touches=['event_id'],
    touched_by="
        select source, ticket_id from {{ touched('int_ticket__unioned') }}
        union
        select _source, ticket_id from {{ ref('stg_zendesk__ticket_audits') }}
        where (_source, audit_id) in ({{ new_rows('stg_zendesk__ticket_audits', ['_source', 'audit_id']) }})
    "
) }}

with audits as (
    {{ newest_versions('stg_zendesk__ticket_audits', ['_source', 'audit_id'], [
        'ticket_id', 'author_id', 'created_at', 'events', 'via_channel'
    ], where='(_source, audit_id) in (select _source, audit_id from ' ~ ref('stg_zendesk__ticket_audits')
        ~ ' where ' ~ is_touched(['_source', 'ticket_id']) ~ ')') }}
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
        try_cast(events as json[]) as told,
        unnest(range(1, len(try_cast(events as json[])) + 1)) as place
    from audits
    where {{ is_touched(['_source', 'ticket_id']) }}
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
        told[place] ->> '$.type' as kind,
        told[place] ->> '$.field_name' as field_name,
        told[place] ->> '$.previous_value' as from_value,
        coalesce(told[place] ->> '$.value', told[place] ->> '$.score') as to_value,
        try_cast(told[place] ->> '$.public' as boolean) as is_public,
        coalesce(told[place] ->> '$.author_id', author_id) as author_id,
        coalesce(told[place] ->> '$.via.channel', via_channel) as via_channel
    from audit_places
),

{#- Only what says so is by a machine: where the desk does not tell the channel, authors are known by their ids. -#}
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
            when starts_with(kind, 'Chat') then 'chat'
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
        coalesce(author_id = '-1', false) or coalesce(via_channel in ('rule', 'system'), false) as is_by_machine
    from audit_events
),

told_creations as (
    select distinct _source, ticket_id
    from audit_events
    where kind = 'Create' and not is_vanished
),

events as (
    select
        _source as source,
        audit_id || ':' || place as event_id,
        ticket_id,
        event_type,
        created_at as occurred_at,
        try_cast(audit_id as bigint) as audit_no,
        audit_id,
        cast(place as bigint) as place,
        author_id,
        {#- A comment by a rule is a bot talking; anything else by a rule is the system at work. #}
        case when is_by_machine then case when event_type = 'comment' then 'bot' else 'system' end end as stated_role,
        case when event_type = 'comment' then coalesce(is_public, true) end as is_public,
        case when event_type <> 'comment' then from_value end as from_value,
        case when event_type not in ('comment', 'chat', 'rating_offered') then to_value end as to_value,
        {#- An audit always says the value before: none is none. #}
        true as is_from_told,
        is_by_machine and author_id is null as is_by_rule,
        true as is_told,
        is_vanished as is_deleted,
        created_at as updated_at,
        _version_at
    from known_events
    where event_type is not null and (event_type in ('comment', 'chat', 'rating_offered') or to_value is not null)
    union all by name
    select
        tickets.source,
        'created:' || tickets.ticket_id as event_id,
        tickets.ticket_id,
        'created' as event_type,
        tickets.created_at as occurred_at,
        -1 as audit_no,
        '' as audit_id,
        0 as place,
        tickets.created_by_id as author_id,
        case when tickets.created_by_id is null then 'system' end as stated_role,
        told_creations.ticket_id is not null as is_told,
        false as is_deleted,
        tickets.updated_at,
        tickets._version_at
    from {{ ref('int_ticket__unioned') }} as tickets
    left join told_creations
        on told_creations._source = tickets.source
        and told_creations.ticket_id = tickets.ticket_id
    where tickets.system = 'zendesk' and {{ is_touched(['tickets.source', 'tickets.ticket_id']) }}
)

select
    event_id,
    ticket_id,
    event_type,
    occurred_at,
    {#- The order of audits tells the order of what happened at one time. #}
    row_number() over (
        partition by source, ticket_id order by occurred_at, audit_no nulls last, audit_id, place
    ) as sequence,
    author_id,
    stated_role,
    is_public,
    from_value,
    to_value,
    is_from_told,
    is_by_rule,
    is_told,
    is_deleted,
    updated_at,
    {{ assembled_columns('_version_at', 'source') }}
from events
