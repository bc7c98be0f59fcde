{#- Long join conditions. What lives here: equality of several columns of the same names. -#}

{#- Two relations have the same values in these columns, none of which is NULL. -#}
{%- macro equal_columns(left, right, columns) -%}
    {%- for column in columns -%}
    {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}
