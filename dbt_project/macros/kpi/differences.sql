{#-
    Whether two figures differ, or chance does. What lives here: the 95 % interval of the difference of two independent figures.
    Not here: the intervals of the figures themselves (kpi_value.sql, means.sql), which figures are compared (models).

    A share of one answer is 0 or 100, and its own spread 0: whoever subtracts such values finds changes everywhere. So both sides
    are estimates with answers of each kind added: a share has one yes and one no more (Agresti and Caffo 2000), an NPS
    the three of its own interval, a place on a scale one answer at either end, a rate one event. The errors take t with as many degrees of
    freedom as there were answers, not z. Counted out for every n from 1 to 200, equal and unequal, chance alone is called a
    change in less than 6 of 100 cases (tests/unit/test_false_alarms.py). The value itself always lies in the interval.
-#}

{#- A share in percent with one yes and one no more, and half the width of its interval. -#}
{%- macro share_estimate(part, whole) -%}
    100.0 * ({{ part }} + 1.0) / ({{ whole }} + 2.0)
{%- endmacro -%}

{%- macro share_margin(part, whole) -%}
    ({{ t95(whole) }}) * 100.0 * sqrt(({{ part }} + 1.0) * ({{ whole }} - {{ part }} + 1.0) / ({{ whole }} + 2.0)) / ({{ whole }} + 2.0)
{%- endmacro -%}

{#- Half the width of the interval of an NPS with its three answers more. -#}
{%- macro nps_margin(promoters, detractors, answered) -%}
    ({{ t95(answered) }}) * ({{ nps_standard_error(promoters, detractors, answered) }})
{%- endmacro -%}

{#- A rate per hundred with one event more, and half the width of its interval. -#}
{%- macro rate_estimate(events, whole) -%}
    100.0 * ({{ events }} + 1.0) / nullif({{ whole }}, 0)
{%- endmacro -%}

{%- macro rate_margin(events, whole) -%}
    {{ z95() }} * 100.0 * sqrt({{ events }} + 1.0) / nullif({{ whole }}, 0)
{%- endmacro -%}

{#-
    One end of the interval of now - before. `value`, `estimate` and `margin` name columns of both; `bound` is the largest
    difference there can be, none for amounts. `sign` is '-' or '+'. NULL where either has no margin.
-#}
{%- macro difference_end(now, before, sign, bound=none) -%}
    {%- set end = '(' ~ now ~ '.estimate - ' ~ before ~ '.estimate ' ~ sign ~ ' sqrt(' ~ now ~ '.margin * ' ~ now ~ '.margin + '
        ~ before ~ '.margin * ' ~ before ~ '.margin))' -%}
    {{ difference_of(end, now ~ '.value - ' ~ before ~ '.value', sign, bound) }}
{%- endmacro -%}

{#- An end no nearer than the difference itself, and no farther than the bound. -#}
{%- macro difference_of(end, difference, sign, bound=none) -%}
    {%- set outer, inner = ('least', 'greatest') if sign == '-' else ('greatest', 'least') -%}
    case when {{ end }} is not null then
        {% if bound is not none %}{{ inner }}({{ '-' if sign == '-' }}{{ bound }}, {% endif -%}
        {{ outer }}({{ difference }}, {{ end }})
        {%- if bound is not none %}){% endif %}
    end
{%- endmacro -%}

{#-
    One end of the interval of the difference of two quantiles, from the order statistics around each: how far either could lie
    from its value, in the direction in question (MOVER). Distribution-free like these; NULL where one is unbounded.
-#}
{%- macro quantile_difference_end(now, before, sign) -%}
    {%- set near = 'ci_low' if sign == '-' else 'ci_high' -%}
    {%- set far = 'ci_high' if sign == '-' else 'ci_low' -%}
    {{ now }}.value - {{ before }}.value {{ sign }} sqrt(
        power({{ now }}.value - {{ now }}.{{ near }}, 2) + power({{ before }}.value - {{ before }}.{{ far }}, 2)
    )
{%- endmacro -%}

{#- Share now minus share before. NULL where either has no denominator. -#}
{%- macro share_difference_value(part, whole, part_before, whole_before) -%}
    {{ percent_value(part, whole) }} - {{ percent_value(part_before, whole_before) }}
{%- endmacro -%}

{#- One end of its interval. -#}
{%- macro share_difference_end(part, whole, part_before, whole_before, sign) -%}
    {%- set end = '(' ~ share_estimate(part, whole) ~ ' - ' ~ share_estimate(part_before, whole_before) ~ ' ' ~ sign ~ ' sqrt(power('
        ~ share_margin(part, whole) ~ ', 2) + power(' ~ share_margin(part_before, whole_before) ~ ', 2)))' -%}
    case when {{ whole }} > 0 and {{ whole_before }} > 0 then
        {{ difference_of(end, share_difference_value(part, whole, part_before, whole_before), sign, '100.0') }}
    end
{%- endmacro -%}
