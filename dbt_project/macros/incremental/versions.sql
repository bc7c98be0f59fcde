{#-
    The newest version of each record. What lives here: the one rule that tells which version wins. Not here: what a
    record's columns mean (the models).

    newest_versions('int_ticket__version', key=['source', 'ticket_id'], columns=['status', 'created_at'])
    gives one row per key among the touched records, with key and columns of the newest delivered version and
      _version_at   when its newest version came to be, a disappearance included
      is_vanished   the source no longer lists it; the columns keep what was last known
    `where` replaces the filter where a model is touched by something else than the record itself. It must keep or drop a
    record whole, all versions of it. `tombstone` is not NULL of a version that only says that the record is gone, its words wiped
    out: the columns are then those of the newest other version, and `tombstone` what the newest version says.
-#}
{%- macro newest_versions(model, key, columns, where=none, tombstone=none) -%}
    {%- set newest_first = '_version_at desc, _extract_date desc, _file desc nulls last, _row desc nulls last' -%}
    {%- set by_record = 'partition by ' ~ key | join(', ') -%}
    select
        {{ (key + columns) | join(', ') }},
        _newest_at as _version_at,
        _deleted_at is not null and _deleted_at >= _upserted_at as is_vanished
        {%- if tombstone %},
        _tombstone as tombstone
        {%- endif %}
    from (
        select
            {{ (key + columns) | join(', ') }},
            _op,
            max(_version_at) over ({{ by_record }}) as _newest_at,
            max(case when _op = 'delete' then _version_at end) over ({{ by_record }}) as _deleted_at,
            max(case when _op = 'upsert' then _version_at end) over ({{ by_record }}) as _upserted_at,
            {%- if tombstone %}
            first_value({{ tombstone }}) over ({{ by_record }} order by _op desc, {{ newest_first }}) as _tombstone,
            {%- endif %}
            row_number() over (
                {{ by_record }}
                order by _op desc,{% if tombstone %} case when {{ tombstone }} is not null then 1 else 0 end,{% endif %} {{ newest_first }}
            ) as _place
        from {{ ref(model) }}
        where {{ where or is_touched(key) }}
    ) as _versions
    where _place = 1 and _op = 'upsert'
{%- endmacro -%}
