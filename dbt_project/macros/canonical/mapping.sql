{#-
    From a vendor's words to ours. What lives here: what every mapping (int_<object>__<system>, beside the staging models of the
    system) says of a version, the union of all mappings of an object, and who told of a record. Not here: which mappings there are, and
    of which streams (mappings.sql, mapped_streams.sql, written by orchestration/company/source_tables.py), which version is the newest
    (incremental/versions.sql).

    A mapping has one row per delivered version of a record, disappearances included (`_op`), in the columns of its object by name; it
    leaves out what its system does not tell. int_<object>__version holds the columns and types of the object, and refuses others.
-#}

{#-
    Where a version came from and when: the columns every mapping ends with. `relation` is what they are read from where there are
    several, `source` what that calls the installation.
-#}
{%- macro version_columns(relation=none, source='_source') -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    {{ of }}{{ 'source' if source == 'source' else source ~ ' as source' }}
    {%- for column in ['_night', '_op', '_version_at', '_extract_date', '_file', '_row'] %},
    {{ of }}{{ column }}
    {%- endfor %}
{%- endmacro -%}

{#- All versions of an object's records in every system, with the system. -#}
{%- macro all_versions(object) -%}
    {%- for system in mappings()[object] %}
    select '{{ system }}' as system, * from {{ ref('int_' ~ object ~ '__' ~ system) }}
    {{ 'union all by name' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}

{#- SQL of the stream that told of a record of an object, by the column that holds its system. -#}
{%- macro stream_of(object, system) -%}
    case {{ system }}
            {%- for name, stream in mapped_streams()[object].items() %}
            when '{{ name }}' then '{{ stream }}'
            {%- endfor %}
        end
{%- endmacro -%}

{#-
    The same of a record that is put together of several, as last known: a mapping that is a table, by touched keys. What it touches, its
    object's models read there (new_versions).
-#}
{%- macro assembled_columns(version_at, source='_source') -%}
    {{ source }} as source,
    cast(null as bigint) as _night,
    'upsert' as _op,
    {{ version_at }} as _version_at,
    cast(null as date) as _extract_date,
    cast(null as varchar) as _file,
    cast(null as bigint) as _row
{%- endmacro -%}

{#- Distinct values of `columns` among the versions of an object this night brought or put together, as a select statement. -#}
{%- macro new_versions(object, columns) -%}
    {{ new_rows('int_' ~ object ~ '__version', columns) }}
    {%- for mapping in assembled_mappings(object) %}
    union select {{ columns | join(', ') }} from {{ touched_relation(mapping) }}
    {%- endfor %}
{%- endmacro -%}

{#- The mappings of an object that are tables by touched keys rather than views of versions; int_<object>__version reads them all. -#}
{%- macro assembled_mappings(object) -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for system in mappings()[object] -%}
            {%- set node = graph.nodes['model.' ~ project_name ~ '.int_' ~ object ~ '__' ~ system] -%}
            {%- if node.config.materialized == 'incremental' -%}
                {%- do found.append(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro -%}

{#- The same of a question no extract describes: it stands from the beginning, and a night brings it with its first answers. -#}
{%- macro undelivered_question_columns() -%}
    false as is_deleted,
    cast('1970-01-01' as timestamptz) as updated_at,
    _source as source,
    min(_night) as _night,
    'upsert' as _op,
    cast('1970-01-01' as timestamptz) as _version_at,
    cast(null as date) as _extract_date,
    cast(null as varchar) as _file,
    cast(null as bigint) as _row
{%- endmacro -%}
