{#-
    Tables in one statement. What lives here: a table made whole, for models of kind `table` and for the first night of
    incremental ones. dbt's own way (create beside, rename, rename, drop) gives nothing here: nobody reads the file while
    it is built.
-#}
{%- materialization table, adapter='duckdb' -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}{{ make_table(load_cached_relation(this), target, sql) }}{%- endcall -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{%- endmaterialization -%}

{#- Statements that make a table in place of what stands there, if anything does. -#}
{%- macro make_table(existing, target, sql) -%}
    {%- if existing is not none %}drop {{ existing.type }} {{ existing }};{% endif %}
    {{ create_table_as(false, target, sql) }}
{%- endmacro -%}
