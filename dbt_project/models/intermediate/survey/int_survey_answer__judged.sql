{#-
    What each answer means on the scale of its question, and whether it counts. What lives here: the reasons an answer is left out, its
    class. Not here: what the question means (dim_survey_question), whose the answer is and what it is about
    (int_survey_answer__subject).

    An answer on a scale its metric does not have is refused, never rescaled. Of the ratings of one ticket the latest stands, whatever
    else is in their responses; of several answers given together to one question as well.
-#}
{{ config(
    touched_key=['answer_key'],
    touched_by="
        with moved as (
            select survey_answer_key as answer_key from {{ touched('int_survey_answer__unioned') }}
            union
            select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
            where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        ),
        responses as (
            select response_key from {{ this }} where answer_key in (select answer_key from moved)
            union
            select {{ surrogate_key(['source', 'response_id']) }} from {{ ref('int_survey_answer__unioned') }}
            where survey_answer_key in (select answer_key from moved)
        )
        select answer_key from moved
        union select answer_key from {{ this }} where ticket_id is null and response_key <> -1 and response_key in (select response_key from responses)
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
        employee_surveys.survey_id is not null as is_employee,
        questions.scale_min,
        questions.scale_max,
        questions.scale_direction,
        questions.positive_values,
        coalesce(questions.touchpoint_key, -1) as touchpoint_key,
        answers.score,
        answers.is_unread,
        {{ high_is_good('answers.score', 'questions.scale_min', 'questions.scale_max', 'questions.scale_direction') }} as good_score,
        {{ lowest_positive('questions.metric', 'questions.scale_min', 'questions.scale_max') }} as lowest_positive,
        answers.channel,
        answers.asked_at,
        answers.answered_at,
        answers.updated_at,
        answers.is_anonymous,
        answers.is_test,
        answers.is_spam,
        answers.is_deleted
    from {{ ref('int_survey_answer__unioned') }} as answers
    left join {{ ref('dim_survey_question') }} as questions on questions.question_key = answers.survey_question_key
    left join ({{ employee_surveys() }}) as employee_surveys
        on {{ equal_columns('employee_surveys', 'answers', ['source', 'survey_id']) }}
    where {{ is_touched(['answers.survey_answer_key']) }}
),

alone as (
    select
        *,
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
        end as reason_alone
    from answers
),

{#- Of what could count: its place among the ratings of the same ticket, else among what was answered together about the same. -#}
ranked as (
    select
        answer_key,
        row_number() over latest as recency,
        first_value(response_key) over latest as latest_response_key
    from alone
    where reason_alone is null and (ticket_id is not null or response_key <> -1)
    window latest as (
        partition by question_key, ticket_id, case when ticket_id is null then response_key end, case when ticket_id is null then order_id end
        order by answered_at desc, updated_at desc, answer_key desc
    )
),

judged as (
    select
        alone.*,
        case
            when alone.reason_alone is not null or coalesce(ranked.recency = 1, true) then alone.reason_alone
            when ranked.latest_response_key = alone.response_key then 'duplicate'
            else 'rated_again'
        end as exclusion_reason
    from alone
    left join ranked on ranked.answer_key = alone.answer_key
)

{#- What was said before a ticket was rated again was a customer's word too: cases are opened and closed by it. -#}
select
    answer_key,
    response_key,
    system,
    ticket_id,
    order_id,
    agent_key,
    question_key,
    metric,
    survey_kind,
    is_employee,
    touchpoint_key,
    channel,
    score,
    {{ score_scale('metric', 'scale_min', 'scale_max') }} as score_scale,
    {{ score_norm('score', 'scale_min', 'scale_max', 'scale_direction') }} as score_norm,
    case when coalesce(exclusion_reason, 'rated_again') = 'rated_again' then
        {{ answer_class(
            'metric', 'score', 'scale_min', 'scale_max', 'positive_values', 'good_score',
            'lowest_positive'
        ) }}
    end as answer_class,
    exclusion_reason,
    is_anonymous,
    asked_at,
    answered_at
from judged
