{#-
    Customer lifetime value, all in years. What lives here: the formula (average order value x orders per year x years of
    longevity) and its parts. Not here: which orders count (fct_order), margins (seed value_parameters).

    Mixing units is the usual mistake: 70 x 4 per year x 36 months is no value; 70 x 4 x 3 years is 840.
-#}

{#- Days as years. -#}
{%- macro years(days) -%}
    (({{ days }}) / 365.25)
{%- endmacro -%}

{%- macro clv_revenue(average_order_value, orders_per_year, longevity_years) -%}
    {{ average_order_value }} * {{ orders_per_year }} * {{ longevity_years }}
{%- endmacro -%}

{#-
    How often somebody buys in a year. Of a customer who left: over the years between first and last order, unknown when
    that is one day. Of one who is here: over the years since the first order, at least one: a first order last week
    is not fifty a year.
-#}
{%- macro orders_per_year(orders, first_ordered_on, last_ordered_on, day, is_active) -%}
    case
        when {{ is_active }} then {{ orders }} / greatest(1.0, {{ years(dbt.datediff(first_ordered_on, day, 'day')) }})
        else {{ orders }} / nullif({{ years(dbt.datediff(first_ordered_on, last_ordered_on, 'day')) }}, 0)
    end
{%- endmacro -%}

{#-
    For how many years somebody stays. Of a customer who left: from first to last order, unknown when that is one day. Of one
    who is here: 1 / the share of their segment that leaves in a year; unknown while nobody left, or too few could have.
-#}
{%- macro longevity_years(first_ordered_on, last_ordered_on, is_active, left_in_a_year, could_have_left) -%}
    case
        when not {{ is_active }} then nullif({{ years(dbt.datediff(first_ordered_on, last_ordered_on, 'day')) }}, 0)
        when {{ could_have_left }} >= {{ fewest_for_churn() }} and {{ left_in_a_year }} > 0 then {{ could_have_left }} / cast({{ left_in_a_year }} as double)
    end
{%- endmacro -%}

{#- Fewest customers a yearly churn rate may be said of. -#}
{%- macro fewest_for_churn() -%} 30 {%- endmacro -%}
