{#-
    What a KPI's counts make together: the value and its 95 % interval. The one definition of each metric; everything
    that shows a KPI goes through here. Not here: which records count, and over which days (models/marts/kpi), means
    (means.sql), what has changed (differences.sql).
-#}

{#- Net Promoter Score, -100 to 100: numerator promoters minus detractors, denominator answered. -#}
{%- macro nps_value(promoters, detractors, answered) -%}
    100.0 * ({{ promoters }} - {{ detractors }}) / nullif({{ answered }}, 0)
{%- endmacro -%}

{#- A share in percent. -#}
{%- macro percent_value(part, whole) -%}
    100.0 * {{ part }} / nullif({{ whole }}, 0)
{%- endmacro -%}

{#-
    The adjusted-Wald interval of an NPS (MeasuringU, Rocks 2016): three answers are added, three quarters of a promoter and of
    a detractor. Holds at small n, where the usual margin is too narrow. First its centre and its standard error, then one end,
    clipped to -100..100. `sign` is '-' or '+'.
-#}
{%- macro nps_estimate(promoters, detractors, answered) -%}
    100.0 * ({{ promoters }} - {{ detractors }}) / ({{ answered }} + 3.0)
{%- endmacro -%}

{%- macro nps_standard_error(promoters, detractors, answered) -%}
    {%- set n = '(' ~ answered ~ ' + 3.0)' -%}
    {%- set p = '((' ~ promoters ~ ' + 0.75) / ' ~ n ~ ')' -%}
    {%- set d = '((' ~ detractors ~ ' + 0.75) / ' ~ n ~ ')' -%}
    100.0 * sqrt(({{ p }} + {{ d }} - ({{ p }} - {{ d }}) * ({{ p }} - {{ d }})) / {{ n }})
{%- endmacro -%}

{%- macro nps_interval_end(promoters, detractors, answered, sign) -%}
    case when {{ answered }} > 0 then
        greatest(-100.0, least(100.0,
            {{ nps_estimate(promoters, detractors, answered) }} {{ sign }} {{ z95() }} * {{ nps_standard_error(promoters, detractors, answered) }}
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

{#- One end of the score interval of a rate per hundred: a count of events is a Poisson count, which may exceed the whole. -#}
{%- macro rate_end(events, whole, sign) -%}
    100.0 * ({{ events }} + {{ z95() }} * {{ z95() }} / 2 {{ sign }} {{ z95() }} * sqrt({{ events }} + {{ z95() }} * {{ z95() }} / 4)) / nullif({{ whole }}, 0)
{%- endmacro -%}
