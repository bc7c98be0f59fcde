{#-
    What an answer is worth on its question's scale, and whether it was meant. What lives here: reading numbers, labels with a number in
    front, and labels the question declares the value of; marks of tests. Not here: what the score means (survey_classes.sql).
-#}

{#-
    The score of an answer as it was written, NULL where it cannot be read. What the question declares in `recode_values`, a JSON
    object from label to number, goes before everything, because an export may hold the codes of choices; then a number; then the
    number a label begins with ("10 - Extremely likely"), if it is one of the scale and the label names no other.
-#}
{%- macro read_score(answer, scale_min, scale_max, recode_values) -%}
    {%- set in_front = 'try_cast(' ~ number_in_front(answer) ~ ' as double)' -%}
    {%- set score -%}
    coalesce(
        {{ recoded(answer, recode_values) }},
        try_cast({{ answer }} as double),
        case when {{ in_front }} between {{ scale_min }} and {{ scale_max }} then {{ in_front }} end
    )
    {%- endset -%}
    {#- An answer may be any text, and a number without bounds is no score. -#}
    case when {{ score }} between -{{ largest_score() }} and {{ largest_score() }} then {{ score }} end
{%- endmacro -%}

{#- The bounds of scores, as in contracts (quality/contract/bounds.py). -#}
{%- macro largest_score() -%} 1000000 {%- endmacro -%}

{#- Whether something was answered that is no score. -#}
{%- macro is_unread(answer, score) -%}
    coalesce(trim({{ answer }}) <> '' and {{ score }} is null, false)
{%- endmacro -%}

{#- The value declared for a label, blanks around it and its case aside; NULL without one. -#}
{%- macro recoded(answer, recode_values) -%}
    {{ return(adapter.dispatch('recoded')(answer, recode_values)) }}
{%- endmacro -%}

{%- macro duckdb__recoded(answer, recode_values) -%}
    try_cast(map_extract_value(
        try_cast(try_cast(lower(cast({{ recode_values }} as varchar)) as json) as map(varchar, varchar)), lower(trim({{ answer }}))
    ) as double)
{%- endmacro -%}

{#- The number a label begins with, as text; NULL where there is none or more digits follow. -#}
{%- macro number_in_front(answer) -%}
    {{ return(adapter.dispatch('number_in_front')(answer)) }}
{%- endmacro -%}

{%- macro duckdb__number_in_front(answer) -%}
    nullif(regexp_extract(trim({{ answer }}), '^(-?[0-9]+(?:[.][0-9]+)?)[^0-9a-zA-Z%][^0-9]*$', 1), '')
{%- endmacro -%}

{#- Whether a text has one of some words in it, in any case. -#}
{%- macro contains_word(text, words) -%}
    ({% for word in words %}lower({{ text }}) like '%{{ word }}%'{{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro -%}

{#- Whether an answer came over no channel to people, but was tried out. -#}
{%- macro is_test_channel(channel) -%}
    coalesce(lower({{ channel }}) in ('preview', 'test'), false)
{%- endmacro -%}
