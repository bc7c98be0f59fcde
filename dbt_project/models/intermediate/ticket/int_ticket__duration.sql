{#-
    How long each ticket took in business hours, and how long its customer waited. What lives here: stretches of statuses and
    the minutes of what is timed. Not here: calendar minutes between two milestones (fct_ticket), the schedules (int_ticket__schedule).

    Where the history of the status is not told by events, or a status says nothing, nothing is said of waits.

    Longer than 150 lines: waits and milestones of a ticket are timed by its schedules together, because reading a clock costs most.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__conversation') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
        union select ticket_key from {{ touched('int_ticket__schedule') }}
        union select ticket_key from {{ touched('fct_ticket_transition') }}
    "
) }}

with tickets as (
    select
        ticket_key,
        status,
        created_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

solutions as (
    {{ solutions_of_tickets() }}
),

{#- From creation up to the last solution: which status it had, and how long. Between two versions nobody knows. -#}
status_points as (
    select
        changes.ticket_key,
        greatest(changes.occurred_at, tickets.created_at) as moment,
        1 as step,
        changes.sequence,
        changes.event_key,
        changes.from_value,
        changes.to_value as status
    from {{ ref('int_ticket__change') }} as changes
    inner join tickets on tickets.ticket_key = changes.ticket_key
    where changes.attribute = 'status' and changes.is_event
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

{#- A status that says nothing leaves the waits of its ticket unsaid; solved at once, it waited for nobody. -#}
waits as (
    select
        tickets.ticket_key,
        min(case when statuses.ticket_key is null or {{ is_known_status('statuses.status') }} then 1 else 0 end) = 1 as is_known,
        sum(case when {{ is_waiting_status('statuses.status') }} then 1 else 0 end) as stretches,
        coalesce(sum(case when {{ is_waiting_status('statuses.status') }} then {{ minutes_between('statuses.from_at', 'statuses.to_at') }} end), 0) as minutes,
        coalesce(sum(case when statuses.status = 'hold' then {{ minutes_between('statuses.from_at', 'statuses.to_at') }} end), 0) as hold_minutes
    from tickets
    inner join (select distinct ticket_key from status_points) as told on told.ticket_key = tickets.ticket_key
    inner join solutions on solutions.ticket_key = tickets.ticket_key
    left join statuses on statuses.ticket_key = tickets.ticket_key
    where tickets.status in ('solved', 'closed') and solutions.last_solved_at is not null
    group by tickets.ticket_key
),

schedules as (
    select
        ticket_key,
        schedule,
        from_at,
        to_at
    from {{ ref('int_ticket__schedule') }}
    where {{ is_touched(['ticket_key']) }}
),

durations as (
    select tickets.ticket_key, 'first_reply' as measure, tickets.created_at as start_at, replies.first_reply_at as finish_at
    from tickets
    inner join {{ ref('int_ticket__conversation') }} as replies on replies.ticket_key = tickets.ticket_key
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
)

select
    tickets.ticket_key,
    business.first_reply_minutes as first_reply_business_minutes,
    business.first_resolution_minutes as first_resolution_business_minutes,
    business.full_resolution_minutes as full_resolution_business_minutes,
    case when waits.is_known then round(waits.minutes, 4) end as requester_wait_minutes,
    case when waits.is_known and waits.stretches = coalesce(business.wait_stretches, 0) then round(coalesce(business.wait_minutes, 0), 4) end
        as requester_wait_business_minutes,
    case when waits.is_known then round(waits.hold_minutes, 4) end as on_hold_minutes
from tickets
left join waits on waits.ticket_key = tickets.ticket_key
left join business on business.ticket_key = tickets.ticket_key
