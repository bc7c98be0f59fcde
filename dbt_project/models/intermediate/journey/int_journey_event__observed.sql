{#-
    What happened between customers and the company, in one list, before anybody asks which journey it was part of. What
    lives here: which moments of orders, tickets, activities, answers and registrations are events, their touchpoint, the
    record they are about and whose journeys they can be in. Not here: the rules (seed touchpoint_rules), journeys.

    An event no rule knows stays, with the unknown touchpoint. What a source deleted, merged or discounted is no event.
    Threads: an event that names a record goes with the customer of that record, any other with its own customer; where
    nobody is known, the record is its own thread (`owner`, `owner_key`).
-#}
{{ config(
    touched_key=['object', 'source_ref'],
    touches=['event_key', 'owner', 'owner_key'],
    touched_by="
        with moved_contacts as (
            select customer_key from {{ touched('map_customer_identity') }}
            union
            select customer_key from {{ ref('map_customer_identity') }}
            where contact_key in (select contact_key from {{ touched('int_contact__unioned') }})
        )
        select 'order', order_key from {{ touched('fct_order') }}
        union select 'order', order_key from {{ touched('int_order__unioned') }}
        union select 'ticket', ticket_key from {{ touched('fct_ticket') }}
        union select 'contact', customer_key from moved_contacts
        union select 'survey_answer', answer_key from {{ touched('fct_survey_answer') }}
        union
        select 'survey_answer', answer_key from {{ ref('fct_survey_answer') }}
        where
            order_key in (select order_key from {{ touched('fct_order') }})
            or ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
        union select 'activity', activity_key from {{ touched('int_activity__unioned') }}
        union
        select 'activity', activity_key from {{ ref('int_activity__unioned') }}
        where order_id in (
            select order_id from {{ touched('int_order__unioned') }}
            union
            select order_id from {{ ref('int_order__unioned') }} where order_key in (select order_key from {{ touched('fct_order') }})
        )
        union
        select 'activity', activities.source_ref from {{ this }} as activities
        inner join {{ ref('int_activity__customer') }} as owners on owners.activity_key = activities.source_ref
        where activities.object = 'activity' and owners.customer_key <> activities.customer_key
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

{#- An order of another source is meant only if a single source knows that id. -#}
order_ids as (
    select order_id, min(order_key) as order_key from {{ ref('int_order__unioned') }} group by order_id having count(*) = 1
),

activities as (
    select
        activities.activity_key,
        activities.system,
        owners.customer_key,
        {{ known_channel('activities.channel', 'channels') }} as channel,
        activities.activity_type,
        coalesce(activities.direction, 'unknown') as direction,
        activities.occurred_at,
        orders.order_key,
        orders.customer_key as order_customer_key
    from {{ ref('int_activity__unioned') }} as activities
    inner join {{ ref('int_activity__customer') }} as owners on owners.activity_key = activities.activity_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(activities.channel)
    left join {{ ref('int_order__unioned') }} as own_orders
        on own_orders.source = activities.source
        and own_orders.order_id = activities.order_id
    left join order_ids on order_ids.order_id = activities.order_id
    left join {{ ref('fct_order') }} as orders on orders.order_key = coalesce(own_orders.order_key, order_ids.order_key)
    where not activities.is_deleted and {{ is_touched(["'activity'", 'activities.activity_key']) }}
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

{#- A customer registered when the first of their records in the CRM was made; one whose records are all deleted never did. -#}
registrations as (
    select
        customer_key,
        system,
        created_at
    from (
        select
            identity.customer_key,
            contacts.system,
            contacts.created_at,
            row_number() over (
                partition by identity.customer_key order by contacts.created_at nulls last, contacts.contact_key
            ) as place,
            max(case when contacts.is_deleted then 0 else 1 end) over (partition by identity.customer_key) = 1 as is_there
        from {{ ref('map_customer_identity') }} as identity
        inner join {{ ref('int_contact__unioned') }} as contacts on contacts.contact_key = identity.contact_key
        where
            identity.customer_key <> -1
            and contacts.system in ('salesforce', 'canonical')
            and (not contacts.is_deleted or contacts.merged_into_contact_id is not null)
            and {{ is_touched(["'contact'", 'identity.customer_key']) }}
    ) as ranked
    where place = 1 and is_there and created_at is not null
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
    from activities
    union all
    select
        'survey_answer', metric, answer_key, system, customer_key, channel, 'inbound', answered_at,
        record, record_key, record_customer_key, null, touchpoint_key, metric, score_scale, score_norm, answer_class
    from answers
    union all
    select
        'contact', 'created', customer_key, system, customer_key, 'web', 'inbound', created_at,
        null, null, null, null, null, null, null, null, null
    from registrations
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
