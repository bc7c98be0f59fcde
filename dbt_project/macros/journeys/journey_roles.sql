{#-
    What a touchpoint is to a journey. What lives here: the seeds journeys and journey_touchpoints, read together, and the events of journeys
    with it. Not here: which event belongs to which journey (int_journey__membership).
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

{#- A CTE body: the events of the touched journeys, with the role of their touchpoint there; an answer reaches no step. -#}
{%- macro events_of_journeys(columns) -%}
    select
        events.journey_key,
        {%- for column in columns %}
        events.{{ column }},
        {%- endfor %}
        roles.touchpoint,
        roles.window_days,
        case when events.object <> 'survey_answer' then roles.role else 'answer' end as role
    from {{ ref('fct_journey_event') }} as events
    left join ({{ journey_roles() }}) as roles on roles.journey = events.journey and roles.touchpoint_key = events.touchpoint_key
    where events.journey_key <> -1 and {{ is_touched(['events.journey_key']) }}
{%- endmacro -%}
