{#-
    Incremental models in as few statements as their strategy needs. What lives here: create the table whole, or derive
    rows into a temporary table and hand them to the strategy (macros/incremental). dbt's own way looks up columns four
    times and plans every contract's query twice; a base is only ever continued by the models that built it, so what was
    checked when the table was made still holds. Nobody reads the file while it is built, so nothing is swapped either.
-#}
{%- materialization incremental, adapter='duckdb' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if is_incremental() -%}
        {%- set derived = make_temp_relation(target) -%}
        {%- do run_query('create or replace temp table ' ~ derived ~ ' as (' ~ sql ~ ')') -%}
        {%- set strategy = adapter.get_incremental_strategy_macro(context, config.require('incremental_strategy')) -%}
        {%- call statement('main') -%}
            {{ strategy({
                'target_relation': target,
                'temp_relation': derived,
                'unique_key': none,
                'dest_columns': adapter.get_columns_in_relation(target),
                'incremental_predicates': none
            }) }}
        {%- endcall -%}
    {%- else -%}
        {%- if existing is not none -%}{%- do drop_relation_if_exists(existing) -%}{%- endif -%}
        {%- call statement('main') -%}{{ create_table_as(false, target, sql) }}{%- endcall -%}
        {%- do persist_docs(target, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{%- endmaterialization -%}
