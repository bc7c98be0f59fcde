{#-
    Means. What lives here: the mean of what was added up in whole units, its spread, its 95 % interval, the floor below which
    a score is low. Not here: which records (models), shares and NPS (kpi_value.sql).

    What is averaged is added in whole units (cents, millionths, billionths), and so are its squares: equal values then have no
    spread at all, and the order in which rows are read cannot change the last digit. `total` is the sum of n values in units,
    `squares` that of their squares, both decimal(38, 0).

    A place on a scale lies between 0 and `top`, in units. Few answers may be alike by luck, so one answer at either end of the
    scale is added to them, as for shares (differences.sql): the interval is never without width, and no end of the scale is
    certain after a handful of answers. What has no scale, such as an amount, has an interval of its own spread only; where all
    are alike, or there is one, nothing bounds the next and there is none. Both take t, not z.
-#}

{#- At or below this place on its scale a score is low, whatever the scale. -#}
{%- macro score_floor() -%} 0.4 {%- endmacro -%}

{#- Units of a score between 0 and 1, and a score in them. -#}
{%- macro units_per_score() -%} 1000000000 {%- endmacro -%}

{%- macro score_units(score) -%}
    cast(round({{ score }} * {{ units_per_score() }}) as bigint)
{%- endmacro -%}

{#- Units per one of what a KPI averages: amounts are cents; places on a scale, in percent, millionths. -#}
{%- macro units_per_one(kpis) -%}
    case when {{ kpis }}.unit = 'currency' then 100 else 1000000 end
{%- endmacro -%}

{#- The sum of whole units, and that of their squares. -#}
{%- macro sum_of_units(units) -%}
    cast(sum({{ units }}) as decimal(38, 0))
{%- endmacro -%}

{%- macro sum_of_squares(units) -%}
    sum(cast({{ units }} as decimal(19, 0)) * cast({{ units }} as decimal(19, 0)))
{%- endmacro -%}

{#- The mean of n scores between 0 and 1. -#}
{%- macro mean_value(total, n) -%}
    cast({{ total }} as double) / ({{ units_per_score() }}.0 * nullif({{ n }}, 0))
{%- endmacro -%}

{#-
    The sum of squared deviations from the mean, in squared units. Deviations from a whole number near the mean are added
    exactly; what the mean lies beside it is a fraction, taken off at the end.
-#}
{%- macro squared_deviations(total, squares, n) -%}
    {%- set near = 'cast(round(cast(' ~ total ~ ' as double) / nullif(' ~ n ~ ', 0)) as decimal(19, 0))' -%}
    (cast({{ squares }} - 2 * {{ near }} * ({{ total }} - {{ n }} * {{ near }}) - {{ n }} * ({{ near }} * {{ near }}) as double)
        - power(cast({{ total }} - {{ n }} * {{ near }} as double), 2) / nullif({{ n }}, 0))
{%- endmacro -%}

{#- Half the width of the interval of a mean without a scale, in units. -#}
{%- macro sample_mean_margin(total, squares, n) -%}
    case when {{ n }} >= 2 and {{ squared_deviations(total, squares, n) }} > 0 then
        ({{ t95(n ~ ' - 1') }}) * sqrt({{ squared_deviations(total, squares, n) }} / ({{ n }} - 1.0) / {{ n }})
    end
{%- endmacro -%}

{#- The mean of places on a scale with one answer at either end, and half the width of its interval, in units. -#}
{%- macro scale_mean_estimate(total, n, top) -%}
    cast({{ total }} + {{ top }} as double) / ({{ n }} + 2)
{%- endmacro -%}

{%- macro scale_mean_margin(total, squares, n, top) -%}
    {%- set spread = squared_deviations('(' ~ total ~ ' + ' ~ top ~ ')', '(' ~ squares ~ ' + cast(' ~ top ~ ' as decimal(19, 0)) * ' ~ top ~ ')', '(' ~ n ~ ' + 2)') -%}
    case when {{ n }} >= 2 then ({{ t95(n) }}) * sqrt({{ spread }}) / ({{ n }} + 2) end
{%- endmacro -%}

{#- One end of the interval of a mean of scores, clipped to 0..1. NULL for one score. -#}
{%- macro mean_interval_end(total, squares, n, sign) -%}
    case when {{ n }} >= 2 then
        greatest(0.0, least(1.0, (
            {{ scale_mean_estimate(total, n, units_per_score()) }} {{ sign }} {{ scale_mean_margin(total, squares, n, units_per_score()) }}
        ) / {{ units_per_score() }}.0))
    end
{%- endmacro -%}

{#- Fewest records of a cell that is shown without a warning; fewest scores that can make a peak or a trough. -#}
{%- macro n_low() -%} 30 {%- endmacro -%}

{#- How far a mean must lie from the whole journey's to be a peak or a trough. -#}
{%- macro least_score_gap() -%} 0.1 {%- endmacro -%}
