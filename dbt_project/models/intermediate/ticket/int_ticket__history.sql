{#-
    What was done with each ticket: handed on, escalated, closed, and whether its history is known at all. Not here: the changes
    themselves (int_ticket__change), what was said (int_ticket__conversation), solutions and reopenings (fct_ticket_transition).

    No history is not "nothing happened". That of the status is known where an event tells of it, or several versions of the
    ticket were delivered; that of the teams where the ticket's events begin with its creation or tell of hands, or again by
    versions. A move to a team of a higher tier is an escalation; any other move from team to team is a transfer. What nothing
    is known of is NULL.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
        union select ticket_key from {{ touched('int_ticket__state') }}
    "
) }}

with events as (
    select
        ticket_key,
        max(case
            when event_type in ('created', 'assignee_change', 'team_change', 'priority_change', 'escalation') then 1
            else 0
        end) = 1 as is_of_hands,
        min(case when event_type = 'escalation' then occurred_at end) as escalated_at
    from {{ ref('int_ticket_event__unioned') }}
    where is_told and not is_deleted and {{ is_touched(['ticket_key']) }}
    group by ticket_key
),

{#- The source says whether a ticket is escalated now; whether it ever was, its delivered versions say. -#}
versions as (
    select
        ticket_key,
        count(*) as versions,
        max(case when is_escalated then 1 when not is_escalated then 0 end) as is_escalated
    from {{ ref('int_ticket__state') }}
    where {{ is_touched(['ticket_key']) }}
    group by ticket_key
),

moves as (
    select
        changes.ticket_key,
        changes.attribute,
        changes.occurred_at,
        changes.to_value,
        changes.is_event,
        changes.is_inferred,
        changes.from_value is not null and changes.to_value is not null and changes.from_value <> changes.to_value as is_move,
        coalesce(new_teams.tier > old_teams.tier, false) as is_rise
    from {{ ref('int_ticket__change') }} as changes
    left join {{ ref('teams') }} as old_teams on changes.attribute = 'team' and old_teams.team = changes.from_value
    left join {{ ref('teams') }} as new_teams on changes.attribute = 'team' and new_teams.team = changes.to_value
    where {{ is_touched(['changes.ticket_key']) }}
),

counts as (
    select
        ticket_key,
        max(case when attribute = 'status' and is_event then 1 else 0 end) = 1 as has_status_events,
        sum(case when attribute = 'assignee' and is_move then 1 else 0 end) as reassignments,
        sum(case when attribute = 'team' and is_move then 1 else 0 end) as team_changes,
        sum(case when attribute = 'team' and is_move and not is_rise then 1 else 0 end) as transfers,
        min(case when attribute = 'team' and is_move and is_rise then occurred_at end) as escalated_at,
        max(case when attribute = 'status' and to_value = 'closed' and not is_inferred then occurred_at end) as closed_at
    from moves
    group by ticket_key
),

known as (
    select
        tickets.ticket_key,
        coalesce(counts.has_status_events, false) or coalesce(versions.versions > 1, false) as is_status_history_known,
        coalesce(events.is_of_hands, false) or coalesce(versions.versions > 1, false) as is_team_history_known,
        case
            when events.escalated_at < counts.escalated_at or counts.escalated_at is null then events.escalated_at
            else counts.escalated_at
        end as escalated_at,
        versions.is_escalated as was_escalated,
        counts.closed_at,
        cast(coalesce(counts.reassignments, 0) as integer) as reassignments,
        cast(coalesce(counts.team_changes, 0) as integer) as team_changes,
        cast(coalesce(counts.transfers, 0) as integer) as transfers
    from {{ ref('int_ticket__unioned') }} as tickets
    left join events on events.ticket_key = tickets.ticket_key
    left join versions on versions.ticket_key = tickets.ticket_key
    left join counts on counts.ticket_key = tickets.ticket_key
    where {{ is_touched(['tickets.ticket_key']) }}
)

select
    ticket_key,
    is_status_history_known,
    is_team_history_known,
    escalated_at,
    case
        when escalated_at is not null or was_escalated = 1 then true
        when is_team_history_known or was_escalated = 0 then false
    end as is_escalated,
    closed_at,
    case when is_team_history_known then reassignments end as reassignments,
    case when is_team_history_known then team_changes end as team_changes,
    case when is_team_history_known then transfers end as transfers
from known
