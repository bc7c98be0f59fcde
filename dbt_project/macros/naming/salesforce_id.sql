{#-
    One spelling of a Salesforce id. Reports and old exports give 15 characters that differ by case, the interfaces give
    18, whose last three say which of the first 15 are capitals: so 18 that another system put in small letters, or in
    capitals, get theirs back. Anything else stays as it is, also 18 characters whose last three would make a capital of
    a digit. What lives here has its like for the register of erased people in quality/rows/ids.py.

    Lists keep it short: spelled out letter by letter it took longer to plan than all the rest of the models that read such ids.
-#}
{%- macro salesforce_id(column) -%}
    {{ return(adapter.dispatch('salesforce_id')(column)) }}
{%- endmacro -%}

{%- macro duckdb__salesforce_id(column) -%}
    case
        when length({{ column }}) = 15 then {{ column }} || {{ salesforce_check_letters_of(column) }}
        when length({{ column }}) = 18 and {{ column }} in (lower({{ column }}), upper({{ column }})) then case
            when {{ has_its_capitals(column) }} then {{ column }}
            else coalesce({{ salesforce_letters(column) }} || upper(substr({{ column }}, 16)), {{ column }})
        end
        else {{ column }}
    end
{%- endmacro -%}

{#- A select statement: every spelling that salesforce_id() makes one with one of the ids `column` of `relation`, and maybe others. -#}
{%- macro salesforce_id_spellings(column, relation) -%}
    {{ return(adapter.dispatch('salesforce_id_spellings')(column, relation)) }}
{%- endmacro -%}

{%- macro duckdb__salesforce_id_spellings(column, relation) -%}
    select unnest([id, left(id, 15), lower(id), upper(id)])
    from (select {{ salesforce_id(column) }} as id from {{ relation }}) as spelled
{%- endmacro -%}

{#-
    Condition: 18 characters without a small letter whose last three say just this, so that nothing is to be put right. Letter by letter takes
    ten times as long, and many an id is like this. Capitals are told from digits by one bit of their byte: those of all 15 characters at
    once are compared with those that the last three stand for. A CASE, because other than ASCII has other bytes.
-#}
{%- macro has_its_capitals(column) -%}
    {%- set capitals, bits = [], [] -%}
    {%- for check in range(32) -%}
        {%- for place in range(5) -%}{%- do bits.append('01000000' if (check // 2 ** place) % 2 else '00000000') -%}{%- endfor -%}
    {%- endfor -%}
    {%- for letter in range(16, 19) -%}
        {%- set check = "strpos('" ~ salesforce_check_letters() ~ "', substr(" ~ column ~ ", " ~ letter ~ ", 1))" -%}
        {%- do capitals.append("substr('" ~ bits | join ~ "', 40 * " ~ check ~ " - 39, 40)") -%}
    {%- endfor -%}
    case
        when strlen({{ column }}) = 18 and {{ column }} = upper({{ column }})
            then cast(cast(encode(left({{ column }}, 15)) as bit) & cast('{{ '01000000' * 15 }}' as bit) as varchar) = {{ capitals | join(' || ') }}
        else false
    end
{%- endmacro -%}

{#- The three characters that say which of five each are capitals, the first of the five by the lowest bit. -#}
{%- macro salesforce_check_letters_of(column) -%}
    array_to_string(list_transform([1, 6, 11], lambda start: substr('{{ salesforce_check_letters() }}', 1 + cast(list_sum(list_transform(
        range(5), lambda place: case when substr({{ column }}, start + place, 1) between 'A' and 'Z' then 1 << place else 0 end
    )) as bigint), 1)), '')
{%- endmacro -%}

{#- The first 15 characters as the check letters say; NULL where one of them says nothing that can be. -#}
{%- macro salesforce_letters(column) -%}
    list_reduce(list_transform(range(15), lambda place: case
        when strpos('{{ salesforce_check_letters() }}', upper(substr({{ column }}, 16 + place // 5, 1))) = 0 then null
        when ((strpos('{{ salesforce_check_letters() }}', upper(substr({{ column }}, 16 + place // 5, 1))) - 1) >> (place % 5)) % 2 = 0
            then lower(substr({{ column }}, 1 + place, 1))
        when upper(substr({{ column }}, 1 + place, 1)) between 'A' and 'Z' then upper(substr({{ column }}, 1 + place, 1))
    end), lambda text, letter: text || letter)
{%- endmacro -%}

{%- macro salesforce_check_letters() -%}ABCDEFGHIJKLMNOPQRSTUVWXYZ012345{%- endmacro -%}
