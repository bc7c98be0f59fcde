{#-
    Activities as events of their customers, with the order they are about. What lives here: which order an activity means, and whose it is. Not
    here: what else is an event (int_journey_event__observed).
-#}
{{ config(
    touched_key=['activity_key'],
    touched_by="
        select activity_key from {{ touched('int_activity__unioned') }}
        union
        select activity_key from {{ ref('int_activity__unioned') }}
        where order_id in (
            select order_id from {{ touched('int_order__unioned') }}
            union
            select order_id from {{ ref('int_order__unioned') }} where order_key in (select order_key from {{ touched('fct_order') }})
        )
        union select activity_key from {{ touched('int_activity__customer') }}
    "
) }}

{#- An order of another source is meant only if a single source knows that id. -#}
with order_ids as (
    select order_id, min(order_key) as order_key from {{ ref('int_order__unioned') }} group by order_id having count(*) = 1
)

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
where not activities.is_deleted and {{ is_touched(['activities.activity_key']) }}
