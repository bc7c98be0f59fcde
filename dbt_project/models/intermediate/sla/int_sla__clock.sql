{#-
    Targets that a help desk tells as clocks, each time one was applied, and what became of it. What lives here: the desk's metric
    events turned into due times and outcomes. Not here: targets told as due times (int_ticket__stated_target), how long tickets
    took (fct_ticket).

    The desk says when a target was breached; where it does not, the clock says so: minutes it ran from the application on,
    within business hours if the policy says so (of the schedule the ticket was under then). The priority is that of the
    moment of application. A target that another replaced keeps what it was by then.
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select {{ surrogate_key(['source', 'ticket_id']) }}
        from (
            select distinct source, ticket_id from {{ ref('int_sla_event__version') }}
            where (source, event_id) in ({{ new_versions('sla_event', ['source', 'event_id']) }})
        ) as told
        union select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__change') }}
        union select ticket_key from {{ touched('fct_ticket_transition') }}
        union
        select targets.ticket_key from {{ this }} as targets
        cross join (select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}) as night
        where
            (targets.outcome in ('active', 'paused') and coalesce(targets.due_at <= night.as_of_end, true))
            or (targets.outcome = 'breached' and targets.due_at > night.as_of_end)
    "
) }}

{%- set clock = 'ticket_key, metric, instance_no' %}
{%- set application = clock ~ ', application_no' %}

with night as (
    select {{ end_of_local_day('as_of') }} as as_of_end from {{ night() }}
),

tickets as (
    select
        ticket_key,
        source,
        ticket_id,
        team,
        priority,
        created_at
    from {{ ref('int_ticket__unioned') }}
    where {{ is_touched(['ticket_key']) }}
),

newest as (
    {{ newest_versions('int_sla_event__version', ['source', 'event_id'], [
        'ticket_id', 'metric', 'instance_no', 'kind', 'moment', 'target_minutes', 'is_business_hours', 'policy', 'is_deleted'
    ], where='(source, event_id) in (select source, event_id from ' ~ ref('int_sla_event__version')
        ~ ' where (source, ticket_id) in (select source, ticket_id from tickets))') }}
),

{#- At one instant a clock starts or stops first, then a target is applied, breached, fulfilled. -#}
events as (
    select
        tickets.ticket_key,
        newest.metric,
        newest.instance_no,
        newest.kind,
        newest.moment,
        newest.target_minutes,
        newest.is_business_hours,
        newest.policy,
        row_number() over (
            partition by tickets.ticket_key, newest.metric, newest.instance_no
            order by
                newest.moment,
                case newest.kind when 'apply_sla' then 1 when 'breach' then 2 when 'fulfill' then 3 else 0 end,
                try_cast(newest.event_id as bigint) nulls last,
                newest.event_id
        ) as place
    from newest
    inner join tickets on tickets.source = newest.source and tickets.ticket_id = newest.ticket_id
    where
        newest.kind in ('activate', 'pause', 'fulfill', 'apply_sla', 'breach')
        and not newest.is_deleted
        and not newest.is_vanished
),

numbered as (
    select
        {{ clock }},
        kind,
        moment,
        target_minutes,
        is_business_hours,
        policy,
        place,
        cast(sum(case when kind = 'apply_sla' then 1 else 0 end) over so_far as integer) as application_no,
        last_value(case when kind in ('activate', 'pause', 'fulfill') then kind end ignore nulls) over so_far as clock_state
    from events
    window so_far as (partition by {{ clock }} order by place rows unbounded preceding)
),

{#- An application without a target takes a target away. -#}
applications as (
    select
        {{ application }},
        moment as applied_at,
        target_minutes,
        is_business_hours,
        policy,
        coalesce(clock_state, 'activate') = 'activate' as is_running,
        given_up_at
    from (
        select
            {{ application }},
            moment,
            target_minutes,
            is_business_hours,
            policy,
            clock_state,
            lead(moment) over (partition by {{ clock }} order by application_no) as given_up_at
        from numbered
        where kind = 'apply_sla'
    ) as applied
    where target_minutes is not null
),

ends as (
    select
        {{ application }},
        min(case when kind = 'breach' then moment end) as breached_at,
        min(case when kind = 'fulfill' then moment end) as fulfilled_at,
        min(case when kind = 'fulfill' then place end) as fulfilled_place
    from numbered
    where application_no > 0 and kind in ('breach', 'fulfill')
    group by {{ application }}
),

{#- Which schedule counts for targets in business hours. -#}
timed_tickets as (
    select
        ticket_key,
        team,
        created_at
    from tickets
    where ticket_key in (select ticket_key from applications where is_business_hours)
),

team_changes as (
    select
        ticket_key,
        occurred_at,
        from_value,
        to_value,
        row_number() over (partition by ticket_key order by occurred_at, sequence, event_key) as place
    from {{ ref('int_ticket__change') }}
    where
        attribute = 'team'
        and from_value is distinct from to_value
        and ticket_key in (select ticket_key from timed_tickets)
),

schedules as (
    {{ schedules_of_tickets('timed_tickets', 'team_changes') }}
),

scheduled as (
    select
        applications.ticket_key,
        applications.metric,
        applications.instance_no,
        applications.application_no,
        applications.applied_at,
        applications.target_minutes,
        applications.is_business_hours,
        applications.policy,
        applications.is_running,
        applications.given_up_at,
        ends.breached_at,
        ends.fulfilled_at,
        ends.fulfilled_place,
        schedules.schedule
    from applications
    left join ends
        on ends.ticket_key = applications.ticket_key
        and ends.metric = applications.metric
        and ends.instance_no = applications.instance_no
        and ends.application_no = applications.application_no
    left join schedules
        on applications.is_business_hours
        and schedules.ticket_key = applications.ticket_key
        and schedules.from_at <= applications.applied_at
        and (schedules.to_at is null or schedules.to_at > applications.applied_at)
),

{#- The clock from the application on. What is fulfilled runs on in thought, which gives the time it would have been due. -#}
points as (
    select
        {{ application }},
        schedule,
        applied_at as started_at,
        applied_at as moment,
        0 as place,
        is_running,
        false as is_after_fulfilment
    from scheduled
    where not is_business_hours or schedule is not null
    union all
    select
        scheduled.ticket_key,
        scheduled.metric,
        scheduled.instance_no,
        scheduled.application_no,
        scheduled.schedule,
        scheduled.applied_at,
        numbered.moment,
        numbered.place,
        numbered.kind <> 'pause',
        numbered.kind = 'fulfill'
    from scheduled
    inner join numbered
        on numbered.ticket_key = scheduled.ticket_key
        and numbered.metric = scheduled.metric
        and numbered.instance_no = scheduled.instance_no
        and numbered.application_no = scheduled.application_no
    where
        numbered.kind in ('activate', 'pause', 'fulfill')
        and (scheduled.fulfilled_place is null or numbered.place <= scheduled.fulfilled_place)
        and (not scheduled.is_business_hours or scheduled.schedule is not null)
),

readings as (
    {{ clock_readings('points', application.split(', ') + ['place', 'is_running', 'is_after_fulfilment']) }}
),

stretches as (
    select
        {{ application }},
        schedule,
        started_at,
        moment,
        place,
        reading,
        is_running,
        is_after_fulfilment,
        lead(moment) over in_order as next_at,
        case when is_running then lead(reading) over in_order - reading end as minutes_run
    from readings
    window in_order as (partition by {{ application }} order by place)
),

run_before as (
    select
        {{ application }},
        schedule,
        started_at,
        moment,
        place,
        reading,
        is_running,
        is_after_fulfilment,
        next_at,
        minutes_run,
        coalesce(sum(minutes_run) over (
            partition by {{ application }} order by place rows between unbounded preceding and 1 preceding
        ), 0) as minutes_before
    from stretches
),

{#- The stretch in which the clock reaches the target. -#}
reaching as (
    select
        run_before.ticket_key,
        run_before.metric,
        run_before.instance_no,
        run_before.application_no,
        run_before.schedule,
        run_before.started_at,
        run_before.moment,
        run_before.reading + scheduled.target_minutes - run_before.minutes_before as reading,
        row_number() over (
            partition by run_before.ticket_key, run_before.metric, run_before.instance_no, run_before.application_no
            order by run_before.place
        ) as reach_no
    from run_before
    inner join scheduled
        on scheduled.ticket_key = run_before.ticket_key
        and scheduled.metric = run_before.metric
        and scheduled.instance_no = run_before.instance_no
        and scheduled.application_no = run_before.application_no
    where
        run_before.is_running
        and (run_before.next_at is null or run_before.minutes_before + run_before.minutes_run >= scheduled.target_minutes)
),

first_reaching as (
    select
        {{ application }},
        schedule,
        started_at,
        moment,
        reading
    from reaching
    where reach_no = 1
),

dues as (
    {{ clock_instants('first_reaching', application.split(', ')) }}
),

clocks as (
    select
        run_before.ticket_key,
        run_before.metric,
        run_before.instance_no,
        run_before.application_no,
        coalesce(sum(case when not run_before.is_after_fulfilment then run_before.minutes_run end), 0) as minutes_run,
        coalesce(sum(case when not run_before.is_running then {{ minutes_between('run_before.moment', 'coalesce(run_before.next_at, scheduled.given_up_at)') }} end), 0)
            as minutes_paused,
        max(case when run_before.next_at is null and not run_before.is_running then 1 else 0 end) = 1 as is_paused
    from run_before
    inner join scheduled
        on scheduled.ticket_key = run_before.ticket_key
        and scheduled.metric = run_before.metric
        and scheduled.instance_no = run_before.instance_no
        and scheduled.application_no = run_before.application_no
    group by run_before.ticket_key, run_before.metric, run_before.instance_no, run_before.application_no
),

departures as (
    select
        scheduled.ticket_key,
        scheduled.metric,
        scheduled.instance_no,
        scheduled.application_no,
        min(transitions.occurred_at) as gone_at
    from scheduled
    inner join {{ ref('fct_ticket_transition') }} as transitions
        on transitions.ticket_key = scheduled.ticket_key
        and transitions.unsolved_change = -1
        and transitions.occurred_at >= scheduled.applied_at
    group by scheduled.ticket_key, scheduled.metric, scheduled.instance_no, scheduled.application_no
),

priorities as (
    select
        ticket_key,
        occurred_at,
        from_value,
        to_value,
        is_event,
        row_number() over (partition by ticket_key order by occurred_at, sequence, event_key) as place
    from {{ ref('int_ticket__change') }}
    where attribute = 'priority' and ticket_key in (select ticket_key from applications)
),

{#- The priority at the moment of application: the last change up to it, else what the first change came from, or what the ticket
    was first known with. -#}
applied_priorities as (
    select
        scheduled.ticket_key,
        scheduled.metric,
        scheduled.instance_no,
        scheduled.application_no,
        max(case when priorities.occurred_at <= scheduled.applied_at then priorities.place end) as last_place,
        count(priorities.place) as changes
    from scheduled
    left join priorities on priorities.ticket_key = scheduled.ticket_key
    group by scheduled.ticket_key, scheduled.metric, scheduled.instance_no, scheduled.application_no
),

judged as (
    select
        scheduled.ticket_key,
        scheduled.metric,
        scheduled.instance_no,
        scheduled.application_no,
        scheduled.policy,
        case
            when applied_priorities.changes = 0 then tickets.priority
            when applied_priorities.last_place is not null then lasts.to_value
            when firsts.is_event then firsts.from_value
            else firsts.to_value
        end as priority,
        scheduled.target_minutes,
        scheduled.is_business_hours,
        scheduled.applied_at,
        scheduled.given_up_at,
        scheduled.fulfilled_at,
        departures.gone_at,
        coalesce(scheduled.breached_at, dues.reached_at) as due_at,
        case when scheduled.fulfilled_at is not null then clocks.minutes_run end as minutes_run,
        clocks.minutes_paused,
        coalesce(clocks.is_paused, false) as is_paused
    from scheduled
    inner join tickets on tickets.ticket_key = scheduled.ticket_key
    inner join applied_priorities
        on applied_priorities.ticket_key = scheduled.ticket_key
        and applied_priorities.metric = scheduled.metric
        and applied_priorities.instance_no = scheduled.instance_no
        and applied_priorities.application_no = scheduled.application_no
    left join priorities as lasts on lasts.ticket_key = applied_priorities.ticket_key and lasts.place = applied_priorities.last_place
    left join priorities as firsts on firsts.ticket_key = applied_priorities.ticket_key and firsts.place = 1
    left join dues
        on dues.ticket_key = scheduled.ticket_key
        and dues.metric = scheduled.metric
        and dues.instance_no = scheduled.instance_no
        and dues.application_no = scheduled.application_no
    left join clocks
        on clocks.ticket_key = scheduled.ticket_key
        and clocks.metric = scheduled.metric
        and clocks.instance_no = scheduled.instance_no
        and clocks.application_no = scheduled.application_no
    left join departures
        on departures.ticket_key = scheduled.ticket_key
        and departures.metric = scheduled.metric
        and departures.instance_no = scheduled.instance_no
        and departures.application_no = scheduled.application_no
)

select
    judged.ticket_key,
    judged.metric,
    judged.instance_no,
    judged.application_no,
    judged.policy,
    case
        when lower(judged.priority) in ('low', 'normal', 'high', 'urgent') then lower(judged.priority)
        when judged.priority is not null then 'other'
    end as priority_applied,
    judged.target_minutes,
    judged.is_business_hours,
    judged.applied_at,
    judged.due_at,
    judged.fulfilled_at,
    round(judged.minutes_run, 4) as minutes_to_fulfil,
    round(judged.minutes_paused, 4) as paused_minutes,
    {{ sla_outcome('judged.due_at', 'judged.fulfilled_at', 'judged.given_up_at', 'judged.gone_at', 'judged.is_paused', 'night.as_of_end') }} as outcome
from judged
cross join night
