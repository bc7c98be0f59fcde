{#-
    What customers, and apart from them employees, speak about, counted by month. What lives here: how many items name a theme, the score
    most of them bear, and which themes too few people name to show. Not here: shares and what changed (mart_feedback_theme), what is
    recognised as what (bridge_feedback_theme).
-#}
{{ config(
    touched_key=['month_start'],
    touched_by="
        select {{ month_of_key('date_key') }} from {{ touched('fct_feedback') }} where date_key > 0
        union
        select {{ month_of_key('date_key') }} from {{ ref('fct_feedback') }}
        where date_key > 0 and feedback_key in (select feedback_key from {{ touched('bridge_feedback_theme') }})
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
    where is_counted and date_key > 0 and {{ is_touched([month_of_key('date_key')]) }}
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
        cast(sum(weight_units) as bigint) as weight_units,
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

{{ hide_another('small_themes', 'hidden_themes', ['month_start', 'voice', 'theme_member', 'people'], ['month_start', 'voice'], 'theme_member', 'people', least) }}

select
    themes.month_start,
    themes.voice,
    themes.theme_key,
    themes.items,
    themes.weight_units,
    months.all_items,
    months.is_small,
    hidden_themes.hidden as is_suppressed,
    case when scales.is_shown then scales.score_scale end as score_scale,
    case when scales.is_shown then scales.scores end as scores,
    case when scales.is_shown then scales.score_mean end as score_mean
from themes
inner join months on months.month_start = themes.month_start and months.voice = themes.voice
inner join hidden_themes on {{ equal_columns('hidden_themes', 'themes', ['month_start', 'voice', 'theme_member']) }}
left join scales on {{ equal_columns('scales', 'themes', cell) }} and scales.place = 1
