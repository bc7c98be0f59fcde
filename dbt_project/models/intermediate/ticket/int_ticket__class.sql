{#-
    What the company's rules make of each ticket. What lives here: its channel, its touchpoint, and why it is an exception, if it is. Not
    here: the rules (seeds channels, touchpoint_rules, exception_reasons), what became of the ticket (int_ticket__milestone).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('int_ticket__conversation') }}
    "
) }}

with tickets as (
    select
        tickets.ticket_key,
        tickets.system,
        'ticket' as object,
        case when said.is_customer_initiated then 'created' else 'created_by_us' end as event,
        {{ known_channel('tickets.channel', 'channels') }} as channel,
        tickets.ticket_type,
        tickets.topic
    from {{ ref('int_ticket__unioned') }} as tickets
    inner join {{ ref('int_ticket__conversation') }} as said on said.ticket_key = tickets.ticket_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(tickets.channel)
    where {{ is_touched(['tickets.ticket_key']) }}
),

touchpoint_map as (
    {{ touchpoint_map('tickets') }}
),

exceptions as (
    select
        tickets.ticket_key,
        min(reasons.exception_reason) as exception_reason
    from tickets
    inner join {{ ref('exception_reasons') }} as reasons
        on reasons.ticket_type in (tickets.ticket_type, '*') and reasons.topic in (tickets.topic, '*')
    group by tickets.ticket_key
)

select
    tickets.ticket_key,
    tickets.channel,
    coalesce(touchpoint_map.touchpoint_key, -1) as touchpoint_key,
    exceptions.exception_reason
from tickets
left join touchpoint_map
    on touchpoint_map.system = tickets.system
    and touchpoint_map.object = tickets.object
    and touchpoint_map.event = tickets.event
    and touchpoint_map.channel = tickets.channel
left join exceptions on exceptions.ticket_key = tickets.ticket_key
