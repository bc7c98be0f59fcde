{#-
    Tables that an engine made (engine in company.yml). What lives here: having a model's table hold what the engine wrote of
    it, in the types the model has here. Not here: making it (orchestration/engine).
-#}

{#- The folder of what the engine made, seen from the build; empty where no engine is. -#}
{%- macro engine_tables() -%}{{ return(env_var('JOURNEYMART_ENGINE_TABLES', '')) }}{%- endmacro -%}

{#- In place of dbt's own: where an engine made the models, what it wrote; the model's select says the columns' types only. -#}
{%- macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- if engine_tables() -%}
        {%- set columns = [] -%}
        {%- for column in run_query('describe ' ~ compiled_code).rows -%}
            {%- set name = adapter.quote(column[0]) -%}
            {%- do columns.append('cast(' ~ name ~ ' as ' ~ column[1] ~ ') as ' ~ name) -%}
        {%- endfor -%}
        {%- set files = engine_tables() ~ '/' ~ this.schema ~ '__' ~ this.identifier ~ '/*.parquet' -%}
        {%- set compiled_code = 'select ' ~ columns | join(', ') ~ " from read_parquet('" ~ files ~ "')" -%}
    {%- endif -%}
    {{ return(dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by)) }}
{%- endmacro -%}
