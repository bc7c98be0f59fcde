{#-
    What customers were worth at the end of a month, as cases are worked by it. What lives here: amount and place. Not here: the
    amounts (fct_customer_month).
-#}

{#-
    A CTE body: the customers who had bought by the end of the months in the select statement `months`: what they had brought
    in all their life, in their own currency, and their place by it among those with the same currency, equal amounts sharing a place.
-#}
{%- macro customer_values(months) -%}
    select
        customer_key,
        month_start,
        currency as value_currency,
        cumulative_net_amount as value_amount,
        cast(rank() over (partition by month_start, currency order by cumulative_net_amount desc) as integer) as value_rank
    from {{ ref('fct_customer_month') }}
    where currency is not null and month_start in ({{ months }})
{%- endmacro -%}

{#- The month before the one an instant lies in, of which the value of a case's customer is taken. -#}
{%- macro value_month(date_key) -%}
    {{ plus_months(month_of(date_of_key(date_key)), -1) }}
{%- endmacro -%}
