{#-
    A join condition: whether a rule of the seed segments fits, every condition that is given. Amounts are compared in one
    currency only, so they need all orders of the 365 days to be in it. Not here: the rules.
-#}
{%- macro segment_rule_fits(rules, crm_segment, country, account_type, is_business, orders_365_days, net_amount_365_days, only_currency_365_days) -%}
    ({{ rules }}.crm_segment is null or lower({{ rules }}.crm_segment) = lower({{ crm_segment }}))
    and ({{ rules }}.country is null or lower({{ rules }}.country) = lower({{ country }}))
    and ({{ rules }}.account_type is null or lower({{ rules }}.account_type) = lower({{ account_type }}))
    and ({{ rules }}.is_business is null or {{ rules }}.is_business = {{ is_business }})
    and ({{ rules }}.min_orders_365_days is null or {{ rules }}.min_orders_365_days <= {{ orders_365_days }})
    and (
        {{ rules }}.min_net_amount_365_days is null
        or ({{ rules }}.currency = {{ only_currency_365_days }} and {{ rules }}.min_net_amount_365_days <= {{ net_amount_365_days }})
    )
{%- endmacro -%}
