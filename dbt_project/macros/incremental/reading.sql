{#-
    What a model reads to learn what a night touches. What lives here: the night, the new rows of a stream, the touched
    keys and the changes of another model, this model's own touched keys and the filter on them. Not here: writing them
    (strategy.sql), what time alone touches (passing_time.sql).
-#}

{#- The one-row table that says which night this is: night, as_of, previous_as_of, run_id, reporting_timezone, currency, is_stale,
    unlabelled_language, sentiment_method. -#}
{%- macro night() -%}
    {{ return(source('night', 'night')) }}
{%- endmacro -%}

{#-
    Distinct values of `columns` among the rows this night brought to a staging model, as a select statement.
    new_rows('stg_zendesk__tickets', ['_source', 'ticket_id'])
-#}
{%- macro new_rows(staging_model, columns) -%}
    select distinct {{ columns | join(', ') }} from {{ ref(staging_model) }} where _night in (select night from {{ night() }})
{%- endmacro -%}

{#-
    The table of what this night touched in another touched-keys model: its touched_key and touches columns, of the rows
    before and after. The model that reads it must also ref() that model, so that it runs later.
-#}
{%- macro touched(model_name) -%}
    {{ return(touched_relation(ref(model_name))) }}
{%- endmacro -%}

{#-
    Condition that keeps the rows of touched keys, NULL equal to NULL; `true` in a full build. The expressions stand in
    the order of the columns of touched_by. Put it where rows are read, before windows and aggregates.
    is_touched(['_source', 'ticket_id'])
-#}
{%- macro is_touched(expressions) -%}
    {%- if is_incremental() -%}
        {{ touched_condition(this, expressions) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro -%}

{#-
    The touched keys of this very model, in the columns of touched_key, as a select statement; only where is_incremental(). For what
    must be read besides the rows of those keys, such as what came after them.
-#}
{%- macro own_touched_keys() -%}
    select {% for column in config.require('touched_key') %}_k{{ loop.index }} as {{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ touched_keys_table(this) }}
{%- endmacro -%}

{#-
    What to add to sums over another model's rows, as a select statement: the rows it has more (`_weight` 1) and less (-1) than
    last night; in a full build all its rows. The other model says `keeps_changes`. Add only what adds up exactly: counts, whole
    numbers, decimals. People add up where a row is all there is of a person in a sum.
-#}
{%- macro changes_of(model_name) -%}
    {%- if is_incremental() -%}
    select * from {{ touched(model_name) }}
    {%- else -%}
    select *, 1 as _weight from {{ ref(model_name) }}
    {%- endif -%}
{%- endmacro -%}
