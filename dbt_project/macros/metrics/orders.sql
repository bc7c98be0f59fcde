{#- What an order is to us. What lives here: why one is no purchase. Not here: amounts (fct_order). -#}

{#- Why an order does not count as a purchase; NULL where it does. -#}
{%- macro order_exclusion(orders) -%}
    case
        when {{ orders }}.is_deleted then 'deleted'
        when {{ orders }}.status in ('open', 'lost', 'cancelled') then {{ orders }}.status
    end
{%- endmacro -%}
