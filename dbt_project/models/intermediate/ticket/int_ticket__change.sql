{#-
    What changed on each ticket, from what to what: its status, team, agent in charge and priority. What lives here: the one
    reading of history that waits, transfers, transitions and targets share. Not here: comments (int_ticket__conversation),
    what is made of the changes (int_ticket__history, fct_ticket_transition).

    Events tell the changes. Where they do not say the value before, it is that of the event before, else what the creation or
    an older version of the ticket says. Of what no event of a ticket tells, its delivered versions tell the changes (`is_event` is
    false), and `is_inferred` says where all they say is that it had happened by then. What a ticket is first known with has no
    value before.

    Longer than 150 lines: events and versions give rows of one kind, and which of both tells of a ticket is decided between them.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union select ticket_key from {{ touched('int_ticket__state') }}
    "
) }}

{%- set attributes = ['status', 'team', 'assignee', 'priority'] %}

with events as (
    select
        ticket_key,
        event_key,
        replace(event_type, '_change', '') as attribute,
        occurred_at,
        coalesce(sequence, 0) as sequence,
        from_value,
        to_value,
        is_from_told,
        row_number() over (partition by ticket_key, event_type order by occurred_at, coalesce(sequence, 0), event_key) as place
    from {{ ref('int_ticket_event__unioned') }}
    where
        event_type in ({% for attribute in attributes %}'{{ attribute }}_change'{{ ', ' if not loop.last }}{% endfor %})
        and is_told
        and not is_deleted
        and {{ is_touched(['ticket_key']) }}
),

creations as (
    select ticket_key, min(to_value) as status
    from {{ ref('int_ticket_event__unioned') }}
    where
        event_type = 'created'
        and to_value in ('new', 'open', 'pending', 'hold', 'solved', 'closed')
        and not is_deleted
        and {{ is_touched(['ticket_key']) }}
    group by ticket_key
),

versions as (
    {%- for attribute in attributes %}
    select
        ticket_key,
        '{{ attribute }}' as attribute,
        version_no,
        version_at,
        updated_at,
        {{ 'assignee_id' if attribute == 'assignee' else attribute }} as value,
        {{ 'solved_at' if attribute == 'status' else 'cast(null as timestamptz)' }} as solved_at
    from {{ ref('int_ticket__state') }}
    where {{ is_touched(['ticket_key']) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

values_before as (
    select ticket_key, attribute, value
    from (
        select
            versions.ticket_key,
            versions.attribute,
            versions.value,
            row_number() over (partition by versions.ticket_key, versions.attribute order by versions.version_no desc) as recency
        from versions
        inner join events
            on events.ticket_key = versions.ticket_key
            and events.attribute = versions.attribute
            and events.place = 1
            and versions.version_at < events.occurred_at
    ) as older
    where recency = 1
),

told_by_events as (
    select
        events.ticket_key,
        events.attribute,
        events.occurred_at,
        events.sequence,
        events.event_key,
        case
            when events.from_value is not null or events.is_from_told then events.from_value
            when events.place > 1 then before.to_value
            when events.attribute = 'status' and creations.status is not null then creations.status
            else values_before.value
        end as from_value,
        events.to_value
    from events
    left join events as before
        on before.ticket_key = events.ticket_key
        and before.attribute = events.attribute
        and before.place = events.place - 1
    left join creations on creations.ticket_key = events.ticket_key
    left join values_before
        on values_before.ticket_key = events.ticket_key
        and values_before.attribute = events.attribute
),

compared as (
    select
        ticket_key,
        attribute,
        version_no,
        version_at,
        updated_at,
        value,
        lag(value) over (partition by ticket_key, attribute order by version_no) as from_value,
        lag(version_at) over (partition by ticket_key, attribute order by version_no) as previous_at,
        {#- A time of solution that an older version has already is not that of this one. #}
        case
            when attribute = 'status' and value in ('solved', 'closed')
                and solved_at is distinct from lag(solved_at) over (partition by ticket_key, attribute order by version_no) then solved_at
        end as solved_at
    from versions
    where (ticket_key, attribute) not in (select ticket_key, attribute from events)
),

{#- A time without a time of day may seem to lie before the version before. -#}
told_by_versions as (
    select
        ticket_key,
        attribute,
        version_no,
        from_value,
        value as to_value,
        case
            when version_no = 1 then coalesce(solved_at, updated_at)
            when solved_at < previous_at then previous_at
            else coalesce(solved_at, version_at)
        end as occurred_at,
        solved_at is null as is_inferred
    from compared
    where value is distinct from from_value
    {#- Solved in two versions, and the second time later than the first version: in between it was not. #}
    union all
    select ticket_key, attribute, version_no, from_value, 'other', previous_at, true
    from compared
    where value = from_value and solved_at > previous_at
    union all
    select ticket_key, attribute, version_no, 'other', value, solved_at, false
    from compared
    where value = from_value and solved_at > previous_at
)

select
    ticket_key,
    attribute,
    occurred_at,
    sequence,
    event_key,
    from_value,
    to_value,
    true as is_event,
    false as is_inferred
from told_by_events
union all
select
    ticket_key,
    attribute,
    occurred_at,
    version_no,
    0,
    from_value,
    to_value,
    false,
    is_inferred
from told_by_versions
