{#-
    What the audits of the help desk tell of its tickets. What lives here: an audit's list taken apart, and the kinds of events we
    know. Not here: who acted, in which role (int_ticket_event__unioned).

    CTEs, to be put after others: `audit_events` has every event of the touched tickets' audits, `known_events` those of a kind
    that says something here. Kinds the product may invent later say nothing, as its makers ask.
-#}
{%- macro audit_event_ctes() -%}
audits as (
    {{ newest_versions('stg_zendesk__ticket_audits', ['audit_id'], [
        'ticket_id', 'author_id', 'created_at', 'events', 'via_channel'
    ], where='(_source, audit_id) in (select _source, audit_id from ' ~ ref('stg_zendesk__ticket_audits')
        ~ ' where ' ~ is_touched(['_source', 'ticket_id']) ~ ')') }}
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
)
{%- endmacro -%}
