{#- Where customer and company meet, from the seeds. -#}
{{ config(materialized='table') }}

with touchpoints as (
    select
        {{ surrogate_key(['touchpoints.touchpoint']) }} as touchpoint_key,
        touchpoints.touchpoint,
        touchpoints.touchpoint_name,
        touchpoints.stage,
        stages.stage_name,
        stages.stage_order,
        touchpoints.channel,
        touchpoints.channel_class,
        touchpoints.owner_department,
        touchpoints.initiated_by
    from {{ ref('touchpoints') }} as touchpoints
    left join {{ ref('stages') }} as stages on stages.stage = touchpoints.stage
),

final as (
    select * from touchpoints
    union all
    select -1, 'unknown', 'Unknown', 'unknown', 'Unknown', 0, 'unknown', 'unknown', 'unknown', 'unknown'
)

select * from final
