{#-
    What became of one customer's recurring revenue between two years. What lives here: the parts and the two rates. Not
    here: who has a contract (fct_customer_month). start = kept + contracted + churned; end = kept + expanded.
-#}

{%- macro kept_amount(start_amount, end_amount) -%}
    greatest(0, least({{ start_amount }}, {{ end_amount }}))
{%- endmacro -%}

{%- macro expanded_amount(start_amount, end_amount) -%}
    greatest(0, {{ end_amount }} - {{ start_amount }})
{%- endmacro -%}

{%- macro contracted_amount(start_amount, end_amount) -%}
    case when {{ end_amount }} > 0 then greatest(0, {{ start_amount }} - {{ end_amount }}) else 0 end
{%- endmacro -%}

{%- macro churned_amount(start_amount, end_amount) -%}
    case when {{ end_amount }} > 0 then 0 else {{ start_amount }} end
{%- endmacro -%}

{#- Gross revenue retention in percent, never above 100: what is left without expansion. -#}
{%- macro gross_revenue_retention(start_amount, contracted, churned) -%}
    100.0 * ({{ start_amount }} - {{ contracted }} - {{ churned }}) / nullif({{ start_amount }}, 0)
{%- endmacro -%}

{#- Net revenue retention in percent: what is left with expansion, of the customers of the start only. -#}
{%- macro net_revenue_retention(start_amount, expanded, contracted, churned) -%}
    100.0 * ({{ start_amount }} + {{ expanded }} - {{ contracted }} - {{ churned }}) / nullif({{ start_amount }}, 0)
{%- endmacro -%}

{#- Months after the first order from which two years of revenue, one after the other, lie within a customer's life. -#}
{%- macro fewest_contract_months() -%} 23 {%- endmacro -%}
