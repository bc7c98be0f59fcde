{#-
    What happened between customers and the company, in one list, before anybody asks which journey it was part of. What
    lives here: which moments of orders, tickets, activities, answers and registrations are events, their touchpoint, the
    record they are about and whose journeys they can be in. Not here: the rules (seed touchpoint_rules), journeys.

    An event no rule knows stays, with the unknown touchpoint. What a source deleted, merged or discounted is no event.
    Threads: an event that names a record goes with the customer of that record, any other with its own customer; where
    nobody is known, the record is its own thread (`owner`, `owner_key`).

    Longer than 150 lines: moments of orders and tickets are rows of two lists here, and events of every kind have to name the columns
    of one.
-#}
{{ config(
    touched_key=['object', 'source_ref'],
    touches=['event_key', 'owner', 'owner_key', 'record', 'touchpoint_key', 'occurred_at'],
    touched_by="
        select 'order', order_key from {{ touched('fct_order') }}
        union select 'order', order_key from {{ touched('int_order__unioned') }}
        union select 'ticket', ticket_key from {{ touched('fct_ticket') }}
        union select 'contact', customer_key from {{ touched('int_journey_event__registration') }}
        union select 'activity', activity_key from {{ touched('int_journey_event__activity') }}
        union select 'survey_answer', answer_key from {{ touched('fct_survey_answer') }}
        union
        select 'survey_answer', answer_key from {{ ref('fct_survey_answer') }}
        where
            order_key in (select order_key from {{ touched('fct_order') }})
            or ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
    "
) }}

{%- set order_moments = [
    ('placed', 'ordered_at', 'inbound', 'not is_deal'),
    ('opened', 'opened_at', 'outbound', 'is_deal'),
    ('won', 'ordered_at', 'inbound', "is_deal and status not in ('open', 'lost')"),
    ('lost', 'ordered_at', 'inbound', "is_deal and status = 'lost'"),
    ('shipped', 'shipped_at', 'outbound', 'true'),
    ('delivered', 'delivered_at', 'outbound', 'true'),
    ('cancelled', 'cancelled_at', 'inbound', 'true'),
    ('returned', 'returned_at', 'inbound', 'true'),
] -%}
{%- set ticket_moments = [
    ('created', 'created_at', 'inbound', 'is_customer_initiated'),
    ('created_by_us', 'created_at', 'outbound', 'not is_customer_initiated'),
    ('first_reply', 'first_reply_at', 'outbound', 'true'),
    ('first_automated_reply', 'first_automated_reply_at', 'outbound', 'true'),
    ('solved', 'last_solved_at', 'outbound', "status in ('solved', 'closed')"),
] %}

{#- A deal is sold by people, or is an order that is still open or was lost; it can be dated as won before it was typed in. -#}
with orders as (
    select
        orders.order_key,
        orders.system,
        orders.customer_key,
        orders.channel,
        orders.status,
        orders.channel = 'sales' or orders.status in ('open', 'lost') as is_deal,
        coalesce(orders.order_type = 'renewal', false) as is_renewal,
        coalesce(orders.is_late, false) as is_late,
        case when records.created_at < orders.ordered_at then records.created_at else orders.ordered_at end as opened_at,
        orders.ordered_at,
        orders.shipped_at,
        orders.delivered_at,
        orders.cancelled_at,
        orders.returned_at
    from {{ ref('fct_order') }} as orders
    inner join {{ ref('int_order__unioned') }} as records on records.order_key = orders.order_key
    where coalesce(orders.exclusion_reason, '') <> 'deleted' and {{ is_touched(["'order'", 'orders.order_key']) }}
),

tickets as (
    select
        ticket_key, system, customer_key, channel, topic, status, is_customer_initiated,
        created_at, first_reply_at, first_automated_reply_at, last_solved_at
    from {{ ref('fct_ticket') }}
    where {{ is_ticket_counted('removed_kind') }} and {{ is_touched(["'ticket'", 'ticket_key']) }}
),

answers as (
    select
        answers.answer_key,
        answers.system,
        answers.customer_key,
        answers.channel,
        answers.metric,
        answers.touchpoint_key,
        answers.score_scale,
        answers.score_norm,
        answers.answer_class,
        answers.answered_at,
        case when tickets.ticket_key is not null then 'ticket' when orders.order_key is not null then 'order' end as record,
        coalesce(tickets.ticket_key, orders.order_key) as record_key,
        case when tickets.ticket_key is not null then tickets.customer_key else orders.customer_key end as record_customer_key
    from {{ ref('fct_survey_answer') }} as answers
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    left join {{ ref('fct_order') }} as orders on orders.order_key = answers.order_key
    where answers.is_counted and {{ is_touched(["'survey_answer'", 'answers.answer_key']) }}
),

events as (
    {%- for event, moment, direction, condition in order_moments %}
    select
        'order' as object,
        {% if event in ('opened', 'won', 'lost') -%}
        case when is_renewal then 'renewal_{{ event }}' else 'deal_{{ event }}' end as event,
        {%- elif event == 'delivered' -%}
        case when is_late then 'delivered_late' else 'delivered' end as event,
        {%- else -%}
        '{{ event }}' as event,
        {%- endif %}
        order_key as source_ref,
        system,
        customer_key,
        channel,
        '{{ direction }}' as direction,
        {{ moment }} as occurred_at,
        'order' as record,
        order_key as record_key,
        customer_key as record_customer_key,
        cast(null as varchar) as topic,
        cast(null as bigint) as known_touchpoint_key,
        cast(null as varchar) as metric,
        cast(null as varchar) as score_scale,
        cast(null as double) as score_norm,
        cast(null as varchar) as answer_class
    from orders
    where {{ moment }} is not null and {{ condition }}
    union all
    {%- endfor %}
    {%- for event, moment, direction, condition in ticket_moments %}
    select
        'ticket', '{{ event }}', ticket_key, system, customer_key, channel, '{{ direction }}', {{ moment }},
        'ticket', ticket_key, customer_key, topic, null, null, null, null, null
    from tickets
    where {{ moment }} is not null and {{ condition }}
    union all
    {%- endfor %}
    select
        'activity', activity_type, activity_key, system, customer_key, channel, direction, occurred_at,
        case when order_key is not null then 'order' end, order_key, order_customer_key, null, null, null, null, null, null
    from {{ ref('int_journey_event__activity') }}
    where {{ is_touched(["'activity'", 'activity_key']) }}
    union all
    select
        'survey_answer', metric, answer_key, system, customer_key, channel, 'inbound', answered_at,
        record, record_key, record_customer_key, null, touchpoint_key, metric, score_scale, score_norm, answer_class
    from answers
    union all
    select
        'contact', 'created', customer_key, system, customer_key, 'web', 'inbound', created_at,
        null, null, null, null, null, null, null, null, null
    from {{ ref('int_journey_event__registration') }}
    where {{ is_touched(["'contact'", 'customer_key']) }}
),

touchpoint_map as (
    {{ touchpoint_map('events') }}
),

final as (
    select
        {{ surrogate_key(['events.object', 'events.event', 'events.source_ref']) }} as event_key,
        events.object,
        events.event,
        events.source_ref,
        events.system,
        events.customer_key,
        coalesce(events.known_touchpoint_key, touchpoint_map.touchpoint_key, -1) as touchpoint_key,
        events.channel,
        events.direction,
        events.occurred_at,
        events.record,
        events.record_key,
        case
            when coalesce(events.record_customer_key, events.customer_key) <> -1 then 'customer'
            else coalesce(events.record, events.object)
        end as owner,
        case
            when coalesce(events.record_customer_key, events.customer_key) <> -1
                then coalesce(events.record_customer_key, events.customer_key)
            else coalesce(events.record_key, events.source_ref)
        end as owner_key,
        events.topic,
        events.metric,
        events.score_scale,
        events.score_norm,
        events.answer_class
    from events
    left join touchpoint_map
        on touchpoint_map.system = events.system
        and touchpoint_map.object = events.object
        and touchpoint_map.event = events.event
        and touchpoint_map.channel = events.channel
)

select * from final
