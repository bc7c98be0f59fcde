{#-
    Surrogate keys. What lives here: the one formula that turns natural keys into `*_key`. Not here: which columns are
    natural keys (each model's part).

    The first 60 bits of an md5, so positive in a bigint and the same on every engine that has md5. A NULL part makes the
    key -1, the unknown member: a fact whose natural key is missing points at "unknown" by itself.

    surrogate_key(['source', 'ticket_id'])
-#}
{%- macro surrogate_key(columns) -%}
    {{ return(adapter.dispatch('surrogate_key')(columns)) }}
{%- endmacro -%}

{%- macro duckdb__surrogate_key(columns) -%}
    {#- The unit separator keeps ('a', 'bc') apart from ('ab', 'c'). -#}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append('cast(' ~ column ~ ' as varchar)') -%}
    {%- endfor -%}
    coalesce(cast('0x' || left(md5({{ parts | join(' || chr(31) || ') }}), 15) as bigint), -1)
{%- endmacro -%}
