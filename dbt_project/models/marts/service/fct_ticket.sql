{#-
    What became of each ticket. What lives here: its milestones, durations, counts and flags. Removed tickets stay,
    flagged, and KPIs leave them out. Not here: when it was unsolved (fct_ticket_transition), the KPIs (models/marts/kpi).

    A reply is a public comment by a person of ours after the ticket began; the comment with which an agent opens a
    ticket is none. No reply, no time: NULL, never 0. Where no comment of a ticket was delivered, nothing is said of replies.

    Whether a ticket was solved on first contact depends on the customer's other tickets and is judged days later: all
    tickets of a customer are worked out together, also when the business date passes the end of those days.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['ticket_key'],
    touches=['created_date_key', 'first_reply_date_key', 'first_solved_date_key', 'last_solved_date_key', 'customer_key', 'agent_key'],
    touched_by="
        with night as (
            select as_of from {{ night() }}
        ),
        customers as (
            select ticket_key, customer_key from {{ ref('int_ticket__customer') }}
        ),
        moved as (
            select ticket_key from {{ touched('int_ticket__unioned') }}
            union select ticket_key from {{ touched('int_ticket_event__unioned') }}
            union
            select tickets.ticket_key from {{ this }} as tickets
            inner join customers on customers.ticket_key = tickets.ticket_key
            where customers.customer_key <> tickets.customer_key
            union
            select tickets.ticket_key from {{ ref('int_ticket__unioned') }} as tickets
            where (tickets.source, tickets.created_by_id) in (select source, agent_id from {{ touched('int_agent__unioned') }})
            union
            select {{ surrogate_key(['_source', 'case_id']) }} from ({{ new_rows('stg_salesforce__case', ['_source', 'case_id']) }})
            union
            select {{ surrogate_key(['_source', 'ticket_id']) }} from ({{ new_rows('stg_canonical__ticket', ['_source', 'ticket_id']) }})
            union
            select tickets.ticket_key from {{ this }} as tickets
            cross join night
            where tickets.is_fcr_matured <> {{ is_fcr_matured('tickets.first_solved_at', 'night.as_of') }}
        ),
        moved_customers as (
            select customer_key from {{ this }} where ticket_key in (select ticket_key from moved)
            union
            select customer_key from customers where ticket_key in (select ticket_key from moved)
        )
        select ticket_key from moved
        union
        select ticket_key from {{ this }} where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
    "
) }}

{%- set is_escalated = '(tickets.is_escalated or escalated_versions.ticket_key is not null or hand_overs.escalated_at is not null)' %}
{%- set is_team_move = "(events.event_type = 'team_change' and events.from_value is not null and events.to_value is not null and events.from_value <> events.to_value)" %}

with night as (
    select as_of from {{ night() }}
),

tickets as (
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
        sum(case when author_role in ('agent', 'bot', 'system') then 1 else 0 end) as comments_of_ours,
        sum(case when author_role in ('bot', 'system') then 1 else 0 end) as comments_of_machines,
        sum(case when author_role = 'customer' then 1 else 0 end) as customer_contacts,
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

{#- A move to a team of a higher tier is an escalation; any other move from team to team is a transfer. -#}
hand_overs as (
    select
        events.ticket_key,
        sum(case
            when events.event_type = 'assignee_change' and events.from_value is not null and events.to_value is not null
                and events.from_value <> events.to_value then 1
            else 0
        end) as reassignments,
        sum(case when {{ is_team_move }} then 1 else 0 end) as team_changes,
        sum(case when {{ is_team_move }} and not coalesce(new_teams.tier > old_teams.tier, false) then 1 else 0 end) as transfers,
        min(case
            when events.event_type = 'escalation' or ({{ is_team_move }} and new_teams.tier > old_teams.tier) then events.occurred_at
        end) as escalated_at,
        max(case when events.event_type = 'status_change' and events.to_value = 'closed' then events.occurred_at end) as closed_at,
        sum(case when events.event_type = 'comment' and events.author_role = 'agent' then 1 else 0 end) as agent_touches,
        sum(case when events.event_type = 'comment' then 1 else 0 end) as comments,
        max(case when events.event_type not in ('created', 'status_change') then 1 else 0 end) = 1 as has_history
    from events
    left join {{ ref('teams') }} as old_teams on events.event_type = 'team_change' and old_teams.team = events.from_value
    left join {{ ref('teams') }} as new_teams on events.event_type = 'team_change' and new_teams.team = events.to_value
    group by events.ticket_key
),

{#- The source says whether a ticket is escalated now; whether it ever was, its delivered versions say. -#}
escalated_versions as (
    select {{ surrogate_key(['_source', 'case_id']) }} as ticket_key
    from {{ ref('stg_salesforce__case') }}
    where is_escalated and _op = 'upsert' and {{ is_touched([surrogate_key(['_source', 'case_id'])]) }}
    union
    select {{ surrogate_key(['_source', 'ticket_id']) }}
    from {{ ref('stg_canonical__ticket') }}
    where is_escalated and _op = 'upsert' and {{ is_touched([surrogate_key(['_source', 'ticket_id'])]) }}
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

{#- When a customer came back about a topic, no topic being one of its own. Tickets that went away were contacts all the same. -#}
contacts as (
    select
        tickets.ticket_key,
        lead(tickets.created_at) over (
            partition by customers.customer_key, tickets.topic order by tickets.created_at, tickets.ticket_key
        ) as next_contact_at
    from tickets
    inner join beginnings on beginnings.ticket_key = tickets.ticket_key
    inner join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    where beginnings.is_customer_initiated and customers.customer_key <> -1
),

{#- From creation up to the last solution: which status it had, and how long. -#}
status_points as (
    select
        events.ticket_key,
        greatest(events.occurred_at, tickets.created_at) as moment,
        1 as step,
        events.sequence,
        events.event_key,
        events.from_value,
        events.to_value as status
    from events
    inner join tickets on tickets.ticket_key = events.ticket_key
    where events.event_type = 'status_change'
),

all_status_points as (
    select ticket_key, moment, step, sequence, event_key, status from status_points
    union all
    select
        tickets.ticket_key,
        tickets.created_at,
        0,
        0,
        0,
        firsts.from_value
    from tickets
    inner join (
        select
            ticket_key,
            from_value,
            row_number() over (partition by ticket_key order by moment, sequence, event_key) as place
        from status_points
    ) as firsts on firsts.ticket_key = tickets.ticket_key and firsts.place = 1
),

statuses as (
    select
        points.ticket_key,
        points.place,
        points.status,
        points.moment as from_at,
        case when points.next_moment < solutions.last_solved_at then points.next_moment else solutions.last_solved_at end as to_at
    from (
        select
            ticket_key,
            status,
            moment,
            lead(moment) over (partition by ticket_key order by moment, step, sequence, event_key) as next_moment,
            row_number() over (partition by ticket_key order by moment, step, sequence, event_key) as place
        from all_status_points
    ) as points
    inner join tickets on tickets.ticket_key = points.ticket_key
    inner join solutions on solutions.ticket_key = points.ticket_key
    where
        tickets.status in ('solved', 'closed')
        and points.moment < solutions.last_solved_at
        and (points.next_moment is null or points.next_moment > points.moment)
),

{#- A status that says nothing leaves the waits of its ticket unsaid. -#}
waits as (
    select
        ticket_key,
        min(case when {{ is_known_status('status') }} then 1 else 0 end) = 1 as is_known,
        sum(case when {{ is_waiting_status('status') }} then 1 else 0 end) as stretches,
        coalesce(sum(case when {{ is_waiting_status('status') }} then {{ minutes_between('from_at', 'to_at') }} end), 0) as minutes,
        coalesce(sum(case when status = 'hold' then {{ minutes_between('from_at', 'to_at') }} end), 0) as hold_minutes
    from statuses
    group by ticket_key
),

exceptions as (
    select
        tickets.ticket_key,
        min(reasons.exception_reason) as exception_reason
    from tickets
    inner join {{ ref('exception_reasons') }} as reasons
        on reasons.ticket_type in (tickets.ticket_type, '*') and reasons.topic in (tickets.topic, '*')
    group by tickets.ticket_key
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
    union all
    select ticket_key, 'wait_' || place, from_at, to_at
    from statuses
    where {{ is_waiting_status('status') }}
),

business_minutes as (
    {{ business_minutes_of('durations', 'schedules') }}
),

business as (
    select
        ticket_key,
        round(max(case when measure = 'first_reply' then business_minutes end), 4) as first_reply_minutes,
        round(max(case when measure = 'first_resolution' then business_minutes end), 4) as first_resolution_minutes,
        round(max(case when measure = 'full_resolution' then business_minutes end), 4) as full_resolution_minutes,
        coalesce(sum(case when measure like 'wait%' then business_minutes end), 0) as wait_minutes,
        sum(case when measure like 'wait%' then 1 else 0 end) as wait_stretches
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
        {{ minutes_between('replies.first_automated_reply_at', 'replies.first_reply_at') }} as first_human_minutes,
        case when waits.is_known then round(waits.minutes, 4) end as requester_wait_minutes,
        case when waits.is_known and waits.stretches = coalesce(business.wait_stretches, 0) then round(coalesce(business.wait_minutes, 0), 4) end
            as requester_wait_business_minutes,
        case when waits.is_known then round(waits.hold_minutes, 4) end as on_hold_minutes,
        cast(replies.replies as integer) as replies,
        cast(replies.automated_replies as integer) as automated_replies,
        case when hand_overs.comments > 0 then cast(hand_overs.agent_touches as integer) end as agent_touches,
        cast(replies.customer_contacts as integer) as customer_contacts,
        round({{ automated_share('replies.comments_of_machines', 'replies.comments_of_ours') }}, 4) as automated_share,
        {{ handling_class('replies.replies', 'replies.automated_replies') }} as handling_class,
        cast(coalesce(solutions.reopens, 0) as integer) as reopens,
        case when solutions.first_solved_at is not null then solutions.reopens > 0 end as is_reopened,
        cast(coalesce(hand_overs.reassignments, 0) as integer) as reassignments,
        cast(coalesce(hand_overs.team_changes, 0) as integer) as team_changes,
        cast(coalesce(hand_overs.transfers, 0) as integer) as transfers,
        hand_overs.escalated_at,
        {{ minutes_between('tickets.created_at', 'hand_overs.escalated_at') }} as escalation_minutes,
        beginnings.is_customer_initiated,
        tickets.is_complaint,
        exceptions.exception_reason is not null as is_exception,
        exceptions.exception_reason,
        {{ is_escalated }} as is_escalated,
        case when beginnings.is_customer_initiated then replies.replies = 0 end as never_answered,
        case when replies.ticket_key is not null then
            replies.last_speaker = 'customer' and tickets.status not in ('solved', 'closed') and tickets.removed_kind is null
        end as awaiting_our_reply,
        case when replies.ticket_key is not null then
            coalesce(replies.replies = 1 and tickets.status in ('solved', 'closed'), false)
        end as is_one_touch,
        {#- An escalation rules it out for certain; without history nobody knows of the others. #}
        case
            when solutions.first_solved_at is null then null
            when {{ is_escalated }} then false
            when hand_overs.has_history then hand_overs.team_changes = 0
        end as is_first_tier_resolution,
        {{ is_fcr_matured('solutions.first_solved_at', 'night.as_of') }} as is_fcr_matured,
        case when contacts.ticket_key is not null and {{ is_fcr_matured('solutions.first_solved_at', 'night.as_of') }} then
            {{ is_first_contact_resolution('solutions.first_solved_at', 'solutions.reopens', 'contacts.next_contact_at') }}
        end as is_fcr,
        tickets.removed_kind
    from tickets
    cross join night
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
    left join waits on waits.ticket_key = tickets.ticket_key
    left join contacts on contacts.ticket_key = tickets.ticket_key
    left join exceptions on exceptions.ticket_key = tickets.ticket_key
    left join escalated_versions on escalated_versions.ticket_key = tickets.ticket_key
)

select * from final
