{#-
    What happened between customers and the company, in one list. What lives here: which moments of orders, activities,
    tickets and answers are touchpoint events. Not here: their order in a journey, the rules (seed touchpoint_rules).

    An event no rule knows stays, with the unknown touchpoint. What a source deleted, merged or discounted is no event.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['object', 'source_ref'],
    touches=['date_key', 'customer_key'],
    touched_by="
        select 'order', order_key from {{ touched('fct_order') }}
        union select 'ticket', ticket_key from {{ touched('fct_ticket') }}
        union select 'survey_answer', answer_key from {{ touched('fct_survey_answer') }}
        union select 'activity', activity_key from {{ touched('int_activity__unioned') }}
        union
        select 'activity', activities.source_ref from {{ this }} as activities
        inner join {{ ref('int_activity__customer') }} as owners on owners.activity_key = activities.source_ref
        where activities.object = 'activity' and owners.customer_key <> activities.customer_key
    "
) }}

{%- set order_moments = [
    ('placed', 'ordered_at', 'inbound', "status not in ('open', 'lost')"),
    ('deal_opened', 'ordered_at', 'outbound', "status = 'open'"),
    ('deal_lost', 'ordered_at', 'inbound', "status = 'lost'"),
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

with orders as (
    select order_key, system, customer_key, channel, status, ordered_at, shipped_at, delivered_at, cancelled_at, returned_at
    from {{ ref('fct_order') }}
    where coalesce(exclusion_reason, '') <> 'deleted' and {{ is_touched(["'order'", 'order_key']) }}
),

tickets as (
    select
        ticket_key, system, customer_key, channel, status, is_customer_initiated,
        created_at, first_reply_at, first_automated_reply_at, last_solved_at
    from {{ ref('fct_ticket') }}
    where removed_kind is null and {{ is_touched(["'ticket'", 'ticket_key']) }}
),

activities as (
    select
        activities.activity_key,
        activities.system,
        owners.customer_key,
        {{ known_channel('activities.channel', 'channels') }} as channel,
        activities.activity_type,
        coalesce(activities.direction, 'unknown') as direction,
        activities.occurred_at
    from {{ ref('int_activity__unioned') }} as activities
    inner join {{ ref('int_activity__customer') }} as owners on owners.activity_key = activities.activity_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(activities.channel)
    where not activities.is_deleted and {{ is_touched(["'activity'", 'activities.activity_key']) }}
),

answers as (
    select answer_key, system, customer_key, channel, metric, touchpoint_key, score_norm, answered_at
    from {{ ref('fct_survey_answer') }}
    where is_counted and {{ is_touched(["'survey_answer'", 'answer_key']) }}
),

events as (
    {%- for event, moment, direction, condition in order_moments %}
    select
        'order' as object, '{{ event }}' as event, order_key as source_ref, system, customer_key, channel,
        '{{ direction }}' as direction, {{ moment }} as occurred_at, cast(null as bigint) as known_touchpoint_key, cast(null as double) as score_norm
    from orders
    where {{ moment }} is not null and {{ condition }}
    union all
    {%- endfor %}
    {%- for event, moment, direction, condition in ticket_moments %}
    select 'ticket', '{{ event }}', ticket_key, system, customer_key, channel, '{{ direction }}', {{ moment }}, null, null
    from tickets
    where {{ moment }} is not null and {{ condition }}
    union all
    {%- endfor %}
    select 'activity', activity_type, activity_key, system, customer_key, channel, direction, occurred_at, null, null
    from activities
    union all
    select 'survey_answer', metric, answer_key, system, customer_key, channel, 'inbound', answered_at, touchpoint_key, score_norm
    from answers
),

touchpoint_map as (
    {{ touchpoint_map('events') }}
),

final as (
    select
        {{ surrogate_key(['events.object', 'events.event', 'events.source_ref']) }} as event_key,
        events.customer_key,
        coalesce(events.known_touchpoint_key, touchpoint_map.touchpoint_key, -1) as touchpoint_key,
        events.object,
        events.event,
        events.source_ref,
        events.system,
        events.channel,
        events.direction,
        events.occurred_at,
        {{ local_date_key('events.occurred_at') }} as date_key,
        events.score_norm
    from events
    left join touchpoint_map
        on touchpoint_map.system = events.system
        and touchpoint_map.object = events.object
        and touchpoint_map.event = events.event
        and touchpoint_map.channel = events.channel
)

select * from final
