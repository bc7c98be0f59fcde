{#-
    The newest version of each record. What lives here: the one rule that tells which version wins. Not here: what a
    record's columns mean (the models).

    newest_versions('stg_zendesk__tickets', key=['ticket_id'], columns=['status', 'created_at'])
    gives one row per (_source, key) among the touched records, with key and columns of the newest delivered version and
      _version_at   when its newest version came to be, a disappearance included
      is_vanished   the source no longer lists it; the columns keep what was last known
    `where` replaces the filter where a model is touched by something else than the record itself. It must keep or drop a
    record whole, all versions of it. `purge` is true of a version that only says that the record is gone, its words wiped out:
    the columns are then those of the newest other version, and `is_purged` says so.
-#}
{%- macro newest_versions(staging_model, key, columns, where=none, purge=none) -%}
    {%- set record = ['_source'] + key -%}
    {%- set newest_first = '_version_at desc, _extract_date desc, _file desc nulls last, _row desc nulls last' -%}
    select
        {{ (record + columns) | join(', ') }},
        _newest_at as _version_at,
        _deleted_at is not null and _deleted_at >= _upserted_at as is_vanished
        {%- if purge %},
        _is_purged as is_purged
        {%- endif %}
    from (
        select
            {{ (record + columns) | join(', ') }},
            _op,
            max(_version_at) over (partition by {{ record | join(', ') }}) as _newest_at,
            max(case when _op = 'delete' then _version_at end) over (partition by {{ record | join(', ') }}) as _deleted_at,
            max(case when _op = 'upsert' then _version_at end) over (partition by {{ record | join(', ') }}) as _upserted_at,
            {%- if purge %}
            first_value(coalesce({{ purge }}, false)) over (partition by {{ record | join(', ') }} order by _op desc, {{ newest_first }}) as _is_purged,
            {%- endif %}
            row_number() over (
                partition by {{ record | join(', ') }}
                order by _op desc,{% if purge %} case when {{ purge }} then 1 else 0 end,{% endif %} {{ newest_first }}
            ) as _place
        from {{ ref(staging_model) }}
        where {{ where or is_touched(record) }}
    ) as _versions
    where _place = 1 and _op = 'upsert'
{%- endmacro -%}
