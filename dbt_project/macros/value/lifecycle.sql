{#-
    Whether a customer is with us. What lives here: the one rule of activity, and the states that follow from it. Not
    here: counting the active ones (mart_kpi_daily, mart_customer_value).
-#}

{#-
    The first day on which an order keeps its customer active no longer: the same day a year later, because nobody cancels a shop, and
    who buys once a year buys 366 days apart when a leap day lies between. Of 29 February it is 28 February.
-#}
{%- macro active_until(ordered_on) -%}
    cast({{ dbt.dateadd('year', 1, ordered_on) }} as date)
{%- endmacro -%}

{#- How far back retention looks for the customers it follows. -#}
{%- macro retention_days() -%} 90 {%- endmacro -%}

{#- Whether somebody whose last counted order up to `day` lay on `last_ordered_on` is active on it; false without an order. -#}
{%- macro is_active_on(last_ordered_on, day) -%}
    coalesce({{ active_until(last_ordered_on) }} > {{ day }}, false)
{%- endmacro -%}

{#-
    The state of a customer at the end of a month. `bought` says whether they bought in it, `was_active` whether they were
    active at the end of the month before. Somebody who bought before they were known is still new in the month of their
    first order ever.
-#}
{%- macro lifecycle_state(has_ever_bought, bought, bought_before, is_active, was_active) -%}
    case
        when not {{ has_ever_bought }} then 'prospect'
        when {{ bought }} and not {{ bought_before }} then 'new'
        when {{ bought }} and {{ was_active }} then 'returning'
        when {{ bought }} then 'resurrected'
        when {{ is_active }} then 'active'
        when {{ was_active }} then 'churned'
        else 'dormant'
    end
{%- endmacro -%}
