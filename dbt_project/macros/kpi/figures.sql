{#-
    What the sums of a window make together, whatever the KPI. What lives here: which formula a method means. Not here: the
    formulas (kpi_value.sql, means.sql), quantiles (quantiles.sql), the sums (int_kpi__cell).

    `kpis` is the seed; `counts` has positives, negatives, responses, total and squares.
-#}

{#- A mean of places on a scale ends at the scale's ends. -#}
{%- macro is_place_on_scale(kpis) -%}
    {{ kpis }}.unit = 'percent of the scale'
{%- endmacro -%}

{%- macro kpi_hits(kpis, counts) -%}
    case {{ kpis }}.counted when 'negatives' then {{ counts }}.responses - {{ counts }}.positives else {{ counts }}.positives end
{%- endmacro -%}

{%- macro kpi_value(kpis, counts) -%}
    case {{ kpis }}.method
        when 'adjusted_wald' then {{ nps_value(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses') }}
        when 'wilson' then {{ percent_value('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses') }}
        when 'mean' then {{ counts }}.total / nullif({{ counts }}.responses, 0)
        when 'sum' then {{ counts }}.total
        when 'per_hundred' then {{ percent_value(counts ~ '.positives', counts ~ '.responses') }}
        else cast({{ counts }}.responses as double)
    end
{%- endmacro -%}

{%- macro kpi_interval_end(kpis, counts, sign) -%}
    case
        when {{ kpis }}.method = 'adjusted_wald'
            then {{ nps_interval_end(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses', sign) }}
        when {{ kpis }}.method = 'wilson' then {{ wilson_end('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses', sign) }}
        when {{ kpis }}.method = 'mean' and {{ is_place_on_scale(kpis) }} and {{ counts }}.responses >= 2
            then greatest(0.0, least(100.0, {{ sample_mean_end(counts ~ '.total', counts ~ '.squares', counts ~ '.responses', sign) }}))
        when {{ kpis }}.method = 'mean' then {{ sample_mean_end(counts ~ '.total', counts ~ '.squares', counts ~ '.responses', sign) }}
        when {{ kpis }}.method = 'per_hundred' then {{ rate_end(counts ~ '.positives', counts ~ '.responses', sign) }}
    end
{%- endmacro -%}

{#- The standard error behind the intervals that are symmetric; NULL for the others. -#}
{%- macro kpi_standard_error(kpis, counts) -%}
    case {{ kpis }}.method
        when 'adjusted_wald' then {{ nps_standard_error(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses') }}
        when 'mean' then {{ mean_standard_error(counts ~ '.total', counts ~ '.squares', counts ~ '.responses') }}
    end
{%- endmacro -%}

{#-
    One end of the interval of the difference of two independent cells of a KPI, `now` and `before` (value, ci_low, ci_high,
    standard_error, numerator, denominator): of two standard errors where there are some, Newcombe's hybrid for shares, and the same
    way of combining two intervals (MOVER) for quantiles and rates. NULL without intervals.
-#}
{%- macro kpi_difference_end(method, now, before, sign) -%}
    {%- set near = 'ci_low' if sign == '-' else 'ci_high' -%}
    {%- set far = 'ci_high' if sign == '-' else 'ci_low' -%}
    case
        when {{ method }} in ('adjusted_wald', 'mean') then
            {{ now }}.value - {{ before }}.value {{ sign }} {{ z95() }} * sqrt(
                {{ now }}.standard_error * {{ now }}.standard_error + {{ before }}.standard_error * {{ before }}.standard_error
            )
        when {{ method }} = 'wilson' then
            {{ share_difference_end(now ~ '.numerator', now ~ '.denominator', before ~ '.numerator', before ~ '.denominator', sign) }}
        else
            {{ now }}.value - {{ before }}.value {{ sign }} sqrt(
                power({{ now }}.value - {{ now }}.{{ near }}, 2) + power({{ before }}.value - {{ before }}.{{ far }}, 2)
            )
    end
{%- endmacro -%}
