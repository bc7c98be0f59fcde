{#-
    What became of each ticket. What lives here: its milestones, durations, counts and flags. Removed tickets stay,
    flagged, and KPIs leave them out. Not here: when it was unsolved (fct_ticket_transition), the KPIs (models/marts/kpi).

    A reply is a public comment by a person of ours after the ticket began; the comment with which an agent opens a
    ticket is none. No reply, no time: NULL, never 0. Where no comment of a ticket was delivered, nothing is said of replies.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['ticket_key'],
    touches=['created_date_key', 'first_reply_date_key', 'last_solved_date_key', 'customer_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union
        select tickets.ticket_key from {{ this }} as tickets
        inner join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
        where customers.customer_key <> tickets.customer_key
        union
        select tickets.ticket_key from {{ ref('int_ticket__unioned') }} as tickets
        where (tickets.source, tickets.created_by_id) in (select source, agent_id from {{ touched('int_agent__unioned') }})
    "
) }}

with tickets as (
    select
        ticket_key,
        source,
        system,
        requester_id,
        created_by_id,
        assignee_id,
        team,
        channel,
        ticket_type,
        topic,
        priority,
        status,
        coalesce(is_complaint, false) or coalesce(ticket_type = 'complaint', false) as is_complaint,
        coalesce(is_escalated, false) as is_escalated,
        created_at,
        {{ ticket_removed_kind() }} as removed_kind,
        _version_at as removed_version_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

events as (
    select
        ticket_key,
        event_key,
        event_type,
        occurred_at,
        coalesce(sequence, 0) as sequence,
        author_role,
        coalesce(is_public, true) as is_public,
        from_value,
        to_value
    from {{ ref('int_ticket_event__unioned') }}
    where not is_deleted and {{ is_touched(['ticket_key']) }}
),

beginnings as (
    select
        tickets.ticket_key,
        coalesce(
            min(case events.author_role when 'customer' then 1 when 'agent' then 0 when 'bot' then 0 end),
            min(case
                when tickets.created_by_id is null or tickets.created_by_id = tickets.requester_id then 1
                when agents.agent_id is not null then 0
                else 1
            end)
        ) = 1 as is_customer_initiated
    from tickets
    left join events on events.ticket_key = tickets.ticket_key and events.event_type = 'created'
    left join {{ ref('int_agent__unioned') }} as agents on agents.source = tickets.source and agents.agent_id = tickets.created_by_id
    group by tickets.ticket_key
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
        max(case when recency = 1 and author_role in ('customer', 'agent') then author_role end) as last_speaker
    from (
        select
            ticket_key,
            author_role,
            occurred_at,
            recency,
            not (comment_no = 1 and author_role <> 'customer' and not is_customer_initiated) as is_reply
        from public_comments
    ) as marked
    group by ticket_key
),

hand_overs as (
    select
        ticket_key,
        sum(case when event_type = 'assignee_change' and from_value is not null and to_value is not null and from_value <> to_value then 1 else 0 end)
            as reassignments,
        sum(case when event_type = 'team_change' and from_value is not null and to_value is not null and from_value <> to_value then 1 else 0 end)
            as team_changes,
        sum(case when event_type = 'escalation' then 1 else 0 end) as escalations,
        max(case when event_type = 'status_change' and to_value = 'closed' then occurred_at end) as closed_at
    from events
    group by ticket_key
),

solutions as (
    select
        ticket_key,
        min(case when transition = 'solved' and not is_inferred then occurred_at end) as first_solved_at,
        max(case when transition = 'solved' and not is_inferred then occurred_at end) as last_solved_at,
        sum(case when transition = 'reopened' then 1 else 0 end) as reopens,
        max(case when transition = 'removed' then occurred_at end) as removed_at
    from {{ ref('fct_ticket_transition') }}
    where {{ is_touched(['ticket_key']) }}
    group by ticket_key
),

team_changes as (
    select
        ticket_key,
        occurred_at,
        from_value,
        to_value,
        row_number() over (partition by ticket_key order by occurred_at, sequence, event_key) as place
    from events
    where event_type = 'team_change' and from_value is distinct from to_value
),

schedules as (
    {{ schedules_of_tickets('tickets', 'team_changes') }}
),

durations as (
    select tickets.ticket_key, 'first_reply' as measure, tickets.created_at as start_at, replies.first_reply_at as finish_at
    from tickets
    inner join replies on replies.ticket_key = tickets.ticket_key
    union all
    select tickets.ticket_key, 'first_resolution', tickets.created_at, solutions.first_solved_at
    from tickets
    inner join solutions on solutions.ticket_key = tickets.ticket_key
    union all
    select tickets.ticket_key, 'full_resolution', tickets.created_at, solutions.last_solved_at
    from tickets
    inner join solutions on solutions.ticket_key = tickets.ticket_key
    where tickets.status in ('solved', 'closed')
),

business_minutes as (
    {{ business_minutes_of('durations', 'schedules') }}
),

business as (
    select
        ticket_key,
        round(max(case when measure = 'first_reply' then business_minutes end), 4) as first_reply_minutes,
        round(max(case when measure = 'first_resolution' then business_minutes end), 4) as first_resolution_minutes,
        round(max(case when measure = 'full_resolution' then business_minutes end), 4) as full_resolution_minutes
    from business_minutes
    group by ticket_key
),

touchpoint_events as (
    select
        tickets.ticket_key,
        tickets.system,
        'ticket' as object,
        case when beginnings.is_customer_initiated then 'created' else 'created_by_us' end as event,
        {{ known_channel('tickets.channel', 'channels') }} as channel
    from tickets
    inner join beginnings on beginnings.ticket_key = tickets.ticket_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(tickets.channel)
),

touchpoint_map as (
    {{ touchpoint_map('touchpoint_events') }}
),

final as (
    select
        tickets.ticket_key,
        tickets.system,
        coalesce(customers.customer_key, -1) as customer_key,
        {{ surrogate_key(['tickets.source', 'tickets.assignee_id']) }} as agent_key,
        coalesce(touchpoint_map.touchpoint_key, -1) as touchpoint_key,
        touchpoint_events.channel,
        tickets.ticket_type,
        tickets.topic,
        tickets.team,
        tickets.priority,
        tickets.status,
        tickets.created_at,
        {{ local_date_key('tickets.created_at') }} as created_date_key,
        replies.first_reply_at,
        {{ local_date_key('replies.first_reply_at') }} as first_reply_date_key,
        replies.first_automated_reply_at,
        solutions.first_solved_at,
        {{ local_date_key('solutions.first_solved_at') }} as first_solved_date_key,
        solutions.last_solved_at,
        {{ local_date_key('solutions.last_solved_at') }} as last_solved_date_key,
        case when tickets.status = 'closed' then hand_overs.closed_at end as closed_at,
        case when tickets.removed_kind is not null then coalesce(solutions.removed_at, tickets.removed_version_at) end as removed_at,
        {{ minutes_between('tickets.created_at', 'replies.first_reply_at') }} as first_reply_minutes,
        {{ minutes_between('tickets.created_at', 'replies.first_automated_reply_at') }} as first_automated_reply_minutes,
        {{ minutes_between('tickets.created_at', 'solutions.first_solved_at') }} as first_resolution_minutes,
        case when tickets.status in ('solved', 'closed') then {{ minutes_between('tickets.created_at', 'solutions.last_solved_at') }} end
            as full_resolution_minutes,
        business.first_reply_minutes as first_reply_business_minutes,
        business.first_resolution_minutes as first_resolution_business_minutes,
        business.full_resolution_minutes as full_resolution_business_minutes,
        cast(replies.replies as integer) as replies,
        cast(replies.automated_replies as integer) as automated_replies,
        cast(coalesce(solutions.reopens, 0) as integer) as reopens,
        cast(coalesce(hand_overs.reassignments, 0) as integer) as reassignments,
        cast(coalesce(hand_overs.team_changes, 0) as integer) as team_changes,
        beginnings.is_customer_initiated,
        tickets.is_complaint,
        tickets.is_escalated or coalesce(hand_overs.escalations, 0) > 0 as is_escalated,
        case when beginnings.is_customer_initiated then replies.replies = 0 end as never_answered,
        case when replies.ticket_key is not null then
            replies.last_speaker = 'customer' and tickets.status not in ('solved', 'closed') and tickets.removed_kind is null
        end as awaiting_our_reply,
        case when replies.ticket_key is not null then
            coalesce(replies.replies = 1 and tickets.status in ('solved', 'closed'), false)
        end as is_one_touch,
        tickets.removed_kind
    from tickets
    inner join beginnings on beginnings.ticket_key = tickets.ticket_key
    inner join touchpoint_events on touchpoint_events.ticket_key = tickets.ticket_key
    left join touchpoint_map
        on touchpoint_map.system = touchpoint_events.system
        and touchpoint_map.object = touchpoint_events.object
        and touchpoint_map.event = touchpoint_events.event
        and touchpoint_map.channel = touchpoint_events.channel
    left join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    left join replies on replies.ticket_key = tickets.ticket_key
    left join hand_overs on hand_overs.ticket_key = tickets.ticket_key
    left join solutions on solutions.ticket_key = tickets.ticket_key
    left join business on business.ticket_key = tickets.ticket_key
)

select * from final
