{#-
    The steps of journeys, with their targets. What lives here: the seeds journeys and journey_steps, and the whole journey
    (`customer`), whose steps are the stages. Not here: who reached them (fct_journey).
-#}
{{ config(materialized='table') }}

with typed as (
    select
        journeys.journey,
        journeys.journey_name,
        journeys.unit,
        journeys.order_mode,
        journeys.gap_days,
        journeys.window_days,
        journeys.target_days,
        steps.step,
        steps.step_order,
        steps.step_name,
        steps.stage,
        steps.is_required,
        steps.target_minutes
    from {{ ref('journey_steps') }} as steps
    inner join {{ ref('journeys') }} as journeys on journeys.journey = steps.journey
),

final as (
    select * from typed
    union all
    select
        'customer',
        'Whole journey',
        'customer',
        'any',
        null,
        30,
        null,
        stage,
        stage_order,
        stage_name,
        stage,
        false,
        null
    from {{ ref('stages') }}
)

select * from final
