{#- What feedback is about, from the seed. Not here: how it is recognised (seed theme_rules). -#}
{{ config(materialized='table') }}

with themes as (
    select
        {{ surrogate_key(['theme']) }} as theme_key,
        theme,
        theme_name,
        {{ surrogate_key(['parent_theme']) }} as parent_theme_key,
        is_root_cause,
        is_preventable,
        owner_department
    from {{ ref('themes') }}
),

final as (
    select * from themes
    union all
    select -1, 'unthemed', 'Nothing recognised', -1, false, false, 'unknown'
)

select * from final
