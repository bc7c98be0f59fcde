-- A journey is its events, numbered without gaps, with one anchor at most; and it is completed, left, dropped or open.
with counted as (
    select
        events.journey_key,
        count(*) as events,
        count(distinct events.seq_no) as places,
        max(events.seq_no) as last_place,
        sum(case when served.role = 'anchor' and events.object not in ('survey_answer', 'activity') then 1 else 0 end) as anchors
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    left join {{ ref('journey_touchpoints') }} as served
        on served.journey = events.journey
        and served.touchpoint = touchpoints.touchpoint
    where events.journey_key <> -1
    group by events.journey_key
)

select coalesce(journeys.journey_key, counted.journey_key) as journey_key
from {{ ref('fct_journey') }} as journeys
full outer join counted on counted.journey_key = journeys.journey_key
where
    journeys.journey_key is null
    or counted.journey_key is null
    or journeys.n_events <> counted.events
    or counted.places <> counted.events
    or counted.last_place <> counted.events
    or counted.anchors > 1
    or journeys.is_completed <> (journeys.completed_at is not null)
    or journeys.completed_at > journeys.window_ends_at
    or journeys.is_open <> (not journeys.is_completed and journeys.exit_reason is null)
    or (journeys.exit_reason = 'dropped' and (journeys.is_completed or not journeys.is_matured))
