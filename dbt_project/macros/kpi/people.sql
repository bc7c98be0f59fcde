{#-
    Whether there are enough people behind records, without counting them one by one. What lives here: a sketch of who is behind
    them, 63 bits of which each person sets one. Not here: how many are enough (macros/privacy/suppression.sql).

    Sketches of days add up to that of a week, and those of members to that of a pool. As many people as bits are set are there for
    sure, and never more than there are records: only where neither settles it must people be told apart. Nearly always one does,
    and telling millions of records apart is what would cost.
-#}

{#- The bit a person sets. -#}
{%- macro person_bit(respondent) -%}
    {{ return(adapter.dispatch('person_bit')(respondent)) }}
{%- endmacro -%}

{%- macro duckdb__person_bit(respondent) -%}
    cast(1 as bigint) << cast(abs({{ respondent }}) % 63 as integer)
{%- endmacro -%}

{#- Aggregate: the sketch of all together. -#}
{%- macro bits_of_people(bits) -%}
    bit_or({{ bits }})
{%- endmacro -%}

{#- Condition: there are at least so many people. -#}
{%- macro surely_people(bits, least) -%}
    bit_count({{ bits }}) >= {{ least }}
{%- endmacro -%}
