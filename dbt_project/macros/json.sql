{#- The text of an entry of a JSON object, whatever its name holds; NULL where there is none. -#}
{%- macro json_entry(document, name) -%}
    {{ return(adapter.dispatch('json_entry')(document, name)) }}
{%- endmacro -%}

{#- By pointer: a name with a quote in it would be no path. -#}
{%- macro duckdb__json_entry(document, name) -%}
    json_extract_string({{ document }}, '/' || replace(replace({{ name }}, '~', '~0'), '/', '~1'))
{%- endmacro -%}
