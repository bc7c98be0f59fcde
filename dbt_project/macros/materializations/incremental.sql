{#-
    Incremental models in as few statements as their strategy needs. What lives here: make the table whole, or find the
    touched keys, derive their rows into a temporary table and hand them to the strategy (macros/incremental), all in one
    transaction. Where no key is touched nothing is derived. dbt's own way looks up columns four times and plans every
    contract's query twice; a base is only ever continued by the models that built it, so what was checked when the table
    was made still holds.
-#}
{%- materialization incremental, adapter='duckdb' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if is_incremental() -%}
        {%- if is_by_touched_keys() -%}
            {%- if config.get('derives_all') -%}
                {%- set whole = make_temp_relation(target, '__whole') -%}
                {%- call statement('whole') -%}
                    create temp table {{ whole }} as (select * from {{ target }} limit 0) union all by name ({{ sql }})
                {%- endcall -%}
                {%- call statement('touched_keys', fetch_result=True) -%}{{ collect_differing_keys(whole) }}{%- endcall -%}
                {%- set sql = 'select * from ' ~ whole ~ ' where ' ~ touched_condition(this, config.require('touched_key')) -%}
            {%- else -%}
                {%- call statement('touched_keys', fetch_result=True) -%}{{ collect_touched_keys() }}{%- endcall -%}
            {%- endif -%}
            {%- set touched_keys = load_result('touched_keys')['data'][0][0] -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {%- if touched_keys == 0 -%}
                {{ record_no_keys_as_touched() }}
            {%- else -%}
                {%- set derived = make_temp_relation(target) -%}
                {#- In the order and types of the table's columns, which may be those of a contract. Made and filled in one statement:
                    DuckDB 2.0 reads a table as empty that was made and then filled by many threads in one transaction. #}
                create temp table {{ derived }} as (select * from {{ target }} limit 0) union all by name ({{ sql }});
                {%- set strategy = adapter.get_incremental_strategy_macro(context, config.require('incremental_strategy')) -%}
                {{ strategy({
                    'target_relation': target,
                    'temp_relation': derived,
                    'unique_key': none,
                    'dest_columns': [] if is_by_touched_keys() else adapter.get_columns_in_relation(target),
                    'incremental_predicates': none
                }) }}
            {%- endif -%}
        {%- endcall -%}
    {%- else -%}
        {%- call statement('main') -%}
            {{ make_table(existing, target, sql) }};
            {% if is_by_touched_keys() %}{{ record_all_keys_as_touched() }}{% endif %}
        {%- endcall -%}
        {%- do persist_docs(target, model) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{%- endmaterialization -%}

{#- Statements that make a table in place of what stands there, if anything does: nobody reads the file while it is built. -#}
{%- macro make_table(existing, target, sql) -%}
    {%- if existing is not none %}drop {{ existing.type }} {{ existing }};{% endif %}
    {{ create_table_as(false, target, sql) }}
{%- endmacro -%}
