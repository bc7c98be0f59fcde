{#-
    Scored answers, each with its class and whether it counts. What lives here: the reasons an answer is left out, and what
    it is linked to. Not here: what the question means (dim_survey_question), KPIs (models/marts/kpi), verbatims (private).

    An answer on a scale its metric does not have is refused, never rescaled. Of several ratings of one ticket the latest stands, of
    several answers given together to one question as well. An anonymous answer is never linked to anybody.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['answer_key'],
    touches=['answered_date_key', 'customer_key'],
    touched_by="
        with moved as (
            select survey_answer_key as answer_key from {{ touched('int_survey_answer__unioned') }}
            union
            select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
            where survey_question_key in (select survey_question_key from {{ touched('int_survey_question__unioned') }})
            union
            select answers.answer_key from {{ this }} as answers
            inner join {{ ref('int_survey_answer__links') }} as links on links.survey_answer_key = answers.answer_key
            where
                links.customer_key <> answers.customer_key
                or links.ticket_key <> answers.ticket_key
                or links.order_key <> answers.order_key
            union
            select answer_key from {{ this }} where ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
            union
            select answer_key from {{ this }} where order_key in (select order_key from {{ touched('fct_order') }})
        ),
        responses as (
            select response_key from {{ this }} where answer_key in (select answer_key from moved)
            union
            select {{ surrogate_key(['source', 'response_id']) }} from {{ ref('int_survey_answer__unioned') }}
            where survey_answer_key in (select answer_key from moved)
        )
        select answer_key from moved
        union select answer_key from {{ this }} where response_key <> -1 and response_key in (select response_key from responses)
        union
        select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
        where (survey_question_key, ticket_id) in (
            select survey_question_key, ticket_id from {{ touched('int_survey_answer__unioned') }} where ticket_id is not null
            union
            select survey_question_key, ticket_id from {{ ref('int_survey_answer__unioned') }}
            where ticket_id is not null and survey_answer_key in (select answer_key from moved)
        )
    "
) }}

-- depends_on: {{ ref('int_survey_question__unioned') }}
with answers as (
    select
        answers.survey_answer_key as answer_key,
        {{ surrogate_key(['answers.source', 'answers.response_id']) }} as response_key,
        answers.system,
        answers.ticket_id,
        answers.order_id,
        {{ surrogate_key(['answers.source', 'answers.agent_id']) }} as agent_key,
        coalesce(questions.question_key, -1) as question_key,
        coalesce(questions.metric, 'unknown') as metric,
        coalesce(
            questions.survey_kind,
            case when answers.ticket_id is not null or answers.order_id is not null then 'transactional' else 'relational' end
        ) as survey_kind,
        questions.scale_min,
        questions.scale_max,
        questions.scale_direction,
        questions.positive_values,
        coalesce(questions.touchpoint_key, -1) as touchpoint_key,
        links.customer_key,
        links.ticket_key,
        links.order_key,
        answers.score,
        answers.is_unread,
        {{ high_is_good('answers.score', 'questions.scale_min', 'questions.scale_max', 'questions.scale_direction') }} as good_score,
        {{ lowest_positive('questions.metric', 'questions.scale_min', 'questions.scale_max') }} as lowest_positive,
        answers.channel as raw_channel,
        answers.asked_at,
        answers.answered_at,
        answers.updated_at,
        answers.is_anonymous,
        answers.is_test,
        answers.is_spam,
        answers.is_deleted
    from {{ ref('int_survey_answer__unioned') }} as answers
    inner join {{ ref('int_survey_answer__links') }} as links on links.survey_answer_key = answers.survey_answer_key
    left join {{ ref('dim_survey_question') }} as questions on questions.question_key = answers.survey_question_key
    where {{ is_touched(['answers.survey_answer_key']) }}
),

judged_alone as (
    select
        answer_key,
        response_key,
        question_key,
        ticket_id,
        order_id,
        answered_at,
        updated_at,
        case
            when is_deleted then 'deleted'
            when is_test then 'test'
            when is_spam then 'spam'
            when score is null and not is_unread then 'no_score'
            when question_key = -1 then 'unknown_question'
            when metric not in ('nps', 'enps', 'csat', 'ces') then 'not_a_metric'
            when metric in ('nps', 'enps') and not coalesce(scale_min = 0 and scale_max = 10 and scale_direction = 'high_is_good', false)
                then 'scale_mismatch'
            when metric = 'ces' and positive_values is null and scale_direction is null then 'no_direction'
            when metric in ('csat', 'ces') and positive_values is null and lowest_positive is null then 'no_positive_values'
            when is_unread then 'unread'
            when score < scale_min or score > scale_max then 'off_scale'
            when metric in ('nps', 'enps') and score <> floor(score) then 'off_scale'
        end as exclusion_reason
    from answers
),

{#- Of what could count: its place among the ratings of the same ticket, else among what was answered together about the same. -#}
ranked as (
    select
        answer_key,
        row_number() over latest as recency,
        first_value(response_key) over latest as latest_response_key
    from judged_alone
    where exclusion_reason is null and (ticket_id is not null or response_key <> -1)
    window latest as (
        partition by question_key, ticket_id, case when ticket_id is null then response_key end, case when ticket_id is null then order_id end
        order by answered_at desc, updated_at desc, answer_key desc
    )
),

judged as (
    select
        judged_alone.answer_key,
        case
            when judged_alone.exclusion_reason is not null or coalesce(ranked.recency = 1, true) then judged_alone.exclusion_reason
            when ranked.latest_response_key = judged_alone.response_key then 'duplicate'
            else 'rated_again'
        end as exclusion_reason
    from judged_alone
    left join ranked on ranked.answer_key = judged_alone.answer_key
),

{#- What was said before a ticket was rated again was a customer's word too: cases are opened and closed by it. -#}
classed as (
    select
        answers.answer_key,
        judged.exclusion_reason,
        case when coalesce(judged.exclusion_reason, 'rated_again') = 'rated_again' then
            {{ answer_class(
                'answers.metric', 'answers.score', 'answers.scale_min', 'answers.scale_max', 'answers.positive_values', 'answers.good_score',
                'answers.lowest_positive'
            ) }}
        end as answer_class
    from answers
    inner join judged on judged.answer_key = answers.answer_key
),

touchpoint_events as (
    select
        answers.answer_key,
        answers.system,
        'survey_answer' as object,
        case
            when answers.ticket_id is not null then 'about_ticket'
            when answers.order_id is not null then 'about_order'
            else answers.survey_kind
        end as event,
        case
            when answers.raw_channel is null then coalesce(tickets.channel, 'unknown')
            else coalesce(channels.channel, 'other')
        end as channel
    from answers
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(answers.raw_channel)
),

touchpoint_map as (
    {{ touchpoint_map('touchpoint_events') }}
),

asked_about as (
    select
        answers.answer_key,
        answers.order_key,
        case when answers.touchpoint_key <> -1 then answers.touchpoint_key else coalesce(touchpoint_map.touchpoint_key, -1) end
            as touchpoint_key
    from answers
    inner join touchpoint_events on touchpoint_events.answer_key = answers.answer_key
    left join touchpoint_map
        on touchpoint_map.system = touchpoint_events.system
        and touchpoint_map.object = touchpoint_events.object
        and touchpoint_map.event = touchpoint_events.event
        and touchpoint_map.channel = touchpoint_events.channel
),

late_touchpoints as (
    select
        {{ surrogate_key(['touchpoint']) }} as touchpoint_key,
        {{ surrogate_key(['when_late']) }} as late_touchpoint_key
    from {{ ref('touchpoints') }}
    where when_late is not null
),

{#- What was asked about an order that came late is about its coming late, where the touchpoint has a late one. -#}
answer_touchpoints as (
    select
        asked_about.answer_key,
        coalesce(late_touchpoints.late_touchpoint_key, asked_about.touchpoint_key) as touchpoint_key
    from asked_about
    left join {{ ref('fct_order') }} as orders on orders.order_key = asked_about.order_key
    left join late_touchpoints on late_touchpoints.touchpoint_key = asked_about.touchpoint_key and orders.is_late
),

final as (
    select
        answers.answer_key,
        answers.response_key,
        answers.system,
        answers.customer_key,
        answers.question_key,
        answer_touchpoints.touchpoint_key,
        answers.ticket_key,
        answers.order_key,
        answers.agent_key,
        answers.metric,
        answers.survey_kind,
        touchpoint_events.channel,
        answers.score,
        {{ score_scale('answers.metric', 'answers.scale_min', 'answers.scale_max') }} as score_scale,
        {{ score_norm('answers.score', 'answers.scale_min', 'answers.scale_max', 'answers.scale_direction') }} as score_norm,
        classed.answer_class,
        classed.answer_class in ('promoter', 'positive') as is_positive,
        classed.exclusion_reason is null as is_counted,
        classed.exclusion_reason,
        answers.is_anonymous,
        answers.asked_at,
        answers.answered_at,
        {{ local_date_key('answers.answered_at') }} as answered_date_key,
        {{ minutes_between('answers.asked_at', 'answers.answered_at') }} as minutes_to_answer
    from answers
    inner join classed on classed.answer_key = answers.answer_key
    inner join touchpoint_events on touchpoint_events.answer_key = answers.answer_key
    inner join answer_touchpoints on answer_touchpoints.answer_key = answers.answer_key
)

select * from final
