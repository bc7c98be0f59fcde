{#-
    What became of each ticket. What lives here: its milestones, durations, counts and flags. Removed tickets stay, flagged, and
    KPIs leave them out, but for those that were purged when their time was over. Not here: what was said
    (int_ticket__conversation), what was done with it (int_ticket__history), when it was unsolved (fct_ticket_transition), how long it
    took in business hours and waited (int_ticket__duration).

    No reply, no time: NULL, never 0. Where the conversation or the history of a ticket is not told, nothing is said of it.

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
            union
            select tickets.ticket_key from {{ this }} as tickets
            inner join customers on customers.ticket_key = tickets.ticket_key
            where customers.customer_key <> tickets.customer_key
            union select ticket_key from {{ touched('int_ticket__conversation') }}
            union select ticket_key from {{ touched('int_ticket__history') }}
            union select ticket_key from {{ touched('int_ticket__duration') }}
            union select ticket_key from {{ touched('fct_ticket_transition') }}
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

with night as (
    select as_of from {{ night() }}
),

tickets as (
    select
        ticket_key,
        source,
        system,
        assignee_id,
        team,
        channel,
        ticket_type,
        topic,
        priority,
        status,
        coalesce(is_complaint, false) or coalesce(ticket_type = 'complaint', false) as is_complaint,
        created_at,
        {{ ticket_removed_kind() }} as removed_kind,
        _version_at as removed_version_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

solutions as (
    {{ solutions_of_tickets() }}
),

{#- When a customer came back about a topic, no topic being one of its own. Of a request that was sent twice, one is merged. -#}
contacts as (
    select
        tickets.ticket_key,
        lead(tickets.created_at) over (
            partition by customers.customer_key, tickets.topic order by tickets.created_at, tickets.ticket_key
        ) as next_contact_at
    from tickets
    inner join {{ ref('int_ticket__conversation') }} as said on said.ticket_key = tickets.ticket_key
    inner join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    where said.is_customer_initiated and customers.customer_key <> -1 and coalesce(tickets.removed_kind <> 'merged', true)
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

touchpoint_events as (
    select
        tickets.ticket_key,
        tickets.system,
        'ticket' as object,
        case when said.is_customer_initiated then 'created' else 'created_by_us' end as event,
        {{ known_channel('tickets.channel', 'channels') }} as channel
    from tickets
    inner join {{ ref('int_ticket__conversation') }} as said on said.ticket_key = tickets.ticket_key
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
        said.first_reply_at,
        {{ local_date_key('said.first_reply_at') }} as first_reply_date_key,
        said.first_automated_reply_at,
        solutions.first_solved_at,
        {{ local_date_key('solutions.first_solved_at') }} as first_solved_date_key,
        solutions.last_solved_at,
        {{ local_date_key('solutions.last_solved_at') }} as last_solved_date_key,
        case when tickets.status = 'closed' then history.closed_at end as closed_at,
        case when tickets.removed_kind is not null then coalesce(solutions.removed_at, tickets.removed_version_at) end as removed_at,
        {{ minutes_between('tickets.created_at', 'said.first_reply_at') }} as first_reply_minutes,
        {{ minutes_between('tickets.created_at', 'said.first_automated_reply_at') }} as first_automated_reply_minutes,
        {{ minutes_between('tickets.created_at', 'solutions.first_solved_at') }} as first_resolution_minutes,
        case when tickets.status in ('solved', 'closed') then {{ minutes_between('tickets.created_at', 'solutions.last_solved_at') }} end
            as full_resolution_minutes,
        durations.first_reply_business_minutes,
        durations.first_resolution_business_minutes,
        durations.full_resolution_business_minutes,
        {{ minutes_between('said.first_automated_reply_at', 'said.first_reply_at') }} as first_human_minutes,
        durations.requester_wait_minutes,
        durations.requester_wait_business_minutes,
        durations.on_hold_minutes,
        cast(said.replies as integer) as replies,
        cast(said.automated_replies as integer) as automated_replies,
        cast(said.agent_touches as integer) as agent_touches,
        cast(said.customer_contacts as integer) as customer_contacts,
        round({{ automated_share('said.comments_of_machines', 'said.comments_of_ours') }}, 4) as automated_share,
        {{ handling_class('said.replies', 'said.automated_replies') }} as handling_class,
        case when history.is_status_history_known then cast(coalesce(solutions.reopens, 0) as integer) end as reopens,
        case when history.is_status_history_known and solutions.first_solved_at is not null then solutions.reopens > 0 end as is_reopened,
        cast(history.reassignments as integer) as reassignments,
        cast(history.team_changes as integer) as team_changes,
        cast(history.transfers as integer) as transfers,
        history.escalated_at,
        {{ minutes_between('tickets.created_at', 'history.escalated_at') }} as escalation_minutes,
        said.is_customer_initiated,
        tickets.is_complaint,
        exceptions.exception_reason is not null as is_exception,
        exceptions.exception_reason,
        history.is_escalated,
        said.conversation,
        history.is_status_history_known,
        history.is_team_history_known,
        case when said.is_customer_initiated then said.replies = 0 end as never_answered,
        case when said.conversation = 'told' then
            coalesce(said.last_speaker = 'customer', false) and tickets.status not in ('solved', 'closed') and tickets.removed_kind is null
        end as awaiting_our_reply,
        case when said.conversation = 'told' then said.replies = 1 and tickets.status in ('solved', 'closed') end as is_one_touch,
        case when solutions.first_solved_at is not null and history.is_team_history_known then
            history.team_changes = 0 and not history.is_escalated
        end as is_first_tier_resolution,
        {{ is_fcr_matured('solutions.first_solved_at', 'night.as_of') }} as is_fcr_matured,
        case when contacts.ticket_key is not null and history.is_status_history_known and {{ is_fcr_matured('solutions.first_solved_at', 'night.as_of') }} then
            {{ is_first_contact_resolution('solutions.first_solved_at', 'solutions.reopens', 'contacts.next_contact_at') }}
        end as is_fcr,
        tickets.removed_kind
    from tickets
    cross join night
    inner join {{ ref('int_ticket__conversation') }} as said on said.ticket_key = tickets.ticket_key
    inner join {{ ref('int_ticket__history') }} as history on history.ticket_key = tickets.ticket_key
    inner join touchpoint_events on touchpoint_events.ticket_key = tickets.ticket_key
    left join touchpoint_map
        on touchpoint_map.system = touchpoint_events.system
        and touchpoint_map.object = touchpoint_events.object
        and touchpoint_map.event = touchpoint_events.event
        and touchpoint_map.channel = touchpoint_events.channel
    left join {{ ref('int_ticket__customer') }} as customers on customers.ticket_key = tickets.ticket_key
    left join solutions on solutions.ticket_key = tickets.ticket_key
    left join {{ ref('int_ticket__duration') }} as durations on durations.ticket_key = tickets.ticket_key
    left join contacts on contacts.ticket_key = tickets.ticket_key
    left join exceptions on exceptions.ticket_key = tickets.ticket_key
)

select * from final
