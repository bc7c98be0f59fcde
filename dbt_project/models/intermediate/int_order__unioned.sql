{{ config(
    touched_key=['source', 'order_id'],
    touches=['order_key'],
    touched_by="
        {{ new_rows('stg_salesforce__opportunity', ['_source', 'opportunity_id']) }}
        union
        select _source, opportunity_id from {{ ref('stg_salesforce__opportunity_history') }}
        where (_source, opportunity_history_id)
            in ({{ new_rows('stg_salesforce__opportunity_history', ['_source', 'opportunity_history_id']) }})
        union {{ new_rows('stg_canonical__order', ['_source', 'order_id']) }}
        union {{ new_rows('stg_olist__orders', ['_source', 'order_id']) }}
        union {{ new_rows('stg_olist__order_items', ['_source', 'order_id']) }}
        union {{ new_rows('stg_olist__order_payments', ['_source', 'order_id']) }}
        union
        select _source, order_id from {{ ref('stg_olist__order_items') }}
        where (_source, product_id) in ({{ new_rows('stg_olist__products', ['_source', 'product_id']) }})
        union
        select _source, order_id from {{ ref('stg_olist__orders') }}
        where (_source, customer_id) in ({{ new_rows('stg_olist__customers', ['_source', 'customer_id']) }})
    "
) }}

with opportunities as (
    {{ newest_versions('stg_salesforce__opportunity', ['opportunity_id'], [
        'account_id', 'contact_id', 'amount', 'close_date', 'stage_name', 'is_closed', 'is_won', 'opportunity_type',
        'currency_iso_code', 'created_date', 'is_deleted', 'system_modstamp'
    ]) }}
),

stage_changes as (
    {{ newest_versions('stg_salesforce__opportunity_history', ['opportunity_history_id'], [
        'opportunity_id', 'stage_name', 'created_date', 'is_deleted'
    ], where='(_source, opportunity_history_id) in (select _source, opportunity_history_id from '
        ~ ref('stg_salesforce__opportunity_history') ~ ' where ' ~ is_touched(['_source', 'opportunity_id']) ~ ')') }}
),

{#- The stages of each deal in order, with the deal's stage now; the last run of it says when it was entered. -#}
stages as (
    select
        stage_changes._source,
        stage_changes.opportunity_id,
        stage_changes.created_date,
        stage_changes.stage_name = opportunities.stage_name as is_stage_now,
        row_number() over (
            partition by stage_changes._source, stage_changes.opportunity_id
            order by stage_changes.created_date, stage_changes.opportunity_history_id
        ) as place
    from stage_changes
    inner join opportunities
        on opportunities._source = stage_changes._source
        and opportunities.opportunity_id = stage_changes.opportunity_id
    where not coalesce(stage_changes.is_deleted, false) and not stage_changes.is_vanished
),

last_other_stages as (
    select
        _source,
        opportunity_id,
        max(case when not is_stage_now then place end) as other_place
    from stages
    group by _source, opportunity_id
),

{#- Every edit of a deal writes its stage again, so only the first row of the run counts. Nothing before it: it may be older still. -#}
stage_entries as (
    select
        stages._source,
        stages.opportunity_id,
        min(stages.created_date) as entered_at,
        last_other_stages.other_place is not null as is_entry_known
    from stages
    inner join last_other_stages
        on last_other_stages._source = stages._source
        and last_other_stages.opportunity_id = stages.opportunity_id
    where stages.place > coalesce(last_other_stages.other_place, 0)
    group by stages._source, stages.opportunity_id, last_other_stages.other_place
),

{#- The versions of a deal in the order of newest_versions(): its closing day is the one it had when it was closed for good. -#}
deal_versions as (
    select
        _source,
        opportunity_id,
        close_date,
        case when is_won then 'won' when is_closed then 'lost' else 'open' end as outcome,
        row_number() over (
            partition by _source, opportunity_id order by _version_at, _extract_date, _file nulls first, _row nulls first
        ) as place
    from {{ ref('stg_salesforce__opportunity') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'opportunity_id']) }}
),

outcomes_now as (
    select
        _source,
        opportunity_id,
        outcome,
        max(case when outcome <> outcome_now then place end) over (partition by _source, opportunity_id) as other_place,
        place,
        close_date
    from (
        select
            _source,
            opportunity_id,
            outcome,
            place,
            close_date,
            last_value(outcome) over (
                partition by _source, opportunity_id order by place rows between unbounded preceding and unbounded following
            ) as outcome_now
        from deal_versions
    ) as versions
),

closing_days as (
    select _source, opportunity_id, close_date
    from outcomes_now
    where place = coalesce(other_place, 0) + 1
),

closed as (
    select
        opportunities._source,
        opportunities.opportunity_id,
        {{ noon_of_local_day('closing_days.close_date') }} as closed_at,
        stage_entries.entered_at,
        stage_entries.is_entry_known
    from opportunities
    left join closing_days
        on closing_days._source = opportunities._source
        and closing_days.opportunity_id = opportunities.opportunity_id
    left join stage_entries
        on stage_entries._source = opportunities._source
        and stage_entries.opportunity_id = opportunities.opportunity_id
),

deals as (
    select
        opportunities._source as source,
        'salesforce' as system,
        opportunities.opportunity_id as order_id,
        opportunities.contact_id,
        opportunities.account_id,
        case when opportunities.is_won then 'completed' when opportunities.is_closed then 'lost' else 'open' end as status,
        {#- A history that begins with the stage may have begun after it was entered. #}
        case
            when not opportunities.is_closed then opportunities.created_date
            when closed.is_entry_known or closed.entered_at <= closed.closed_at then closed.entered_at
            else coalesce(closed.closed_at, closed.entered_at, opportunities.created_date)
        end as ordered_at,
        cast(null as timestamptz) as shipped_at,
        cast(null as timestamptz) as delivered_at,
        cast(null as timestamptz) as promised_at,
        cast(null as timestamptz) as cancelled_at,
        cast(null as timestamptz) as returned_at,
        opportunities.amount as item_amount,
        cast(null as decimal(18, 2)) as freight_amount,
        cast(null as decimal(18, 2)) as payment_amount,
        cast(null as decimal(18, 2)) as refund_amount,
        opportunities.currency_iso_code as currency,
        'sales' as channel,
        case lower(opportunities.opportunity_type)
            when 'new business' then 'new'
            when 'new' then 'new'
            when 'renewal' then 'renewal'
            when 'expansion' then 'expansion'
            else case when opportunities.opportunity_type is not null then 'other' end
        end as order_type,
        cast(null as varchar) as product,
        opportunities.created_date as created_at,
        opportunities.is_deleted or opportunities.is_vanished as is_deleted,
        opportunities.system_modstamp as updated_at,
        opportunities._version_at
    from opportunities
    inner join closed
        on closed._source = opportunities._source
        and closed.opportunity_id = opportunities.opportunity_id
),

canonical_orders as (
    {{ newest_versions('stg_canonical__order', ['order_id'], [
        'contact_id', 'account_id', 'status', 'ordered_at', 'shipped_at', 'delivered_at', 'promised_at', 'cancelled_at',
        'returned_at', 'item_amount', 'freight_amount', 'payment_amount', 'refund_amount', 'currency', 'channel',
        'order_type', 'product', 'created_at', 'is_deleted', 'updated_at'
    ]) }}
),

olist_orders as (
    {{ newest_versions('stg_olist__orders', ['order_id'], [
        'customer_id', 'order_status', 'order_purchase_timestamp', 'order_delivered_carrier_date',
        'order_delivered_customer_date', 'order_estimated_delivery_date'
    ]) }}
),

olist_customers as (
    {{ newest_versions('stg_olist__customers', ['customer_id'], ['customer_unique_id'],
        where='(_source, customer_id) in (select _source, customer_id from ' ~ ref('stg_olist__orders')
            ~ ' where ' ~ is_touched(['_source', 'order_id']) ~ ')') }}
),

order_items as (
    {{ newest_versions('stg_olist__order_items', ['order_id', 'order_item_id'], ['price', 'freight_value', 'product_id'],
        where=is_touched(['_source', 'order_id'])) }}
),

order_payments as (
    {{ newest_versions('stg_olist__order_payments', ['order_id', 'payment_sequential'], ['payment_value'],
        where=is_touched(['_source', 'order_id'])) }}
),

items_of_orders as (
    select
        _source,
        order_id,
        sum(price) as item_amount,
        sum(freight_value) as freight_amount
    from order_items
    where not is_vanished
    group by _source, order_id
),

olist_products as (
    {{ newest_versions('stg_olist__products', ['product_id'], ['product_category_name'],
        where='(_source, product_id) in (select _source, product_id from order_items)') }}
),

{#- The category of the dearest item stands for the order. -#}
products_of_orders as (
    select _source, order_id, product
    from (
        select
            order_items._source,
            order_items.order_id,
            olist_products.product_category_name as product,
            row_number() over (
                partition by order_items._source, order_items.order_id
                order by order_items.price desc nulls last, order_items.order_item_id
            ) as place
        from order_items
        left join olist_products
            on olist_products._source = order_items._source
            and olist_products.product_id = order_items.product_id
        where not order_items.is_vanished
    ) as ranked
    where place = 1
),

payments_of_orders as (
    select
        _source,
        order_id,
        sum(payment_value) as payment_amount
    from order_payments
    where not is_vanished
    group by _source, order_id
),

unioned as (
    select
        source,
        system,
        order_id,
        contact_id,
        account_id,
        status,
        ordered_at,
        shipped_at,
        delivered_at,
        promised_at,
        cancelled_at,
        returned_at,
        item_amount,
        freight_amount,
        payment_amount,
        refund_amount,
        currency,
        channel,
        order_type,
        product,
        created_at,
        is_deleted,
        updated_at,
        _version_at
    from deals
    union all
    select
        _source,
        'canonical',
        order_id,
        contact_id,
        account_id,
        status,
        ordered_at,
        shipped_at,
        delivered_at,
        promised_at,
        cancelled_at,
        returned_at,
        item_amount,
        freight_amount,
        payment_amount,
        {#- Whichever sign a source writes, a refund is money given back. #}
        abs(refund_amount),
        currency,
        channel,
        order_type,
        product,
        created_at,
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_orders
    union all
    select
        olist_orders._source,
        'olist',
        olist_orders.order_id,
        olist_customers.customer_unique_id,
        null,
        case
            when olist_orders.order_status = 'delivered' then 'completed'
            when olist_orders.order_status in ('canceled', 'unavailable') then 'cancelled'
            when olist_orders.order_status = 'shipped' then 'shipped'
            when olist_orders.order_status in ('created', 'approved', 'invoiced', 'processing') then 'placed'
            else 'other'
        end,
        olist_orders.order_purchase_timestamp,
        olist_orders.order_delivered_carrier_date,
        olist_orders.order_delivered_customer_date,
        olist_orders.order_estimated_delivery_date,
        null,
        null,
        {#- An order without items has no amount, which is not an amount of nothing. #}
        items_of_orders.item_amount,
        items_of_orders.freight_amount,
        payments_of_orders.payment_amount,
        null,
        'BRL',
        'web',
        null,
        products_of_orders.product,
        olist_orders.order_purchase_timestamp,
        olist_orders.is_vanished,
        olist_orders._version_at,
        olist_orders._version_at
    from olist_orders
    left join olist_customers
        on olist_orders._source = olist_customers._source
        and olist_orders.customer_id = olist_customers.customer_id
    left join items_of_orders
        on olist_orders._source = items_of_orders._source
        and olist_orders.order_id = items_of_orders.order_id
    left join products_of_orders
        on olist_orders._source = products_of_orders._source
        and olist_orders.order_id = products_of_orders.order_id
    left join payments_of_orders
        on olist_orders._source = payments_of_orders._source
        and olist_orders.order_id = payments_of_orders.order_id
)

select
    {{ surrogate_key(['source', 'order_id']) }} as order_key,
    source,
    system,
    order_id,
    contact_id,
    account_id,
    status,
    ordered_at,
    shipped_at,
    delivered_at,
    promised_at,
    cancelled_at,
    returned_at,
    cast(item_amount as decimal(18, 2)) as item_amount,
    cast(freight_amount as decimal(18, 2)) as freight_amount,
    cast(payment_amount as decimal(18, 2)) as payment_amount,
    cast(refund_amount as decimal(18, 2)) as refund_amount,
    currency,
    channel,
    order_type,
    product,
    created_at,
    is_deleted,
    updated_at,
    _version_at
from unioned
