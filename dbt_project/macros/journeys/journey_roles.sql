{#-
    What a touchpoint is to a journey. What lives here: the seeds journeys and journey_touchpoints, read together. Not here:
    which event belongs to which journey (int_journey__membership).
-#}

{#- A CTE body: touchpoint_key, journey, step, role and what the journey says of threads and windows. -#}
{%- macro journey_roles() -%}
    select
        touchpoints.touchpoint_key,
        touchpoints.touchpoint,
        served.journey,
        served.step,
        served.role,
        journeys.unit,
        journeys.gap_days,
        journeys.window_days
    from {{ ref('journey_touchpoints') }} as served
    inner join {{ ref('journeys') }} as journeys on journeys.journey = served.journey
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint = served.touchpoint
{%- endmacro -%}
