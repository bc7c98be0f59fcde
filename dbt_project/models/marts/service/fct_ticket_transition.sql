{#-
    When each ticket became unsolved, solved, unsolved again, or went away. What lives here: the one reading of status
    history that resolution times, reopens and the backlog share. Not here: durations (fct_ticket).

    Where history and the ticket's own status disagree at the end (events not delivered, or lost), the status wins: at
    `solved_at` if the ticket has one, else at its last change, and then `is_inferred` says so, as where all that is known of a
    change is that it lies between two versions of the ticket.

    Longer than 150 lines: creation, changes, the present status and the removal of a ticket make one line of points, and which of
    them counts is told by its neighbours.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['ticket_key'],
    touches=['date_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
    "
) }}

with tickets as (
    select
        ticket_key,
        status,
        created_at,
        solved_at,
        updated_at,
        {{ ticket_removed_kind() }} as removed_kind,
        _version_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

merges as (
    select ticket_key, min(occurred_at) as merged_at
    from {{ ref('int_ticket_event__unioned') }}
    where event_type = 'merge' and not is_deleted and {{ is_touched(['ticket_key']) }}
    group by ticket_key
),

{#- A ticket is gone from the moment the source says so. -#}
removals as (
    select
        tickets.ticket_key,
        greatest(
            case when tickets.removed_kind = 'merged' then coalesce(merges.merged_at, tickets.updated_at) else tickets._version_at end,
            tickets.created_at
        ) as removed_at
    from tickets
    left join merges on merges.ticket_key = tickets.ticket_key
    where tickets.removed_kind is not null
),

status_changes as (
    select
        ticket_key,
        event_key,
        occurred_at,
        sequence,
        case when to_value in ('solved', 'closed') then 'solved' else 'unsolved' end as state,
        is_inferred
    from {{ ref('int_ticket__change') }}
    where attribute = 'status' and to_value <> 'deleted' and {{ is_touched(['ticket_key']) }}
),

{#- Steps 0 to 3 order what happens at one instant: creation first, removal last. -#}
points as (
    select ticket_key, created_at as occurred_at, 0 as step, 0 as sequence, 0 as tie, 'unsolved' as state, false as is_inferred
    from tickets
    union all
    select
        status_changes.ticket_key,
        greatest(status_changes.occurred_at, tickets.created_at),
        1,
        status_changes.sequence,
        status_changes.event_key,
        status_changes.state,
        status_changes.is_inferred
    from status_changes
    inner join tickets on tickets.ticket_key = status_changes.ticket_key
),

last_states as (
    select ticket_key, occurred_at, state
    from (
        select
            ticket_key,
            occurred_at,
            state,
            row_number() over (partition by ticket_key order by occurred_at desc, step desc, sequence desc, tie desc) as recency
        from points
    ) as ranked
    where recency = 1
),

completed_points as (
    select ticket_key, occurred_at, step, sequence, tie, state, is_inferred from points
    union all
    select
        tickets.ticket_key,
        case
            when last_states.state = 'unsolved' and tickets.solved_at >= last_states.occurred_at then tickets.solved_at
            when tickets.updated_at >= last_states.occurred_at then tickets.updated_at
            else last_states.occurred_at
        end,
        2,
        0,
        0,
        case when tickets.status in ('solved', 'closed') then 'solved' else 'unsolved' end,
        not coalesce(last_states.state = 'unsolved' and tickets.solved_at >= last_states.occurred_at, false)
    from tickets
    inner join last_states on last_states.ticket_key = tickets.ticket_key
    where
        tickets.status <> 'deleted'
        and last_states.state <> case when tickets.status in ('solved', 'closed') then 'solved' else 'unsolved' end
    union all
    select
        ticket_key,
        removed_at,
        3,
        0,
        0,
        'removed',
        false
    from removals
),

before_removal as (
    select completed_points.*
    from completed_points
    left join removals on removals.ticket_key = completed_points.ticket_key
    where removals.removed_at is null or completed_points.occurred_at <= removals.removed_at
),

compared as (
    select
        *,
        lag(state) over (partition by ticket_key order by occurred_at, step, sequence, tie) as previous_state
    from before_removal
),

{#- A solved ticket that goes away leaves no backlog, so that is no transition. -#}
transitions as (
    select
        ticket_key,
        case
            when previous_state is null then 'created'
            when state = 'unsolved' then 'reopened'
            else state
        end as transition,
        occurred_at,
        is_inferred,
        cast(row_number() over (partition by ticket_key order by occurred_at, step, sequence, tie) as integer) as transition_no
    from compared
    where
        previous_state is null
        or (state <> previous_state and not (state = 'removed' and previous_state = 'solved'))
),

final as (
    select
        {{ surrogate_key(['ticket_key', 'transition_no']) }} as ticket_transition_key,
        ticket_key,
        transition_no,
        transition,
        occurred_at,
        {{ local_date_key('occurred_at') }} as date_key,
        case when transition in ('created', 'reopened') then 1 else -1 end as unsolved_change,
        is_inferred
    from transitions
)

select * from final
