{#-
    The incremental strategy `touched_keys`: find the keys the night's batches touch, derive just those again from all
    their rows, replace them. What lives here: its four moments (collect, filter, replace, record). Not here: what models
    read (reading.sql).

    A model says, in config():
      touched_key  columns of the model that are replaced as one (a list)
      touched_by   select of the touched keys, columns in the order of touched_key; rendered when the model runs
      touches      more columns that models downstream ask for (optional), such as the day or the customer a row counts for
      keeps_changes  models downstream add up what changes here (optional): they are given whole rows
      derived_alone  false: the rows of a key are right only beside those of other keys that its touched_by names with it, so a
                   few keys by themselves cannot be derived anew to compare them (orchestration/dbt/shadow.py)
      derives_all  in place of touched_by, where nobody can say before what will differ: everything is derived, compared with what
                   stands, and what differs is touched

    One transaction replaces the rows and writes `_touched.<model>`, in the model's own database because DuckDB writes to
    one database per transaction. It holds the distinct touched_key and touches columns of the rows that differ before
    and after: a row that vanished or moved is seen from both sides, one that came out as it was is not seen at all, so
    what changed nothing here costs nothing downstream. Of a model that `keeps_changes` it holds those rows themselves, with the
    column `_weight`: how often a row is there more (1) or less (-1) than before.
-#}

{#- Where a model's touched keys are written. -#}
{%- macro touched_relation(relation) -%}
    {{ return(relation.incorporate(path={'schema': '_touched'})) }}
{%- endmacro -%}

{#- The temporary table that holds a running model's touched keys: columns _k1, _k2, ... -#}
{%- macro touched_keys_table(relation) -%}
    {{ return('temp."_touched_keys__' ~ relation.identifier ~ '"') }}
{%- endmacro -%}

{%- macro touched_condition(relation, expressions) -%}
    {#- DuckDB plans this as a semi-join that skips whole row groups; the names _k1, _k2 cannot capture a model's columns. -#}
    exists (
        select 1 from {{ touched_keys_table(relation) }} as _keys
        where {% for expression in expressions %}_keys._k{{ loop.index }} is not distinct from {{ expression }}{{ ' and ' if not loop.last }}{% endfor %}
    )
{%- endmacro -%}

{%- macro is_by_touched_keys() -%}
    {{ return(config.get('incremental_strategy') == 'touched_keys') }}
{%- endmacro -%}

{%- macro keeps_changes() -%}
    {{ return(config.get('keeps_changes', false)) }}
{%- endmacro -%}

{%- macro columns_to_record() -%}
    {{ return((config.require('touched_key') + config.get('touches', [])) | unique | list) }}
{%- endmacro -%}

{#- Before the model's rows are derived: its touched keys; the statement says how many there are. -#}
{%- macro collect_touched_keys() -%}
    {%- set names = [] -%}
    {%- for column in config.require('touched_key') -%}{%- do names.append('_k' ~ loop.index) -%}{%- endfor -%}
    create or replace temp table {{ touched_keys_table(this) }} as
    select distinct {{ names | join(', ') }} from ({{ render(config.require('touched_by')) }}) as _touched_by ({{ names | join(', ') }})
{%- endmacro -%}

{#- The same of a model that derives everything: the keys of what differs from `derived`. -#}
{%- macro collect_differing_keys(derived) -%}
    create or replace temp table {{ touched_keys_table(this) }} as
    select distinct {% for column in config.require('touched_key') %}{{ column }} as _k{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %} from (
        {{ differing_rows('select * from ' ~ this, 'select * from ' ~ derived) }}
    ) as differing
{%- endmacro -%}

{#-
    A select statement: the rows that are more often in `after` (`_weight` 1 and more) or in `before` (-1 and less). Rows that are the same
    before and after cancel out; counted in one pass, where two `except all` would number the rows of both first.
-#}
{%- macro differing_rows(before, after) -%}
    select * exclude (_weight), cast(sum(_weight) as integer) as _weight
    from (
        select *, -1 as _weight from ({{ before }}) as rows_before
        union all
        select *, 1 from ({{ after }}) as rows_after
    ) as before_and_after
    group by all
    having sum(_weight) <> 0
{%- endmacro -%}

{#- The strategy itself: `temp_relation` holds the rows derived again, its columns those of the target. -#}
{%- macro get_incremental_touched_keys_sql(arg_dict) -%}
    {%- set target_relation = arg_dict['target_relation'] -%}
    {%- set key = config.require('touched_key') -%}
    create or replace table {{ touched_relation(target_relation) }} as
    with changes as (
        {{ differing_rows(
            'select * from ' ~ target_relation ~ ' where ' ~ touched_condition(target_relation, key),
            'select * from ' ~ arg_dict['temp_relation']
        ) }}
    )
    select {{ '*' if keeps_changes() else 'distinct ' ~ columns_to_record() | join(', ') }} from changes;
    delete from {{ target_relation }} where {{ touched_condition(target_relation, key) }};
    {#- A row outside the touched keys would be there twice: the model forgot is_touched(), so stop. #}
    insert into {{ target_relation }}
    select * from {{ arg_dict['temp_relation'] }}
    where case when {{ touched_condition(target_relation, key) }} then true
        else error('{{ target_relation.identifier }} returned a row whose {{ key | join(', ') }} is not touched: filter it with is_touched()') end;
{%- endmacro -%}

{#- A night that touches nothing here. -#}
{%- macro record_no_keys_as_touched() -%}
    create or replace table {{ touched_relation(this) }} as
    select {{ '*, 1 as _weight' if keeps_changes() else columns_to_record() | join(', ') }} from {{ this }} limit 0
{%- endmacro -%}

{#- After a full build: everything is touched. Whoever adds up changes then reads the model itself (changes_of), so these are not copied. -#}
{%- macro record_all_keys_as_touched() -%}
    {%- if keeps_changes() -%}
    drop table if exists {{ touched_relation(this) }}
    {%- else -%}
    create or replace table {{ touched_relation(this) }} as select distinct {{ columns_to_record() | join(', ') }} from {{ this }}
    {%- endif -%}
{%- endmacro -%}
