{#-
    The newest version of each record. What lives here: the one rule that tells which version wins. Not here: what a
    record's columns mean (the models).

    newest_versions('stg_zendesk__tickets', key=['ticket_id'], columns=['status', 'created_at'])
    gives one row per (_source, key) among the touched records, with key and columns of the newest delivered version and
      _version_at   when its newest version came to be, a disappearance included
      is_vanished   the source no longer lists it; the columns keep what was last known
    `where` replaces the filter where a model is touched by something else than the record itself. It must keep or drop a
    record whole, all versions of it.
-#}
{%- macro newest_versions(staging_model, key, columns, where=none) -%}
    {%- set record = ['_source'] + key -%}
    select
        {{ (record + columns) | join(', ') }},
        _newest_at as _version_at,
        _deleted_at is not null and _deleted_at >= _upserted_at as is_vanished
    from (
        select
            {{ (record + columns) | join(', ') }},
            _op,
            max(_version_at) over (partition by {{ record | join(', ') }}) as _newest_at,
            max(case when _op = 'delete' then _version_at end) over (partition by {{ record | join(', ') }}) as _deleted_at,
            max(case when _op = 'upsert' then _version_at end) over (partition by {{ record | join(', ') }}) as _upserted_at,
            row_number() over (
                partition by {{ record | join(', ') }}
                order by _op desc, _version_at desc, _extract_date desc, _file desc nulls last, _row desc nulls last
            ) as _place
        from {{ ref(staging_model) }}
        where {{ where or is_touched(record) }}
    ) as _versions
    where _place = 1 and _op = 'upsert'
{%- endmacro -%}
