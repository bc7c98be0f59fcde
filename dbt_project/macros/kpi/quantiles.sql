{#-
    Quantiles by order statistics. What lives here: a quantile and its distribution-free 95 % interval, from one sorted
    list of a group's values. Not here: which values (models/marts/kpi).
-#}

{#- Aggregate: the values of a group, ascending; only those `where` keeps, NULL if there are none. -#}
{%- macro sorted_values(value, where='true') -%}
    {{ return(adapter.dispatch('sorted_values')(value, where)) }}
{%- endmacro -%}

{%- macro duckdb__sorted_values(value, where) -%}
    list_sort(list({{ value }}){{ ' filter (where ' ~ where ~ ')' if where != 'true' }})
{%- endmacro -%}

{#- Aggregate: the values of a group's lists together, ascending. -#}
{%- macro sorted_lists(lists) -%}
    {{ return(adapter.dispatch('sorted_lists')(lists)) }}
{%- endmacro -%}

{%- macro duckdb__sorted_lists(lists) -%}
    list_sort(flatten(list({{ lists }})))
{%- endmacro -%}

{#- Aggregate: the values of several such lists, ascending. -#}
{%- macro sorted_together(sorted_list) -%}
    {{ return(adapter.dispatch('sorted_together')(sorted_list)) }}
{%- endmacro -%}

{%- macro duckdb__sorted_together(sorted_list) -%}
    list_sort(flatten(list({{ sorted_list }})))
{%- endmacro -%}

{#-
    Aggregate: a list with these quantiles of a group's values, the same as quantile_value() but for the last bits. It only looks for the
    values at these places, where many groups are too large to be put in order.
-#}
{%- macro quantiles_of(value, quantiles) -%}
    {{ return(adapter.dispatch('quantiles_of')(value, quantiles)) }}
{%- endmacro -%}

{%- macro duckdb__quantiles_of(value, quantiles) -%}
    quantile_cont({{ value }}, {{ quantiles }})
{%- endmacro -%}

{#- The value of rank 1..n of a sorted list; NULL outside. -#}
{%- macro order_statistic(sorted_list, rank) -%}
    {{ return(adapter.dispatch('order_statistic')(sorted_list, rank)) }}
{%- endmacro -%}

{%- macro duckdb__order_statistic(sorted_list, rank) -%}
    case when {{ rank }} >= 1 then list_extract({{ sorted_list }}, cast({{ rank }} as bigint)) end
{%- endmacro -%}

{#- The quantile q of n sorted values, linear between neighbours (type 7, the default of NumPy and R). -#}
{%- macro quantile_value(sorted_list, n, q) -%}
    {%- set place = '((' ~ n ~ ' - 1) * ' ~ q ~ ' + 1)' -%}
    {%- set lower = order_statistic(sorted_list, 'floor(' ~ place ~ ')') -%}
    {%- set upper = order_statistic(sorted_list, 'ceil(' ~ place ~ ')') -%}
    {{ lower }} + ({{ place }} - floor({{ place }})) * ({{ upper }} - {{ lower }})
{%- endmacro -%}

{#-
    One end of the interval of the quantile q: an order statistic whose rank the number of values below the quantile (a
    binomial) passes with 97.5 %, by its normal approximation, rounded outwards so that the interval never covers less than
    95 % at any n. NULL when n is too small to bound it: one ticket says nothing of the spread.
-#}
{%- macro quantile_interval_end(sorted_list, n, q, sign) -%}
    {%- set rank = n ~ ' * ' ~ q ~ ' ' ~ sign ~ ' ' ~ z95() ~ ' * sqrt(' ~ n ~ ' * ' ~ q ~ ' * (1 - ' ~ q ~ '))' -%}
    {{ order_statistic(sorted_list, 'floor(' ~ rank ~ ')' if sign == '-' else '(ceil(' ~ rank ~ ') + 1)') }}
{%- endmacro -%}
