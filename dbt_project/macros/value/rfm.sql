{#-
    Scores of recency, frequency and monetary value, and ranks by revenue. What lives here: from a rank to a bin. Not here:
    what the bins are called (seed rfm_segments).

    Bins follow the percent rank (rank - 1) / (n - 1), so equal values share a bin; ntile would split them at random.
-#}

{#- Number of bins: quintiles, terciles where few are ranked. -#}
{%- macro rfm_bins(ranked) -%}
    case when {{ ranked }} < 500 then 3 else 5 end
{%- endmacro -%}

{#- The bin, from 1 (lowest), of somebody at `place` (rank() ascending) among `ranked`. Multiplies before it divides, so no bin is lost to rounding. -#}
{%- macro rfm_score(place, ranked, bins) -%}
    cast(least({{ bins }}, 1 + floor(({{ place }} - 1) * {{ bins }} / cast(greatest({{ ranked }} - 1, 1) as double))) as integer)
{%- endmacro -%}

{#- Whether a rank (1 is the most) belongs to the top 20 % of `ranked`, rounded up. -#}
{%- macro is_top_fifth(place, ranked) -%}
    ({{ place }} - 1) * 5 < {{ ranked }}
{%- endmacro -%}
