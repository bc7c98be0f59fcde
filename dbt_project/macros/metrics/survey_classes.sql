{#-
    What one answer means. What lives here: the classes of NPS, CSAT and CES answers and the place of a score on its
    scale. Not here: what an answer in words is worth (answer_scores.sql), which answers count (fct_survey_answer), what many
    answers make together (kpi_value.sql).
-#}

{#- promoter 9-10, passive 7-8, detractor 0-6. Only for answers on 0-10; other scales are refused, never rescaled. -#}
{%- macro nps_class(score) -%}
    case when {{ score }} >= 9 then 'promoter' when {{ score }} >= 7 then 'passive' when {{ score }} >= 0 then 'detractor' end
{%- endmacro -%}

{#-
    The good end of a question's scale: what is declared, else what follows from the question. That of NPS is part of its
    definition, positive values lie on the good side, and satisfaction is high when people are satisfied. Effort has none of its
    own: 7 may be easy or hard, so it stays NULL.
-#}
{%- macro known_direction(metric, declared, scale_min, scale_max, positive_values) -%}
    {%- set side = '2 * ' ~ mean_of_list(positive_values) ~ ' - (' ~ scale_min ~ ' + ' ~ scale_max ~ ')' -%}
    case
        when {{ declared }} is not null then {{ declared }}
        when {{ metric }} in ('nps', 'enps') then 'high_is_good'
        when {{ side }} > 0 then 'high_is_good'
        when {{ side }} < 0 then 'low_is_good'
        when {{ metric }} = 'csat' then 'high_is_good'
    end
{%- endmacro -%}

{#- A score with its scale turned so that high is good; NULL where nobody knows which end is. -#}
{%- macro high_is_good(score, scale_min, scale_max, scale_direction) -%}
    case {{ scale_direction }} when 'low_is_good' then {{ scale_min }} + {{ scale_max }} - {{ score }} when 'high_is_good' then {{ score }} end
{%- endmacro -%}

{#- A score's place on its scale, 0 (bad) to 1 (good). -#}
{%- macro score_norm(score, scale_min, scale_max, scale_direction) -%}
    ({{ high_is_good(score, scale_min, scale_max, scale_direction) }} - {{ scale_min }}) / nullif({{ scale_max }} - {{ scale_min }}, 0)
{%- endmacro -%}

{#- A metric and its scale in words, such as csat 1-5: what may be averaged together. -#}
{%- macro score_scale(metric, scale_min, scale_max) -%}
    {{ metric }} || ' ' || {{ plain_number(scale_min) }} || '-' || {{ plain_number(scale_max) }}
{%- endmacro -%}

{#- A number as people write it: 5, not 5.0. -#}
{%- macro plain_number(number) -%}
    case when {{ number }} = floor({{ number }}) then cast(cast({{ number }} as bigint) as varchar) else cast({{ number }} as varchar) end
{%- endmacro -%}

{#-
    The lowest answer, scale turned so that high is good, that is positive where a question names no positive values:
    CSAT 1 of 0-1, 3 of 1-3, 4-5 of 1-5, 6-7 of 1-7; CES 4-5 of 1-5, 5-7 of 1-7. NULL on any other scale.
-#}
{%- macro lowest_positive(metric, scale_min, scale_max) -%}
    case
        when {{ scale_min }} = 0 and {{ scale_max }} = 1 then 1
        when {{ scale_min }} = 1 and {{ scale_max }} = 3 then 3
        when {{ scale_min }} = 1 and {{ scale_max }} = 5 then 4
        when {{ scale_min }} = 1 and {{ scale_max }} = 7 and {{ metric }} = 'ces' then 5
        when {{ scale_min }} = 1 and {{ scale_max }} = 7 then 6
    end
{%- endmacro -%}

{#-
    The class of an answer that counts: that of NPS, or positive (by the question's own list of values where it has one), neutral
    in the upper half of the scale, negative below. `good_score` is the score with its scale turned so that high is good.
-#}
{%- macro answer_class(metric, score, scale_min, scale_max, positive_values, good_score, lowest_positive) -%}
    case
        when {{ metric }} in ('nps', 'enps') then {{ nps_class(score) }}
        when coalesce({{ is_listed(score, positive_values) }}, {{ good_score }} >= {{ lowest_positive }}) then 'positive'
        when {{ good_score }} * 2 >= {{ scale_min }} + {{ scale_max }} then 'neutral'
        else 'negative'
    end
{%- endmacro -%}

{#- Classes of answers that tell of a disappointment. -#}
{%- macro is_low_class(answer_class) -%}
    {{ answer_class }} in ('detractor', 'negative')
{%- endmacro -%}

{#- Whether a score is one of a JSON list of numbers; NULL when there is no list. -#}
{%- macro is_listed(score, json_list) -%}
    {{ return(adapter.dispatch('is_listed')(score, json_list)) }}
{%- endmacro -%}

{%- macro duckdb__is_listed(score, json_list) -%}
    list_contains(try_cast({{ json_list }} as double[]), {{ score }})
{%- endmacro -%}

{#- The mean of a JSON list of numbers; NULL when there is no list, or none of numbers. -#}
{%- macro mean_of_list(json_list) -%}
    {{ return(adapter.dispatch('mean_of_list')(json_list)) }}
{%- endmacro -%}

{%- macro duckdb__mean_of_list(json_list) -%}
    list_avg(try_cast({{ json_list }} as double[]))
{%- endmacro -%}
