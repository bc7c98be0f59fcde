{#-
    What the sums of a window make together, whatever the KPI. What lives here: which formula a method means. Not here: the
    formulas (kpi_value.sql, means.sql, differences.sql), quantiles (quantiles.sql), the sums (int_kpi__cell).

    `kpis` is the seed; `counts` has positives, negatives, responses, total and squares, the last two in whole units.
-#}

{#- A mean of places on a scale ends at the scale's ends. -#}
{%- macro is_place_on_scale(kpis) -%}
    {{ kpis }}.unit = 'percent of the scale'
{%- endmacro -%}

{#- The end of the scale in percent, in units. -#}
{%- macro top_of_scale() -%} 100000000 {%- endmacro -%}

{%- macro kpi_hits(kpis, counts) -%}
    case {{ kpis }}.counted when 'negatives' then {{ counts }}.responses - {{ counts }}.positives else {{ counts }}.positives end
{%- endmacro -%}

{%- macro kpi_total(kpis, counts) -%}
    cast({{ counts }}.total as double) / {{ units_per_one(kpis) }}
{%- endmacro -%}

{%- macro kpi_value(kpis, counts) -%}
    case {{ kpis }}.method
        when 'adjusted_wald' then {{ nps_value(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses') }}
        when 'wilson' then {{ percent_value('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses') }}
        when 'mean' then {{ kpi_total(kpis, counts) }} / nullif({{ counts }}.responses, 0)
        when 'sum' then {{ kpi_total(kpis, counts) }}
        when 'per_hundred' then {{ percent_value(counts ~ '.positives', counts ~ '.responses') }}
        else cast({{ counts }}.responses as double)
    end
{%- endmacro -%}

{#- What differences are made of: an estimate that answers of each kind were added to, and half the width of its interval. -#}
{%- macro kpi_estimate(kpis, counts) -%}
    case
        when {{ kpis }}.method = 'adjusted_wald' then {{ nps_estimate(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses') }}
        when {{ kpis }}.method = 'wilson' then {{ share_estimate('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses') }}
        when {{ kpis }}.method = 'mean' and {{ is_place_on_scale(kpis) }}
            then {{ scale_mean_estimate(counts ~ '.total', counts ~ '.responses', top_of_scale()) }} / {{ units_per_one(kpis) }}
        when {{ kpis }}.method = 'mean' then {{ kpi_total(kpis, counts) }} / nullif({{ counts }}.responses, 0)
        when {{ kpis }}.method = 'per_hundred' then {{ rate_estimate(counts ~ '.positives', counts ~ '.responses') }}
    end
{%- endmacro -%}

{%- macro kpi_margin(kpis, counts) -%}
    case
        when {{ kpis }}.method = 'adjusted_wald' then {{ nps_margin(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses') }}
        when {{ kpis }}.method = 'wilson' then {{ share_margin('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses') }}
        when {{ kpis }}.method = 'mean' and {{ is_place_on_scale(kpis) }}
            then {{ scale_mean_margin(counts ~ '.total', counts ~ '.squares', counts ~ '.responses', top_of_scale()) }} / {{ units_per_one(kpis) }}
        when {{ kpis }}.method = 'mean'
            then {{ sample_mean_margin(counts ~ '.total', counts ~ '.squares', counts ~ '.responses') }} / {{ units_per_one(kpis) }}
        when {{ kpis }}.method = 'per_hundred' then {{ rate_margin(counts ~ '.positives', counts ~ '.responses') }}
    end
{%- endmacro -%}

{#- One end of the interval of a value; that of a mean from its `estimate` and `margin` in `counts`. -#}
{%- macro kpi_interval_end(kpis, counts, sign) -%}
    {%- set mean_end = '(' ~ counts ~ '.estimate ' ~ sign ~ ' ' ~ counts ~ '.margin)' -%}
    case
        when {{ kpis }}.method = 'adjusted_wald'
            then {{ nps_interval_end(counts ~ '.positives', counts ~ '.negatives', counts ~ '.responses', sign) }}
        when {{ kpis }}.method = 'wilson' then {{ wilson_end('(' ~ kpi_hits(kpis, counts) ~ ')', counts ~ '.responses', sign) }}
        when {{ kpis }}.method = 'mean' and {{ is_place_on_scale(kpis) }} and {{ mean_end }} is not null
            then greatest(0.0, least(100.0, {{ mean_end }}))
        when {{ kpis }}.method = 'mean' then {{ mean_end }}
        when {{ kpis }}.method = 'per_hundred' then {{ rate_end(counts ~ '.positives', counts ~ '.responses', sign) }}
    end
{%- endmacro -%}

{#- One end of the interval of the difference of two independent cells of a KPI. NULL without intervals. -#}
{%- macro kpi_difference_end(kpis, now, before, sign) -%}
    case
        when {{ kpis }}.method = 'order_statistics' then {{ quantile_difference_end(now, before, sign) }}
        when {{ kpis }}.method = 'adjusted_wald' then {{ difference_end(now, before, sign, '200.0') }}
        when {{ kpis }}.method = 'wilson' or {{ is_place_on_scale(kpis) }} then {{ difference_end(now, before, sign, '100.0') }}
        else {{ difference_end(now, before, sign) }}
    end
{%- endmacro -%}
