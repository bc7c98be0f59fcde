{{ config(
    touched_key=['source', 'record_id'],
    touches=['survey_answer_key', 'survey_question_key', 'respondent_key', 'invitation_id'],
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
    "
) }}

with responses as (
    {{ newest_versions('stg_qualtrics__responses', ['response_id'], [
        'survey_id', 'end_date', 'recorded_date', 'status', 'recipient_email', 'external_reference',
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
        'agent_id', 'score', 'reason', 'comment', 'channel', 'language', 'asked_at', 'answered_at', 'is_anonymous',
        'is_test', 'is_spam', 'is_deleted', 'updated_at'
    ]) }}
),

{#- Reasons are a column of the answer they explain; questions without a scale have no score to keep. -#}
scored_questions as (
    select
        source,
        survey_id,
        question_id
    from {{ ref('int_survey_question__unioned') }}
    where system = 'qualtrics' and (metric in ('nps', 'csat', 'ces', 'enps') or (metric = 'other' and scale_max is not null))
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
            else responses.other_answers ->> ('$."' || scored_questions.question_id || '"')
        end as answer,
        responses.end_date,
        responses.recorded_date,
        responses.status,
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
        try_cast(response_answers.answer as double) as score,
        response_answers.qid2 as reason,
        response_answers.qid3_text as comment,
        response_answers.distribution_channel as channel,
        lower(left(response_answers.user_language, 2)) as language,
        invitations.sent_at as asked_at,
        response_answers.end_date as answered_at,
        response_answers.is_anonymous,
        {#- The export writes words or their codes, as asked. #}
        coalesce(lower(response_answers.status) in ('survey preview', 'survey test', '1', '2', '9', '17'), false) as is_test,
        coalesce(lower(response_answers.status) in ('spam', '8', '9', '12'), false) as is_spam,
        response_answers.is_vanished as is_deleted,
        response_answers.recorded_date as updated_at,
        response_answers._version_at
    from response_answers
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
        reason,
        comment,
        null,
        null,
        created_at,
        updated_at,
        false,
        false,
        false,
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
        null,
        nullif(concat_ws(chr(10), reviews.review_comment_title, reviews.review_comment_message), ''),
        'email',
        'pt',
        reviews.review_creation_date,
        reviews.review_answer_timestamp,
        false,
        false,
        false,
        reviews.is_vanished,
        reviews.review_answer_timestamp,
        reviews._version_at
    from reviews
    left join orders
        on reviews._source = orders.source
        and reviews.order_id = orders.order_id
    union all
    select
        _source,
        'canonical',
        answer_id,
        answer_id,
        coalesce(response_id, answer_id),
        survey_id,
        question_id,
        invitation_id,
        case when not coalesce(is_anonymous, false) then contact_id end,
        case when not coalesce(is_anonymous, false) then email end,
        ticket_id,
        order_id,
        agent_id,
        score,
        reason,
        comment,
        channel,
        language,
        asked_at,
        answered_at,
        coalesce(is_anonymous, false),
        coalesce(is_test, false),
        coalesce(is_spam, false),
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_answers
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
    reason,
    comment,
    channel,
    language,
    asked_at,
    answered_at,
    is_anonymous,
    is_test,
    is_spam,
    is_deleted,
    updated_at,
    _version_at
from unioned
