{#-
    What customers, and apart from them employees, speak about, month by month. What lives here: shares, their order, the change
    against the month before, the mean score. Not here: what is recognised as what (bridge_feedback_theme), the formulas (macros/kpi).

    `share` divides every item among its themes, so shares add up to 100. `mention_rate` counts each item that names the
    theme, so it can be compared with the month before as a share of items.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        with moved as (
            select {{ month_of_key('date_key') }} as month_start from {{ touched('fct_feedback') }} where date_key > 0
            union
            select {{ month_of_key('date_key') }} from {{ ref('fct_feedback') }}
            where date_key > 0 and feedback_key in (select feedback_key from {{ touched('bridge_feedback_theme') }})
            union
            select {{ month_of_key('items.date_key') }}
            from {{ ref('fct_feedback') }} as items
            inner join {{ night() }} as night
                on {{ month_of_key('items.date_key') }} >= {{ month_of('least(coalesce(night.previous_as_of, night.as_of), night.as_of)') }}
                and {{ month_of_key('items.date_key') }} <= greatest(coalesce(night.previous_as_of, night.as_of), night.as_of)
            where items.date_key > 0
        )
        select month_start from moved
        union select {{ months_after('month_start', 1) }} from moved
    "
) }}

{%- set cell = ['month_start', 'voice', 'theme_key'] %}
{%- set least = smallest_group("voice = 'employee'") %}
with items as (
    select
        feedback_key,
        {{ month_of_key('date_key') }} as month_start,
        case when source_type = 'employee' then 'employee' else 'customer' end as voice,
        case when customer_key = -1 then -1 - feedback_key else customer_key end as person,
        score_norm,
        score_scale
    from {{ ref('fct_feedback') }}
    where
        is_counted
        and date_key > 0
        {#- The month before a touched one is read for the comparison. #}
        and (
            {{ is_touched([month_of_key('date_key')]) }}
            or {{ is_touched([months_after(month_of_key('date_key'), 1)]) }}
        )
),

months as (
    select
        month_start,
        voice,
        count(*) as all_items,
        count(distinct person) < {{ least }} as is_small
    from items
    group by month_start, voice
),

mentions as (
    select
        items.month_start,
        items.voice,
        bridge.theme_key,
        items.person,
        items.score_norm,
        items.score_scale,
        {{ score_units('bridge.weight') }} as weight_units
    from items
    inner join {{ ref('bridge_feedback_theme') }} as bridge on bridge.feedback_key = items.feedback_key
),

themes as (
    select
        {{ cell | join(', ') }},
        cast(theme_key as varchar) as theme_member,
        count(*) as items,
        sum(weight_units) as weight_units,
        count(distinct person) as people
    from mentions
    group by {{ cell | join(', ') }}
),

scales as (
    select
        {{ cell | join(', ') }},
        score_scale,
        count(*) as scores,
        {{ mean_value('sum(' ~ score_units('score_norm') ~ ')', 'count(*)') }} as score_mean,
        count(distinct person) >= {{ least }} as is_shown,
        row_number() over (partition by {{ cell | join(', ') }} order by count(*) desc, score_scale) as place
    from mentions
    where score_norm is not null
    group by {{ cell | join(', ') }}, score_scale
),

small_themes as (
    select
        themes.month_start,
        themes.voice,
        themes.theme_member,
        themes.people,
        months.is_small or {{ is_small('themes.people', least.replace('voice', 'themes.voice')) }} as hidden
    from themes
    inner join months on months.month_start = themes.month_start and months.voice = themes.voice
),

{{ hide_another('small_themes', 'hidden_themes', ['month_start', 'voice', 'theme_member', 'people'], ['month_start', 'voice'], 'theme_member', 'people', least) }},

measured as (
    select
        themes.month_start,
        themes.voice,
        themes.theme_key,
        themes.items,
        themes.weight_units,
        months.all_items,
        months.is_small,
        hidden_themes.hidden as is_suppressed
    from themes
    inner join months on months.month_start = themes.month_start and months.voice = themes.voice
    inner join hidden_themes
        on hidden_themes.month_start = themes.month_start
        and hidden_themes.voice = themes.voice
        and hidden_themes.theme_member = themes.theme_member
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
        case when scales.is_shown and not measured.is_suppressed then scales.score_scale end as score_scale,
        case when scales.is_shown and not measured.is_suppressed then scales.scores end as scores,
        case when scales.is_shown and not measured.is_suppressed then round(scales.score_mean, 4) end as score_mean,
        measured.is_suppressed,
        measured.items < {{ n_low() }} as is_low_n
    from measured
    inner join {{ ref('dim_theme') }} as dim_themes on dim_themes.theme_key = measured.theme_key
    left join ranked
        on ranked.month_start = measured.month_start
        and ranked.voice = measured.voice
        and ranked.theme_key = measured.theme_key
    left join compared
        on compared.month_start = measured.month_start
        and compared.voice = measured.voice
        and compared.theme_key = measured.theme_key
    left join scales
        on scales.month_start = measured.month_start
        and scales.voice = measured.voice
        and scales.theme_key = measured.theme_key
        and scales.place = 1
    where {{ is_touched(['measured.month_start']) }}
)

select * from final
