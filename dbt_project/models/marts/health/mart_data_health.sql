{#-
    How healthy the data behind the numbers is, day by day. What lives here: the bounds of every figure, its verdict and
    the sentence that says so. Not here: the figures (int_data_health__figure), what the gate asks of an extract (quality/), the
    audit of the finished marts (a version's manifest has its outcome: it judges this mart too).

    Everything but the log of definitions and what people approved follows from the batches and the business date, so a late extract mends the days it was
    missing on. A day says what is known of it now, not what was known then.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['date_day', 'area'],
    touched_by="{{ touched_health_days() }}"
) }}

-- depends_on: {{ ref('int_data_health__batch_figure') }}, {{ ref('int_data_health__match_figure') }}, {{ ref('mart_feedback_utilisation') }}
with held as (
    select
        figures.date_day,
        thresholds.area,
        figures.source,
        figures.stream,
        figures.measure,
        thresholds.unit,
        thresholds.wording,
        thresholds.advice,
        thresholds.direction,
        figures.is_hidden,
        figures.said,
        case when not figures.is_hidden then round(figures.value, 4) end as value,
        case when not figures.is_hidden then figures.numerator end as numerator,
        case when not figures.is_hidden then figures.denominator end as denominator,
        case when not figures.is_hidden then figures.n end as n,
        case when not figures.is_hidden then figures.usual end as usual,
        {#- One row of three is no third of the rows, but none of three is none: worth a look. #}
        {%- for bound in ['warn', 'fail'] %}
        case
            when
                thresholds.direction <> 'near_median'
                and (
                    thresholds.unit <> 'percent'
                    or figures.n >= {{ n_low() }}
                    {%- if bound == 'warn' %}
                    or (thresholds.direction = 'higher_is_better' and figures.value = 0)
                    {%- endif %}
                )
                then thresholds.{{ bound }}
        end as {{ bound }},
        {%- endfor %}
        case when not figures.is_hidden then round({{ match_band('figures.usual', 'figures.denominator', 'thresholds.warn') }}, 4) end as warn_band,
        case when not figures.is_hidden then round({{ match_band('figures.usual', 'figures.denominator', 'thresholds.fail') }}, 4) end as fail_band
    from {{ ref('int_data_health__figure') }} as figures
    inner join {{ ref('health_thresholds') }} as thresholds on thresholds.measure = figures.measure
    where {{ is_touched(['figures.date_day', 'thresholds.area']) }}
),

{#- A rate that rises is good news: a source that knows the people was added, or people are known by now. #}
judged as (
    select
        date_day,
        area,
        source,
        stream,
        measure,
        wording,
        advice,
        unit,
        value,
        numerator,
        denominator,
        n,
        is_hidden,
        said,
        case when usual is not null then greatest(round(usual - warn_band, 4), 0) else warn end as threshold,
        case
            when value is null or coalesce(usual, warn, fail) is null then 'info'
            when usual - value > fail_band or {{ is_past('value', 'fail', 'direction') }} then 'fail'
            when usual - value > warn_band or {{ is_past('value', 'warn', 'direction') }} then 'warn'
            else 'ok'
        end as status
    from held
),

final as (
    select
        {{ surrogate_key(['judged.date_day', 'judged.area', 'judged.source', 'judged.stream', 'judged.measure']) }} as data_health_key,
        judged.date_day,
        judged.area,
        judged.source,
        judged.stream,
        judged.measure,
        judged.value,
        judged.unit,
        judged.numerator,
        judged.denominator,
        judged.n,
        judged.threshold,
        judged.status,
        judged.wording || ' of ' || judged.source || '/' || judged.stream || ': ' || case
            when judged.said is not null then judged.said
            when judged.is_hidden then 'hidden, too few people'
            when judged.value is null then 'nothing to measure'
            when judged.status = 'ok' then 'as it should be'
            when judged.status = 'warn' then 'worth a look'
            when judged.status = 'fail' then 'not as it should be'
            else 'for information'
        end || case when judged.status in ('warn', 'fail') and judged.advice is not null then ': ' || judged.advice else '' end || '.' as message
    from judged
    union all
    select
        {{ surrogate_key(['left_out.month_start', "'left_out'", 'left_out.source', 'left_out.stream', 'left_out.part', 'left_out.reason']) }},
        left_out.month_start,
        thresholds.area,
        left_out.source,
        left_out.stream,
        left_out.reason || case when left_out.part <> '' then ': ' || left_out.part else '' end,
        round(left_out.largest_share, 4),
        thresholds.unit,
        cast(null as double),
        cast(null as double),
        left_out.records,
        thresholds.warn,
        case when {{ is_past('left_out.largest_share', 'thresholds.warn', 'thresholds.direction') }} then 'warn' else 'info' end,
        left_out.message
    from {{ ref('int_data_health__left_out') }} as left_out
    inner join {{ ref('health_thresholds') }} as thresholds on thresholds.area = 'left_out'
    where {{ is_touched(['left_out.month_start', "'left_out'"]) }}
)

select * from final
