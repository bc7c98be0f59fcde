{#-
    One spelling of a Salesforce id. Reports and old exports give 15 characters that differ by case, the interfaces give
    18, whose last three say which of the first 15 are capitals. Anything that is not 15 characters long stays as it is.
-#}
{%- macro salesforce_id(column) -%}
    {%- set chunks = [] -%}
    {%- for start in (1, 6, 11) -%}
        {%- set bits = [] -%}
        {%- for place in range(5) -%}
            {%- do bits.append('case when substr(' ~ column ~ ', ' ~ (start + place) ~ ", 1) between 'A' and 'Z' then " ~ 2 ** place ~ ' else 0 end') -%}
        {%- endfor -%}
        {%- do chunks.append("substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + " ~ bits | join(' + ') ~ ', 1)') -%}
    {%- endfor -%}
    case when length({{ column }}) = 15 then {{ column }} || {{ chunks | join(' || ') }} else {{ column }} end
{%- endmacro -%}
