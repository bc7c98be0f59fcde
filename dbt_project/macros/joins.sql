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
