{#- Schemas are used as written, without the target's schema in front: one project, one place. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name is not none else target.schema }}
{%- endmacro -%}
