{#-
    Answers of the journey map. What lives here: each counted score, where and by whom it was given, and whether its customer came
    back. Not here: in which cells it counts (placed_answers), scores of many (int_journey_map__score).

    A customer has 90 days to reach out to us again; the answer is judged on the day these are over.
-#}
{{ config(
    touched_key=['event_key'],
    touched_by="{{ touched_map_answers() }}",
    keeps_changes=true
) }}

with night as (
    select as_of from {{ night() }}
),

answers as (
    select
        events.event_key,
        events.customer_key,
        coalesce(customers.segment, 'unknown') as segment,
        events.journey_key,
        events.journey,
        events.touchpoint_key,
        touchpoints.stage_order,
        events.date_key,
        events.occurred_at,
        events.score_scale,
        events.score_norm
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    left join {{ ref('dim_customer') }} as customers on customers.customer_key = events.customer_key
    cross join night
    where
        {{ is_touched(['events.event_key']) }}
        and events.score_norm is not null
        and events.score_scale is not null
        and events.metric <> 'enps'
        and touchpoints.touchpoint <> 'unknown'
        and events.date_key > 0
        and events.date_key <= {{ date_key('night.as_of') }}
),

{#- Another answer is a contact, too. -#}
come_back as (
    select distinct answers.event_key
    from answers
    inner join {{ ref('fct_journey_event') }} as contacts
        on contacts.customer_key = answers.customer_key
        and contacts.occurred_at > answers.occurred_at
        and contacts.occurred_at <= {{ after_days('answers.occurred_at', days_to_come_back()) }}
    cross join night
    where
        answers.customer_key <> -1
        and contacts.direction = 'inbound'
        and contacts.date_key > 0
        and contacts.date_key <= {{ date_key('night.as_of') }}
),

final as (
    select
        answers.event_key,
        answers.customer_key,
        answers.segment,
        answers.journey_key,
        answers.journey,
        answers.touchpoint_key,
        answers.stage_order,
        answers.date_key,
        answers.score_scale,
        answers.score_norm,
        {{ passed_on(after_days('answers.occurred_at', days_to_come_back())) }} as judged_on,
        answers.customer_key <> -1
        and {{ passed_on(after_days('answers.occurred_at', days_to_come_back())) }} <= night.as_of as is_judged,
        come_back.event_key is not null as is_back
    from answers
    cross join night
    left join come_back on come_back.event_key = answers.event_key
)

select * from final
