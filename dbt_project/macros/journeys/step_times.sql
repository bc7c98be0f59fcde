{#-
    When the steps of journeys were reached. What lives here: the CTEs that turn step events into one row of times per
    journey, as the journey's order_mode says. Not here: which event serves which step (int_journey__membership).

    ordered: a required step is reached by its first event not before the required step before it.
    strict: as ordered, but no event of a step outside those two and the steps between them lies between the two times.
    any: by its first event.
    An optional step is reached by its first event between its reached required neighbours (any: by its first event).
-#}

{#- How many steps a journey can have: the columns step_1_at, step_2_at, ... of fct_journey. -#}
{%- macro steps_per_journey() -%}{{ return(6) }}{%- endmacro -%}

{#- A CTE body: per kind of journey, which of its steps exist and are required: step_1, is_required_1, ... -#}
{%- macro steps_in_a_row() -%}
    select
        journey,
        {% for place in range(1, steps_per_journey() + 1) -%}
        max(case when step_order = {{ place }} then step end) as step_{{ place }},
        max(case when step_order = {{ place }} and is_required then 1 else 0 end) = 1 as is_required_{{ place }},
        {% endfor -%}
        max(order_mode) as order_mode
    from {{ ref('dim_journey_step') }}
    where journey <> 'customer'
    group by journey
{%- endmacro -%}

{#-
    CTEs, to be put between others: `step_times` has one row per row of `journeys` (journey_key, order_mode,
    is_required_1..n), the columns step_1_at..n. Reads `step_events` (journey_key, order_mode, step_order, is_required, occurred_at).
-#}
{%- macro step_times_ctes(journeys, step_events) -%}
{%- set places = range(1, steps_per_journey() + 1) -%}
required_0 as (
    select
        journey_key,
        order_mode,
        {% for place in places -%}
        is_required_{{ place }},
        {% endfor -%}
        cast(null as timestamptz) as latest_at,
        0 as latest_order,
        false as is_broken
    from {{ journeys }}
),
{% for place in places %}
found_{{ place }} as (
    select
        before.journey_key,
        before.order_mode,
        before.latest_at,
        before.latest_order,
        min(events.occurred_at) as found_at
    from required_{{ place - 1 }} as before
    inner join {{ step_events }} as events on events.journey_key = before.journey_key
    where
        events.step_order = {{ place }}
        and events.is_required
        and (before.order_mode = 'any' or (not before.is_broken and (before.latest_at is null or events.occurred_at >= before.latest_at)))
    group by before.journey_key, before.order_mode, before.latest_at, before.latest_order
),

disturbed_{{ place }} as (
    select distinct found.journey_key
    from found_{{ place }} as found
    inner join {{ step_events }} as events on events.journey_key = found.journey_key
    where
        found.order_mode = 'strict'
        and events.occurred_at > found.latest_at
        and events.occurred_at < found.found_at
        and (events.step_order < found.latest_order or events.step_order > {{ place }})
),

required_{{ place }} as (
    select
        before.journey_key,
        before.order_mode,
        {% for other in places -%}
        before.is_required_{{ other }},
        {% if other < place %}before.step_{{ other }}_at,{% endif %}
        {% endfor -%}
        case when disturbed.journey_key is null then found.found_at end as step_{{ place }}_at,
        case when found.found_at is not null and disturbed.journey_key is null then found.found_at else before.latest_at end as latest_at,
        case when found.found_at is not null and disturbed.journey_key is null then {{ place }} else before.latest_order end as latest_order,
        before.is_broken
            or (before.is_required_{{ place }} and (found.found_at is null or disturbed.journey_key is not null)) as is_broken
    from required_{{ place - 1 }} as before
    left join found_{{ place }} as found on found.journey_key = before.journey_key
    left join disturbed_{{ place }} as disturbed on disturbed.journey_key = before.journey_key
),
{% endfor %}
optional as (
    select
        events.journey_key,
        {% for place in places -%}
        min(case when events.step_order = {{ place }} then events.occurred_at end) as step_{{ place }}_at{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ step_events }} as events
    inner join required_{{ places | last }} as required on required.journey_key = events.journey_key
    where
        not events.is_required
        and (
            events.order_mode = 'any'
            {%- for place in places %}
            or (
                events.step_order = {{ place }}
                {%- if place > 1 %}
                and events.occurred_at >= coalesce({% for other in range(place - 1, 0, -1) %}required.step_{{ other }}_at, {% endfor %}events.occurred_at)
                {%- endif %}
                {%- if place < (places | last) %}
                and events.occurred_at <= coalesce({% for other in range(place + 1, (places | last) + 1) %}required.step_{{ other }}_at, {% endfor %}events.occurred_at)
                {%- endif %}
            )
            {%- endfor %}
        )
    group by events.journey_key
),

step_times as (
    select
        required.journey_key,
        {% for place in places -%}
        coalesce(required.step_{{ place }}_at, optional.step_{{ place }}_at) as step_{{ place }}_at{{ ',' if not loop.last }}
        {% endfor -%}
    from required_{{ places | last }} as required
    left join optional on optional.journey_key = required.journey_key
)
{%- endmacro -%}
