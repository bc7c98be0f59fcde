{#-
    What customers, and apart from them employees, speak about, month by month. What lives here: shares, their order, the change
    against the month before, the mean score. Not here: what is counted (int_feedback__theme_month), what is recognised as what
    (bridge_feedback_theme), the formulas (macros/kpi).

    `share` divides every item among its themes, so shares add up to 100. `mention_rate` counts each item that names the
    theme, so it can be compared with the month before as a share of items.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        with moved as (
            select month_start from {{ touched('int_feedback__theme_month') }}
            union
            select themes.month_start
            from {{ ref('int_feedback__theme_month') }} as themes
            inner join {{ night() }} as night
                on themes.month_start >= {{ month_of('least(coalesce(night.previous_as_of, night.as_of), night.as_of)') }}
                and themes.month_start <= greatest(coalesce(night.previous_as_of, night.as_of), night.as_of)
        )
        select month_start from moved
        union select {{ months_after('month_start', 1) }} from moved
    "
) }}

{%- set cell = ['month_start', 'voice', 'theme_key'] %}
with measured as (
    select *
    from {{ ref('int_feedback__theme_month') }}
    {#- The month before a touched one is read for the comparison. #}
    where {{ is_touched(['month_start']) }} or {{ is_touched([months_after('month_start', 1)]) }}
),

months as (
    select distinct month_start, voice, all_items, is_small from measured
),

{#- The order among the themes that are shown; what is not recognised or not shown has no place in it. -#}
ranked as (
    select
        month_start,
        voice,
        theme_key,
        row_number() over by_weight as theme_rank,
        sum(weight_units) over by_weight as units_up_to
    from measured
    where theme_key <> -1 and not is_suppressed
    window by_weight as (partition by month_start, voice order by weight_units desc, theme_key rows unbounded preceding)
),

{#- A month that is over is compared. Nobody spoke of it the month before: 0 of that month's items. A hidden number before allows no comparison. -#}
compared as (
    select
        measured.month_start,
        measured.voice,
        measured.theme_key,
        coalesce(before.items, 0) as items_before,
        months.all_items as all_items_before
    from measured
    inner join {{ night() }} as night on {{ month_end('measured.month_start') }} <= night.as_of
    inner join months
        on months.month_start = {{ months_after('measured.month_start', -1) }}
        and months.voice = measured.voice
        and not months.is_small
    left join measured as before
        on before.month_start = months.month_start
        and before.voice = measured.voice
        and before.theme_key = measured.theme_key
    where not measured.is_suppressed and not coalesce(before.is_suppressed, false)
),

final as (
    select
        measured.month_start,
        measured.voice,
        measured.theme_key,
        dim_themes.theme,
        case when not measured.is_small then measured.all_items end as all_items,
        case when not measured.is_suppressed then measured.items end as items,
        case when not measured.is_suppressed then round(measured.weight_units / 1000000000.0, 4) end as weighted_items,
        case when not measured.is_suppressed then round(100 * measured.weight_units / (1000000000.0 * measured.all_items), 4) end as share,
        ranked.theme_rank,
        round(100 * cast(ranked.units_up_to as bigint) / (1000000000.0 * measured.all_items), 4) as cumulative_share,
        case when not measured.is_suppressed then round({{ percent_value('measured.items', 'measured.all_items') }}, 4) end as mention_rate,
        case when not measured.is_suppressed then round({{ wilson_end('measured.items', 'measured.all_items', '-') }}, 4) end as ci_low,
        case when not measured.is_suppressed then round({{ wilson_end('measured.items', 'measured.all_items', '+') }}, 4) end as ci_high,
        {%- set now_and_before = ['measured.items', 'measured.all_items', 'compared.items_before', 'compared.all_items_before'] %}
        round({{ percent_value('compared.items_before', 'compared.all_items_before') }}, 4) as previous_mention_rate,
        round({{ share_difference_value(*now_and_before) }}, 4) as difference,
        round({{ share_difference_end(*(now_and_before + ['-'])) }}, 4) as difference_ci_low,
        round({{ share_difference_end(*(now_and_before + ['+'])) }}, 4) as difference_ci_high,
        not ({{ share_difference_end(*(now_and_before + ['-'])) }} <= 0 and {{ share_difference_end(*(now_and_before + ['+'])) }} >= 0) as is_changed,
        case when not measured.is_suppressed then measured.score_scale end as score_scale,
        case when not measured.is_suppressed then measured.scores end as scores,
        case when not measured.is_suppressed then round(measured.score_mean, 4) end as score_mean,
        measured.is_suppressed,
        measured.items < {{ n_low() }} as is_low_n
    from measured
    inner join {{ ref('dim_theme') }} as dim_themes on dim_themes.theme_key = measured.theme_key
    left join ranked on {{ equal_columns('ranked', 'measured', cell) }}
    left join compared on {{ equal_columns('compared', 'measured', cell) }}
    where {{ is_touched(['measured.month_start']) }}
)

select * from final
