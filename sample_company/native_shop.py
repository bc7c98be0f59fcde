"""Extracts of the company's own shop, which follows the canonical contracts."""

from __future__ import annotations

from sample_company.desk import STAFF_USERS
from sample_company.native import Stream
from sample_company.shopping import ACTIVITIES, ACTIVITY_CHANNELS, ORDER_CHANNELS, OUTBOUND

ORDER_MOMENTS = (
    "placed_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "returned_at",
    "corrected_at",
    "deleted_at",
)

# What an order is mostly of; by its number, so that it never changes.
PRODUCTS = ["furniture", "kitchen", "lighting", "textiles", "garden"]

ORDER = f"""
    order_no(p.id) as order_id,
    case when o.person >= 0 then crm_id('003', o.contact) end as contact_id,
    case when w.business then crm_id('001', w.account) end as account_id,
    case
        when o.returned_at < p.cutoff then 'returned'
        when o.cancelled_at < p.cutoff then 'cancelled'
        when o.delivered_at < p.cutoff then 'completed'
        when o.shipped_at < p.cutoff then 'shipped'
        else 'placed'
    end as status,
    utc(o.placed_at) as ordered_at,
    utc(shown(o.shipped_at, p.cutoff)) as shipped_at,
    utc(shown(o.delivered_at, p.cutoff)) as delivered_at,
    utc(o.promised_at::timestamp
        + case when o.promised_wrong and not coalesce(o.corrected_at < p.cutoff, false)
            then interval 10 day else interval 0 day end) as promised_at,
    utc(shown(o.cancelled_at, p.cutoff)) as cancelled_at,
    utc(shown(o.returned_at, p.cutoff)) as returned_at,
    (o.items / 100)::decimal(18, 2) as item_amount,
    (o.freight / 100)::decimal(18, 2) as freight_amount,
    case
        when o.cancelled_at < p.cutoff then 0 else (o.items + o.freight) / 100
    end::decimal(18, 2) as payment_amount,
    case when o.returned_at < p.cutoff then o.refund / 100 else 0 end::decimal(18, 2) as refund_amount,
    list_extract(currencies(), o.country + 1) as currency,
    list_extract(order_channels(), o.channel + 1) as channel,
    case when o.first_ever then 'new' end as order_type,
    list_extract({PRODUCTS}, 1 + (p.id * 7919) % {len(PRODUCTS)}) as product,
    utc(o.placed_at) as created_at,
    coalesce(o.deleted_at < p.cutoff, false) as is_deleted,
    utc(latest([{", ".join(f"o.{moment}" for moment in ORDER_MOMENTS)}], p.cutoff)) as updated_at,
    kinds([
        case when o.person < 0 then 'guest' end,
        case when o.deleted_at < p.cutoff then 'deleted' end,
        case when new_today(o.corrected_at, p.cutoff) then 'edited' end,
        case when list_extract(currencies(), o.country + 1) <> 'EUR' then 'other_currency' end
    ]) as _dirt
from picked as p
inner join orders as o on o.id = p.id
left join who as w on w.id = o.person
"""

ACTIVITY = """
    'ACT-' || lpad(p.id::varchar, 9, '0') as activity_id,
    crm_id('003', c.id) as contact_id,
    case when w.business then crm_id('001', w.account) end as account_id,
    order_no(a."order") as order_id,
    list_extract(activity_types(), a.kind + 1) as activity_type,
    list_extract(activity_channels(), a.kind + 1) as channel,
    case when list_contains(outbound(), list_extract(activity_types(), a.kind + 1))
        then 'outbound' else 'inbound' end as direction,
    utc(a.occurred_at) as occurred_at,
    coalesce(a.deleted_at < p.cutoff, false) as is_deleted,
    utc(latest([a.occurred_at, a.deleted_at], p.cutoff)) as updated_at,
    kinds([case when a.deleted_at < p.cutoff then 'deleted' end]) as _dirt
from picked as p
inner join activity as a on a.id = p.id
left join who as w on w.id = a.person
left join contact as c on c.person = a.person and not c.is_duplicate
"""

AGENT = f"""
    desk_id({STAFF_USERS} + p.id)::varchar as agent_id,
    case when s.is_bot then list_extract(['Trigger Robot', 'Answer Bot'], 1 + s.id)
        else nth(agent_first(), s.name) || ' ' || nth(agent_last(), s.name // 100) end as name,
    list_extract(groups(), s."group" + 1) as team,
    case when s."group" = 3 then '2' else '1' end as tier,
    s.is_bot as is_automated,
    shown(s.trained_at, p.cutoff)::date as trained_on,
    false as is_deleted,
    iso(latest([s.hired_at, s.trained_at], p.cutoff)) as updated_at,
    []::varchar[] as _dirt
from picked as p
inner join staff as s on s.id = p.id
"""

MACROS = "create macro utc(moment) as moment::timestamp at time zone 'UTC';"

WORDS = {
    "order_channels": ORDER_CHANNELS,
    "activity_types": ACTIVITIES,
    "activity_channels": ACTIVITY_CHANNELS,
    "outbound": OUTBOUND,
}
"""Lists the SQL above names."""

STREAMS = (
    Stream("shop", "order", "parquet", "orders", ORDER_MOMENTS, ("order_id",), ORDER, late_by="id"),
    Stream(
        "shop",
        "activity",
        "parquet",
        "activity",
        ("occurred_at", "deleted_at"),
        ("activity_id",),
        ACTIVITY,
        late_by="id",
    ),
    Stream("shop", "agent", "csv.gz", "staff", ("hired_at", "left_at"), ("agent_id",), AGENT, mode="full"),
)
