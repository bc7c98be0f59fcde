{#-
    What became of each ticket by itself. What lives here: its milestones, durations, counts and flags, as far as its own history tells
    them. Not here: what depends on the customer's other tickets or on the business date (fct_ticket), what rules make of it
    (int_ticket__class), what was said (int_ticket__conversation) and done (int_ticket__history).

    No reply, no time: NULL, never 0. Where the conversation or the history of a ticket is not told, nothing is said of it.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__conversation') }}
        union select ticket_key from {{ touched('int_ticket__history') }}
        union select ticket_key from {{ touched('int_ticket__duration') }}
        union select ticket_key from {{ touched('fct_ticket_transition') }}
    "
) }}

with tickets as (
    select
        ticket_key,
        source,
        system,
        assignee_id,
        team,
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
)

select
    tickets.ticket_key,
    tickets.system,
    {{ surrogate_key(['tickets.source', 'tickets.assignee_id']) }} as agent_key,
    tickets.ticket_type,
    tickets.topic,
    tickets.team,
    tickets.priority,
    tickets.status,
    tickets.is_complaint,
    tickets.created_at,
    tickets.removed_kind,
    said.is_customer_initiated,
    said.conversation,
    said.first_reply_at,
    said.first_automated_reply_at,
    solutions.first_solved_at,
    solutions.last_solved_at,
    case when tickets.status = 'closed' then history.closed_at end as closed_at,
    case when tickets.removed_kind is not null then coalesce(solutions.removed_at, tickets.removed_version_at) end as removed_at,
    history.escalated_at,
    {{ minutes_between('tickets.created_at', 'said.first_reply_at') }} as first_reply_minutes,
    {{ minutes_between('tickets.created_at', 'said.first_automated_reply_at') }} as first_automated_reply_minutes,
    {{ minutes_between('tickets.created_at', 'solutions.first_solved_at') }} as first_resolution_minutes,
    case when tickets.status in ('solved', 'closed') then {{ minutes_between('tickets.created_at', 'solutions.last_solved_at') }} end
        as full_resolution_minutes,
    {{ minutes_between('said.first_automated_reply_at', 'said.first_reply_at') }} as first_human_minutes,
    {{ minutes_between('tickets.created_at', 'history.escalated_at') }} as escalation_minutes,
    durations.first_reply_business_minutes,
    durations.first_resolution_business_minutes,
    durations.full_resolution_business_minutes,
    durations.requester_wait_minutes,
    durations.requester_wait_business_minutes,
    durations.on_hold_minutes,
    cast(said.replies as integer) as replies,
    cast(said.automated_replies as integer) as automated_replies,
    cast(said.agent_touches as integer) as agent_touches,
    cast(said.customer_contacts as integer) as customer_contacts,
    round({{ automated_share('said.comments_of_machines', 'said.comments_of_ours') }}, 4) as automated_share,
    {{ handling_class('said.replies', 'said.automated_replies') }} as handling_class,
    case
        when said.is_customer_initiated and said.conversation = 'first_reply' then said.first_reply_at is null
        when said.is_customer_initiated then said.replies = 0
    end as never_answered,
    case when said.conversation = 'told' then
        coalesce(said.last_speaker = 'customer', false) and tickets.status not in ('solved', 'closed') and tickets.removed_kind is null
    end as awaiting_our_reply,
    case when said.conversation = 'told' then said.replies = 1 and tickets.status in ('solved', 'closed') end as is_one_touch,
    history.is_status_history_known,
    history.is_team_history_known,
    case when history.is_status_history_known then cast(coalesce(solutions.reopens, 0) as integer) end as reopens,
    case when history.is_status_history_known and solutions.first_solved_at is not null then solutions.reopens > 0 end as is_reopened,
    cast(history.reassignments as integer) as reassignments,
    cast(history.team_changes as integer) as team_changes,
    cast(history.transfers as integer) as transfers,
    history.is_escalated,
    case when solutions.first_solved_at is not null and history.is_team_history_known then
        history.team_changes = 0 and not history.is_escalated
    end as is_first_tier_resolution
from tickets
inner join {{ ref('int_ticket__conversation') }} as said on said.ticket_key = tickets.ticket_key
inner join {{ ref('int_ticket__history') }} as history on history.ticket_key = tickets.ticket_key
left join solutions on solutions.ticket_key = tickets.ticket_key
left join {{ ref('int_ticket__duration') }} as durations on durations.ticket_key = tickets.ticket_key
