{#-
    Means of scores between 0 and 1. What lives here: the mean, its 95 % interval, the floor below which a score is low. Not
    here: which scores (models/marts/journey), shares and NPS (kpi_value.sql).

    Scores are added as whole billionths, so that the order in which rows are read cannot change the last digit. Where
    a group has n scores, `total` is the sum of score_units and `squares` the sum of their squares.
-#}

{#- At or below this place on its scale a score is low, whatever the scale. -#}
{%- macro score_floor() -%} 0.4 {%- endmacro -%}

{#- A score in billionths. -#}
{%- macro score_units(score) -%}
    cast(round({{ score }} * 1000000000) as bigint)
{%- endmacro -%}

{#- The mean of n scores. -#}
{%- macro mean_value(total, n) -%}
    cast({{ total }} as double) / (1000000000.0 * nullif({{ n }}, 0))
{%- endmacro -%}

{#- One end of the interval of a mean, clipped to 0..1: mean -+ z * sd / sqrt(n). NULL for one score: it says nothing of the spread. -#}
{%- macro mean_interval_end(total, squares, n, sign) -%}
    {%- set variance = 'cast(' ~ n ~ ' * ' ~ squares ~ ' - ' ~ total ~ ' * ' ~ total ~ ' as double) / (1e18 * ' ~ n ~ ' * (' ~ n ~ ' - 1))' -%}
    case when {{ n }} >= 2 then
        greatest(0.0, least(1.0, {{ mean_value(total, n) }} {{ sign }} {{ z95() }} * sqrt({{ variance }} / {{ n }})))
    end
{%- endmacro -%}

{#- Fewest records of a cell that is shown without a warning; fewest scores that can make a peak or a trough. -#}
{%- macro n_low() -%} 30 {%- endmacro -%}

{#- How far a mean must lie from the whole journey's to be a peak or a trough. -#}
{%- macro least_score_gap() -%} 0.1 {%- endmacro -%}
