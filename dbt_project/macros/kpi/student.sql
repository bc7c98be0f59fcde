{#-
    How much wider an interval is whose spread is itself estimated from few answers. What lives here: the quantile of Student's t of
    a two-sided 95 % interval. Not here: intervals (kpi_value.sql, differences.sql).
-#}

{#- Standard normal quantile of a two-sided 95 % interval. -#}
{%- macro z95() -%} 1.959964 {%- endmacro -%}

{#-
    The quantile of t of 1 or more degrees of freedom: the table up to 30, as anywhere, and beyond it the expansion around the
    normal one, good to five digits.
-#}
{%- macro t95(df) -%}
    {%- set table = [
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
        2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
        2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272
    ] -%}
    case
        {%- for quantile in table %}
        when {{ df }} = {{ loop.index }} then {{ quantile }}
        {%- endfor %}
        when {{ df }} > {{ table | length }} then
            {{ z95() }} + 2.372271 / ({{ df }}) + 2.822499 / power({{ df }}, 2) + 2.555850 / power({{ df }}, 3)
    end
{%- endmacro -%}
