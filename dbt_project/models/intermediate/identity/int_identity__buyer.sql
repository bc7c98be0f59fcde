{{ config(
    touched_key=['source', 'requester_id'],
    touched_by="
        select source, requester_id from {{ touched('int_ticket__unioned') }} where requester_id is not null
        union
        select source, requester_id from (
            select source, requester_id, unnest(named_ids) as named_id
            from {{ ref('int_ticket__unioned') }}
            where requester_id is not null
        ) as named
        where named_id in (select order_id from {{ touched('int_order__unioned') }})
    "
) }}

{#- Who bought what a requester asked for help with, each pair once. What lives here: the pairs. Not here: whether the two are one. -#}
with tickets as (
    select source, requester_id, unnest(named_ids) as named_id
    from {{ ref('int_ticket__unioned') }}
    where requester_id is not null and {{ is_touched(['source', 'requester_id']) }}
),

{#- An order of another source is meant only if a single source knows that id. -#}
orders as (
    select source, order_id, contact_id, count(*) over (partition by order_id) as namesakes
    from {{ ref('int_order__unioned') }}
    where order_id in (select named_id from tickets)
)

select distinct
    tickets.source,
    tickets.requester_id,
    {{ surrogate_key(['tickets.source', 'tickets.requester_id']) }} as requester_key,
    orders.source as buyer_source,
    orders.contact_id as buyer_id
from tickets
inner join orders
    on orders.order_id = tickets.named_id
    and (orders.source = tickets.source or orders.namesakes = 1)
where orders.contact_id is not null
