{#-
    Seeds. What lives here: having DuckDB read a seed's file, whatever the folder is called in which it lies. Not here: the
    types of its columns, which its property file says.
-#}

{#- In place of dbt's own, which breaks off at a quote in the path. -#}
{%- macro duckdb__load_csv_rows(model, agate_table) -%}
    {%- set file = adapter.get_seed_file_path(model) | replace("'", "''") -%}
    {%- set statement = 'copy ' ~ this.render() ~ " from '" ~ file ~ "' (format csv, header true)" -%}
    {%- do adapter.add_query(statement, abridge_sql_log=True) -%}
    {{ return(statement) }}
{%- endmacro -%}
