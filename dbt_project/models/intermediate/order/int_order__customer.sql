{#-
    Whose each order is, and why it is nobody's. What lives here: the way from an order to its customer. Not here: who is one customer
    (map_customer_identity).

    An order that names only an account is that of the one customer the account had when it was placed, else of the first
    it had after. People who come or leave later thus change no order of the past. Of several nobody knows who bought.
-#}
{{ config(
    touched_key=['order_key'],
    touches=['customer_key'],
    touched_by="
        with contacts as (
            {{ new_versions('contact', ['source', 'contact_id']) }}
            union
            select source, contact_id from {{ touched('map_customer_identity') }}
        )
        select order_key from {{ touched('int_order__unioned') }}
        union
        select order_key from {{ ref('int_order__unioned') }}
        where contact_id in ({{ salesforce_id_spellings('contact_id', touched('map_customer_identity')) }})
        union
        select orders.order_key
        from contacts
        inner join {{ ref('int_contact__version') }} as versions
            on versions.source = contacts.source
            and versions.contact_id = contacts.contact_id
        inner join {{ ref('int_order__unioned') }} as orders
            on orders.source = versions.source
            and orders.account_id = versions.account_id
        where orders.contact_id is null
    "
) }}

with orders as (
    select order_key, source, contact_id, account_id, ordered_at
    from {{ ref('int_order__unioned') }}
    where {{ is_touched(['order_key']) }}
),

crm_ids as (
    {{ crm_customers_by_id('orders', 'contact_id') }}
),

account_contacts as (
    select source, contact_id, account_id, min(coalesce(created_at, _version_at)) as known_at
    from {{ ref('int_contact__version') }}
    where
        _op = 'upsert'
        and account_id is not null
        and (source, account_id) in (select source, account_id from orders where contact_id is null and account_id is not null)
    group by source, contact_id, account_id
),

account_customers as (
    select
        contacts.source,
        contacts.account_id,
        owners.customer_key,
        min(contacts.known_at) as known_at
    from account_contacts as contacts
    inner join {{ ref('map_customer_identity') }} as owners
        on owners.source = contacts.source
        and owners.contact_id = contacts.contact_id
    where owners.customer_key <> -1
    group by contacts.source, contacts.account_id, owners.customer_key
),

order_customers as (
    select order_key, customer_key, known_by_then
    from (
        select
            orders.order_key,
            customers.customer_key,
            sum(case when customers.known_at <= orders.ordered_at then 1 else 0 end) over (partition by orders.order_key) as known_by_then,
            row_number() over (partition by orders.order_key order by customers.known_at, customers.customer_key) as place
        from orders
        inner join account_customers as customers
            on customers.source = orders.source
            and customers.account_id = orders.account_id
        where orders.contact_id is null
    ) as ranked
    where place = 1
),

found as (
    select
        orders.order_key,
        orders.contact_id,
        orders.account_id,
        order_customers.known_by_then,
        coalesce(
            own.customer_key,
            crm_ids.customer_key,
            case when order_customers.known_by_then <= 1 then order_customers.customer_key end,
            -1
        ) as customer_key
    from orders
    left join {{ ref('map_customer_identity') }} as own
        on own.source = orders.source
        and own.contact_id = orders.contact_id
    left join crm_ids on crm_ids.contact_id = orders.contact_id
    left join order_customers on order_customers.order_key = orders.order_key
)

select
    order_key,
    customer_key,
    case
        when customer_key <> -1 then null
        when contact_id is not null then 'unknown_contact'
        when account_id is null then 'names_nobody'
        when known_by_then > 1 then 'account_of_several'
        else 'account_of_nobody'
    end as no_customer_reason
from found
