{{ config(materialized='view', incremental_strategy=none) }}

{#- Whose each order is. A view over all of them: cheap to compare with what the facts say, so no move is missed. -#}
with crm_ids as (
    {{ crm_customers_by_id() }}
)

select
    orders.order_key,
    coalesce(own.customer_key, crm_ids.customer_key, -1) as customer_key
from {{ ref('int_order__unioned') }} as orders
left join {{ ref('map_customer_identity') }} as own
    on own.source = orders.source
    and own.contact_id = orders.contact_id
left join crm_ids on crm_ids.contact_id = {{ salesforce_id('orders.contact_id') }}
