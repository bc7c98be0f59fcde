{#-
    What a KPI's counts make together: the value and its 95 % interval. The one definition of each metric; everything
    that shows a KPI goes through here. Not here: which records count, and over which days (models/marts/kpi).
-#}

{#- Standard normal quantile of a two-sided 95 % interval. -#}
{%- macro z95() -%} 1.959964 {%- endmacro -%}

{#- Net Promoter Score, -100 to 100: numerator promoters minus detractors, denominator answered. -#}
{%- macro nps_value(promoters, detractors, answered) -%}
    100.0 * ({{ promoters }} - {{ detractors }}) / nullif({{ answered }}, 0)
{%- endmacro -%}

{#- A share in percent. -#}
{%- macro percent_value(part, whole) -%}
    100.0 * {{ part }} / nullif({{ whole }}, 0)
{%- endmacro -%}

{#-
    One end of the adjusted-Wald interval of an NPS, clipped to -100..100 (MeasuringU, Rocks 2016): three answers are added,
    three quarters of a promoter and of a detractor. Holds at small n, where the usual margin is too narrow.
    `sign` is '-' or '+'.
-#}
{%- macro nps_interval_end(promoters, detractors, answered, sign) -%}
    {%- set n = '(' ~ answered ~ ' + 3.0)' -%}
    {%- set p = '((' ~ promoters ~ ' + 0.75) / ' ~ n ~ ')' -%}
    {%- set d = '((' ~ detractors ~ ' + 0.75) / ' ~ n ~ ')' -%}
    case when {{ answered }} > 0 then
        greatest(-100.0, least(100.0,
            100.0 * (({{ p }} - {{ d }}) {{ sign }} {{ z95() }} * sqrt(({{ p }} + {{ d }} - ({{ p }} - {{ d }}) * ({{ p }} - {{ d }})) / {{ n }}))
        ))
    end
{%- endmacro -%}

{#- One end of the Wilson interval of a share, in percent. `sign` is '-' or '+'. -#}
{%- macro wilson_end(part, whole, sign) -%}
    {%- set share = '(' ~ part ~ ' / cast(' ~ whole ~ ' as double))' -%}
    {%- set z = z95() -%}
    case when {{ whole }} > 0 then
        greatest(0.0, least(100.0,
            100.0 * ({{ share }} + {{ z }} * {{ z }} / (2.0 * {{ whole }})
                {{ sign }} {{ z }} * sqrt({{ share }} * (1 - {{ share }}) / {{ whole }} + {{ z }} * {{ z }} / (4.0 * {{ whole }} * {{ whole }})))
            / (1 + {{ z }} * {{ z }} / {{ whole }})
        ))
    end
{%- endmacro -%}

{#- Fewest distinct customers a cell of a breakdown may show. -#}
{%- macro k_privacy() -%} 5 {%- endmacro -%}
