{#-
    What the clocks of targets did on each ticket, in order, as last known. What lives here: the place of each event, the application of
    a target it belongs to, and how the clock stands by then. Not here: what became of the targets (int_sla__application).
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
    "
) }}

{%- set clock = 'ticket_key, metric, instance_no' %}

with tickets as (
    select
        ticket_key,
        source,
        ticket_id
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
)

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
