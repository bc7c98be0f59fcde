-- The seeds of touchpoints and journeys: every name is known, nothing is there twice, and what a journey is can be told from them.
with faults as (
    select 'touchpoints: twice ' || touchpoint as fault from {{ ref('touchpoints') }} group by touchpoint having count(*) > 1
    union all
    select 'touchpoints: no touchpoint ' || points.when_late
    from {{ ref('touchpoints') }} as points
    left join {{ ref('touchpoints') }} as late on late.touchpoint = points.when_late
    where points.when_late is not null and late.touchpoint is null
    union all
    select 'touchpoints: no stage ' || coalesce(points.stage, '') || ' of ' || points.touchpoint
    from {{ ref('touchpoints') }} as points
    left join {{ ref('stages') }} as stages on stages.stage = points.stage
    where
        stages.stage is null
        or coalesce(points.channel_class, '') not in ('human', 'automated', 'self_service')
        or coalesce(points.initiated_by, '') not in ('customer', 'company')
    union all
    select 'touchpoint_rules: no touchpoint ' || rules.touchpoint
    from {{ ref('touchpoint_rules') }} as rules
    left join {{ ref('touchpoints') }} as points on points.touchpoint = rules.touchpoint
    where points.touchpoint is null
    union all
    select 'touchpoint_rules: twice ' || object || ' ' || event
    from {{ ref('touchpoint_rules') }}
    group by system, object, event, channel
    having count(*) > 1
    union all
    select 'stages: no place of its own from 1 to {{ stages_per_journey() }} for ' || min(stage)
    from {{ ref('stages') }}
    group by stage_order
    having count(*) > 1 or stage_order is null or stage_order not between 1 and {{ stages_per_journey() }}
    union all
    select 'journeys: ' || coalesce(journey, 'without a name')
    from {{ ref('journeys') }}
    group by journey
    having
        count(*) > 1
        or journey is null
        or journey in ('customer', 'none', 'all')
        or min(case when unit in ('customer', 'customer_topic', 'record') and order_mode in ('ordered', 'strict', 'any') and window_days > 0 then 1 else 0 end) = 0
    union all
    select 'journey_steps: ' || coalesce(steps.journey, '') || ' ' || coalesce(steps.step, '')
    from {{ ref('journey_steps') }} as steps
    left join {{ ref('journeys') }} as journeys on journeys.journey = steps.journey
    left join {{ ref('stages') }} as stages on stages.stage = steps.stage
    group by steps.journey, steps.step
    having
        count(*) > 1
        or max(journeys.journey) is null
        or max(stages.stage) is null
        or min(case when steps.step_order between 1 and {{ steps_per_journey() }} and steps.is_required is not null then 1 else 0 end) = 0
    union all
    select 'journey_steps: two steps in one place of ' || journey
    from {{ ref('journey_steps') }}
    group by journey, step_order
    having count(*) > 1
    union all
    select 'journeys: no required step, lead or anchor in ' || journeys.journey
    from {{ ref('journeys') }} as journeys
    where
        journeys.journey not in (select journey from {{ ref('journey_steps') }} where is_required)
        or journeys.journey not in (select journey from {{ ref('journey_touchpoints') }} where role in ('lead', 'anchor'))
    union all
    select 'journey_touchpoints: ' || coalesce(served.journey, '') || ' ' || coalesce(served.touchpoint, '')
    from {{ ref('journey_touchpoints') }} as served
    left join {{ ref('journeys') }} as journeys on journeys.journey = served.journey
    left join {{ ref('touchpoints') }} as points on points.touchpoint = served.touchpoint
    left join {{ ref('journey_steps') }} as steps on steps.journey = served.journey and steps.step = served.step
    group by served.journey, served.touchpoint
    having
        count(*) > 1
        or max(journeys.journey) is null
        or max(points.touchpoint) is null
        or min(case
            when served.role in ('lead', 'anchor', 'step') and steps.step is not null then 1
            when served.role in ('exit', 'touch') and served.step is null then 1
            else 0
        end) = 0
    union all
    select 'journey_touchpoints: a lead or anchor of one journey serves another, ' || touchpoint
    from {{ ref('journey_touchpoints') }}
    group by touchpoint
    having count(*) > 1 and max(case when role in ('lead', 'anchor') then 1 else 0 end) = 1
)

select fault from faults
