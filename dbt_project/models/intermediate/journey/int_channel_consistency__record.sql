{#-
    What channels are compared by: answers, waits, switches and contacts of ours as records of one shape. What lives here: which records
    count, on which day, over which channel. Not here: counting (int_channel_consistency__value).

    The channel is that of the contact: a survey about a phone call that was sent by e-mail speaks of the phone.
-#}
{{ config(
    touched_key=['object', 'record_key'],
    touches=['kpi', 'month_start'],
    touched_by="{{ touched_channel_records() }}"
) }}

{%- set waits = {
    'first_reply_minutes': ('first_reply_date_key', 'answer', 'tickets.is_customer_initiated'),
    'full_resolution_minutes': ('last_solved_date_key', 'solution', 'true'),
} %}

{#- How long a step of a request for help may take is the level no wait should pass. -#}
with limits as (
    select
        step,
        max(cast(target_minutes as double)) as limit_minutes
    from {{ ref('dim_journey_step') }}
    where journey = 'support'
    group by step
),

records as (
    select
        'answer' as object,
        answers.answer_key as record_key,
        case when answers.metric = 'nps' then 'nps_transactional' else answers.metric end as kpi,
        coalesce(nullif(tickets.channel, 'unknown'), nullif(orders.channel, 'unknown'), answers.channel) as channel,
        answers.answered_date_key as date_key,
        case when answers.customer_key = -1 then -1 - answers.answer_key else answers.customer_key end as respondent,
        case when answers.answer_class in ('promoter', 'positive') then 1 else 0 end as positives,
        case when answers.answer_class in ('detractor', 'negative') then 1 else 0 end as negatives,
        answers.score_norm as level,
        cast({{ score_floor() }} as double) as floor_value,
        answers.score_norm <= {{ score_floor() }} as is_beyond_floor
    from {{ ref('fct_survey_answer') }} as answers
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    left join {{ ref('fct_order') }} as orders on orders.order_key = answers.order_key
    where
        {{ is_touched(["'answer'", 'answers.answer_key']) }}
        and answers.is_counted
        and (answers.metric in ('csat', 'ces') or (answers.metric = 'nps' and answers.survey_kind <> 'relational'))
    {%- for kpi, (day, step, condition) in waits.items() %}
    {%- set object = channel_durations()[kpi] %}
    union all
    select
        '{{ object }}', tickets.ticket_key, '{{ kpi }}', tickets.channel, tickets.{{ day }},
        case when tickets.customer_key = -1 then -1 - tickets.ticket_key else tickets.customer_key end,
        0, 0, tickets.{{ kpi }}, limits.limit_minutes, coalesce(tickets.{{ kpi }} > limits.limit_minutes, false)
    from {{ ref('fct_ticket') }} as tickets
    left join limits on limits.step = '{{ step }}'
    where
        {{ is_touched(["'" ~ object ~ "'", 'tickets.ticket_key']) }}
        and {{ is_ticket_counted('tickets.removed_kind') }}
        and tickets.{{ kpi }} is not null
        and {{ condition }}
    {%- endfor %}
    union all
    select
        'journey', journey_key, 'journeys_with_switch', first_channel, start_date_key,
        case when customer_key = -1 then -1 - journey_key else customer_key end,
        case when n_switches > 0 then 1 else 0 end, 0, null, null, false
    from {{ ref('fct_journey') }}
    where {{ is_touched(["'journey'", 'journey_key']) }} and journey = 'support' and is_matured
    union all
    select
        'contact', events.event_key, 'preferred_channel_match', events.channel, events.date_key, events.customer_key,
        case when events.channel = customers.preferred_channel then 1 else 0 end, 0, null, null, false
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_customer') }} as customers on customers.customer_key = events.customer_key
    where
        {{ is_touched(["'contact'", 'events.event_key']) }}
        and events.direction = 'outbound'
        and (events.object = 'activity' or events.event = 'created_by_us')
        and events.channel not in ('unknown', 'other')
        and customers.preferred_channel is not null
),

final as (
    select
        object,
        record_key,
        kpi,
        channel,
        {{ date_of_key('date_key') }} as date_day,
        {{ month_of_key('date_key') }} as month_start,
        respondent,
        positives,
        negatives,
        level,
        floor_value,
        is_beyond_floor
    from records
    where date_key > 0
)

select * from final
