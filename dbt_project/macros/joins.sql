{#- Several columns of one relation at once. What lives here: naming them, and equality with those of another. -#}

{#- Two relations have the same values in these columns, none of which is NULL. -#}
{%- macro equal_columns(left, right, columns) -%}
    {%- for column in columns -%}
    {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}

{#- Several columns of one relation, for a select list or a grouping. -#}
{%- macro columns_of(relation, columns) -%}
    {%- for column in columns -%}
    {{ relation }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}

{#-
    A join that adds to each row of `rows`, as `name`, the newest row of `relation` with equal `columns` whose `day` is as told,
    such as '<= rows.date_day'; nothing where there is none.
-#}
{%- macro left_join_newest(relation, name, rows, columns, day, told) -%}
    {{ return(adapter.dispatch('left_join_newest')(relation, name, rows, columns, day, told)) }}
{%- endmacro -%}

{%- macro duckdb__left_join_newest(relation, name, rows, columns, day, told) -%}
    asof left join {{ relation }} as {{ name }} on {{ equal_columns(name, rows, columns) }} and {{ name }}.{{ day }} {{ told }}
{%- endmacro -%}
