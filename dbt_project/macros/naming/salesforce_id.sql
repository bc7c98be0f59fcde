{#-
    One spelling of a Salesforce id. Reports and old exports give 15 characters that differ by case, the interfaces give
    18, whose last three say which of the first 15 are capitals: so 18 that another system put in small letters, or in
    capitals, get theirs back. Anything else stays as it is, also 18 characters whose last three would make a capital of
    a digit. What lives here has its like for the register of erased people in quality/rows/ids.py.
-#}
{%- macro salesforce_id(column) -%}
    case
        when length({{ column }}) = 15 then {{ column }}{% for start in (1, 6, 11) %} || {{ salesforce_check_letter(column, start) }}{% endfor %}
        when length({{ column }}) = 18 and {{ column }} in (lower({{ column }}), upper({{ column }}))
            then coalesce({% for place in range(1, 16) %}{{ salesforce_letter(column, place) }} || {% endfor %}upper(substr({{ column }}, 16)), {{ column }})
        else {{ column }}
    end
{%- endmacro -%}

{#- The character that says which of five, from a place on, are capitals. -#}
{%- macro salesforce_check_letter(column, start) -%}
    {%- set bits = [] -%}
    {%- for place in range(5) -%}
        {%- do bits.append('case when substr(' ~ column ~ ', ' ~ (start + place) ~ ", 1) between 'A' and 'Z' then " ~ 2 ** place ~ ' else 0 end') -%}
    {%- endfor -%}
    substr('{{ salesforce_check_letters() }}', 1 + {{ bits | join(' + ') }}, 1)
{%- endmacro -%}

{#- One of the first 15 characters as the check letters say; NULL where they say nothing that can be. -#}
{%- macro salesforce_letter(column, place) -%}
    {%- set capitals, others = [], [] -%}
    {%- for letter in salesforce_check_letters() -%}
        {%- do (capitals if (loop.index0 // 2 ** ((place - 1) % 5)) % 2 else others).append(letter) -%}
    {%- endfor -%}
    {%- set character = 'substr(' ~ column ~ ', ' ~ place ~ ', 1)' -%}
    {%- set check = 'upper(substr(' ~ column ~ ', ' ~ (16 + (place - 1) // 5) ~ ', 1))' -%}
    case
        when {{ check }} in ('{{ others | join("', '") }}') then lower({{ character }})
        when {{ check }} in ('{{ capitals | join("', '") }}') and upper({{ character }}) between 'A' and 'Z' then upper({{ character }})
    end
{%- endmacro -%}

{%- macro salesforce_check_letters() -%}ABCDEFGHIJKLMNOPQRSTUVWXYZ012345{%- endmacro -%}
