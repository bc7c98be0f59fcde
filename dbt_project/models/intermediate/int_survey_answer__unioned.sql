{{ config(
    touched_key=['source', 'record_id'],
    touches=['survey_answer_key', 'survey_question_key', 'respondent_key', 'invitation_id', 'ticket_id'],
    touched_by="
        {{ new_rows('stg_qualtrics__responses', ['_source', 'response_id']) }}
        union
        select source, response_id from {{ touched('int_survey_invitation__unioned') }} where response_id is not null
        union
        select _source, response_id from {{ ref('stg_qualtrics__responses') }}
        where (_source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        union {{ new_rows('stg_zendesk__satisfaction_ratings', ['_source', 'rating_id']) }}
        union {{ new_rows('stg_olist__order_reviews', ['_source', 'review_id']) }}
        union
        select _source, review_id from {{ ref('stg_olist__order_reviews') }}
        where (_source, order_id) in (select source, order_id from {{ touched('int_order__unioned') }})
        union {{ new_rows('stg_canonical__survey_answer', ['_source', 'answer_id']) }}
        union
        select _source, answer_id from {{ ref('stg_canonical__survey_answer') }}
        where (_source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
    "
) }}

with responses as (
    {{ newest_versions('stg_qualtrics__responses', ['response_id'], [
        'survey_id', 'end_date', 'recorded_date', 'status', 'finished', 'recipient_email', 'external_reference',
        'distribution_channel', 'user_language', 'ticket_id', 'order_id', 'qid1', 'qid2', 'qid3_text', 'other_answers'
    ]) }}
),

ratings as (
    {{ newest_versions('stg_zendesk__satisfaction_ratings', ['rating_id'], [
        'ticket_id', 'requester_id', 'assignee_id', 'score', 'reason', 'comment', 'created_at', 'updated_at'
    ]) }}
),

reviews as (
    {{ newest_versions('stg_olist__order_reviews', ['review_id', 'order_id'], [
        'review_score', 'review_comment_title', 'review_comment_message', 'review_creation_date', 'review_answer_timestamp'
    ], where=is_touched(['_source', 'review_id'])) }}
),

canonical_answers as (
    {{ newest_versions('stg_canonical__survey_answer', ['answer_id'], [
        'response_id', 'survey_id', 'question_id', 'invitation_id', 'contact_id', 'email', 'ticket_id', 'order_id',
        'agent_id', 'score', 'answer', 'reason', 'comment', 'channel', 'language', 'asked_at', 'answered_at', 'is_anonymous',
        'is_test', 'is_spam', 'is_deleted', 'updated_at'
    ]) }}
),

questions as (
    select
        source,
        system,
        survey_id,
        question_id,
        metric,
        scale_min,
        scale_max,
        recode_values
    from {{ ref('int_survey_question__unioned') }}
),

{#-
    Reasons are a column of the answer they explain; questions without a scale have no score to keep. Of a survey that nobody
    described the score question is asked about all the same: its answers are there, and do not count for want of its meaning.
-#}
scored_questions as (
    select
        source,
        survey_id,
        question_id,
        scale_min,
        scale_max,
        recode_values
    from questions
    where system = 'qualtrics' and (metric in ('nps', 'csat', 'ces', 'enps') or (metric = 'other' and scale_max is not null))
    union all
    select distinct
        responses._source,
        responses.survey_id,
        'QID1',
        cast(null as double),
        cast(null as double),
        cast(null as json)
    from responses
    where (responses._source, responses.survey_id) not in (select source, survey_id from questions)
),

invitations as (
    select
        source,
        response_id,
        min(sent_at) as sent_at,
        min(invitation_id) as invitation_id
    from {{ ref('int_survey_invitation__unioned') }}
    where response_id is not null and {{ is_touched(['source', 'response_id']) }}
    group by source, response_id
),

response_answers as (
    select
        responses._source,
        responses.response_id,
        responses.survey_id,
        scored_questions.question_id,
        case scored_questions.question_id
            when 'QID1' then responses.qid1
            when 'QID2' then responses.qid2
            else {{ json_entry('responses.other_answers', 'scored_questions.question_id') }}
        end as answer,
        scored_questions.scale_min,
        scored_questions.scale_max,
        scored_questions.recode_values,
        responses.end_date,
        responses.recorded_date,
        responses.status,
        responses.finished,
        responses.recipient_email,
        responses.external_reference,
        responses.distribution_channel,
        responses.user_language,
        responses.ticket_id,
        responses.order_id,
        responses.qid2,
        responses.qid3_text,
        coalesce(responses.distribution_channel in ('anonymous', 'qr'), false) as is_anonymous,
        responses.is_vanished,
        responses._version_at
    from responses
    inner join scored_questions
        on responses._source = scored_questions.source
        and responses.survey_id = scored_questions.survey_id
),

orders as (
    select
        source,
        order_id,
        contact_id
    from {{ ref('int_order__unioned') }}
    where system = 'olist'
),

read_responses as (
    select
        _source,
        response_id,
        question_id,
        {{ read_score('answer', 'scale_min', 'scale_max', 'recode_values') }} as score
    from response_answers
),

read_canonical_answers as (
    select
        answers._source,
        answers.answer_id,
        coalesce(
            answers.score, {{ read_score('answers.answer', 'questions.scale_min', 'questions.scale_max', 'questions.recode_values') }}
        ) as score
    from canonical_answers as answers
    left join questions
        on questions.source = answers._source
        and questions.survey_id = answers.survey_id
        and questions.question_id = answers.question_id
),

unioned as (
    select
        response_answers._source as source,
        'qualtrics' as system,
        response_answers.response_id as record_id,
        response_answers.response_id || ':' || response_answers.question_id as answer_id,
        response_answers.response_id,
        response_answers.survey_id,
        response_answers.question_id,
        invitations.invitation_id,
        {#- An anonymous answer loses what could link it, whatever the product knows. #}
        case when not response_answers.is_anonymous then response_answers.external_reference end as contact_id,
        case when not response_answers.is_anonymous then response_answers.recipient_email end as email,
        response_answers.ticket_id,
        response_answers.order_id,
        cast(null as varchar) as agent_id,
        read_responses.score,
        {{ is_unread('response_answers.answer', 'read_responses.score') }} as is_unread,
        response_answers.qid2 as reason,
        response_answers.qid3_text as comment,
        response_answers.distribution_channel as channel,
        lower(left(response_answers.user_language, 2)) as language,
        invitations.sent_at as asked_at,
        response_answers.end_date as answered_at,
        response_answers.is_anonymous,
        {#- The export writes words or their codes, as asked; some previews are marked by their channel only. #}
        coalesce({{ contains_word('response_answers.status', ['preview', 'test']) }}, false)
        or coalesce(response_answers.status in ('1', '2', '9', '17'), false)
        or {{ is_test_channel('response_answers.distribution_channel') }} as is_test,
        coalesce({{ contains_word('response_answers.status', ['spam']) }}, false)
        or coalesce(response_answers.status in ('8', '9', '12', '40'), false) as is_spam,
        response_answers.finished as is_finished,
        response_answers.is_vanished as is_deleted,
        response_answers.recorded_date as updated_at,
        response_answers._version_at
    from response_answers
    inner join read_responses
        on read_responses._source = response_answers._source
        and read_responses.response_id = response_answers.response_id
        and read_responses.question_id = response_answers.question_id
    left join invitations
        on response_answers._source = invitations.source
        and response_answers.response_id = invitations.response_id
    where trim(response_answers.answer) <> ''
    union all
    select
        _source,
        'zendesk',
        rating_id,
        rating_id,
        rating_id,
        'zendesk_satisfaction',
        'satisfaction',
        null,
        requester_id,
        null,
        ticket_id,
        null,
        assignee_id,
        case when starts_with(score, 'good') then 1.0 else 0.0 end,
        false,
        reason,
        comment,
        null,
        null,
        created_at,
        updated_at,
        false,
        false,
        false,
        true,
        is_vanished,
        updated_at,
        _version_at
    from ratings
    where score in ('good', 'bad', 'good_with_comment', 'bad_with_comment')
    union all
    select
        reviews._source,
        'olist',
        reviews.review_id,
        reviews.review_id || ':' || reviews.order_id,
        reviews.review_id,
        'olist_order_review',
        'review_score',
        null,
        orders.contact_id,
        null,
        null,
        reviews.order_id,
        null,
        reviews.review_score,
        false,
        null,
        nullif(concat_ws(chr(10), reviews.review_comment_title, reviews.review_comment_message), ''),
        'email',
        'pt',
        reviews.review_creation_date,
        reviews.review_answer_timestamp,
        false,
        false,
        false,
        true,
        reviews.is_vanished,
        reviews.review_answer_timestamp,
        reviews._version_at
    from reviews
    left join orders
        on reviews._source = orders.source
        and reviews.order_id = orders.order_id
    union all
    select
        answers._source,
        'canonical',
        answers.answer_id,
        answers.answer_id,
        coalesce(answers.response_id, answers.answer_id),
        answers.survey_id,
        answers.question_id,
        answers.invitation_id,
        case when not coalesce(answers.is_anonymous, false) then answers.contact_id end,
        case when not coalesce(answers.is_anonymous, false) then answers.email end,
        answers.ticket_id,
        answers.order_id,
        answers.agent_id,
        read_canonical_answers.score,
        {{ is_unread('answers.answer', 'read_canonical_answers.score') }},
        answers.reason,
        answers.comment,
        answers.channel,
        answers.language,
        answers.asked_at,
        answers.answered_at,
        coalesce(answers.is_anonymous, false),
        coalesce(answers.is_test, false) or {{ is_test_channel('answers.channel') }},
        coalesce(answers.is_spam, false),
        true,
        coalesce(answers.is_deleted, false) or answers.is_vanished,
        answers.updated_at,
        answers._version_at
    from canonical_answers as answers
    inner join read_canonical_answers
        on read_canonical_answers._source = answers._source
        and read_canonical_answers.answer_id = answers.answer_id
)

select
    {{ surrogate_key(['source', 'answer_id']) }} as survey_answer_key,
    {{ surrogate_key(['source', 'survey_id', 'question_id']) }} as survey_question_key,
    source,
    system,
    record_id,
    answer_id,
    response_id,
    survey_id,
    question_id,
    invitation_id,
    contact_id,
    email,
    {{ personal_email('email') }} as personal_email,
    {#- What names a person is gone from an anonymous answer already, so it is nobody's. #}
    {{ respondent_key('source', 'contact_id', personal_email('email')) }} as respondent_key,
    ticket_id,
    order_id,
    agent_id,
    score,
    is_unread,
    reason,
    comment,
    channel,
    language,
    asked_at,
    answered_at,
    is_anonymous,
    is_test,
    is_spam,
    is_finished,
    is_deleted,
    updated_at,
    _version_at
from unioned
