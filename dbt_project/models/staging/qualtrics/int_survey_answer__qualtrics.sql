{#-
    Responses taken apart into answers, in our words. Reasons are a column of the answer they explain; questions without a scale have
    no score to keep. Of a survey that nobody described the score question is asked about all the same: its answers are there, and do not
    count for want of its meaning.
-#}
{%- set question = "coalesce(scored_questions.question_id, 'QID1')" -%}
{%- set answer = scored_answer(question, qualtrics_answer(question)) -%}
with {{ scored_questions('qualtrics') }},

{{ declared_words() }},

described_surveys as (
    select distinct source, survey_id
    from {{ ref('int_survey_question__unioned') }}
),

surveys_of_responses as (
    select distinct _source, response_id, survey_id
    from {{ ref('stg_qualtrics__responses') }}
    where _op = 'upsert'
),

{#- A response that disappeared does not say of which survey it was. -#}
responses as (
    select
        responses.response_id,
        coalesce(responses.survey_id, surveys_of_responses.survey_id) as survey_id,
        responses.external_reference,
        responses.recipient_email,
        responses.ticket_id,
        responses.order_id,
        responses.qid1,
        responses.qid2,
        responses.qid3_text,
        responses.answers,
        responses.other_answers,
        responses.distribution_channel,
        responses.user_language,
        responses.end_date,
        responses.recorded_date,
        responses.status,
        responses.finished,
        coalesce(responses.distribution_channel in ('anonymous', 'qr'), false) as is_anonymous,
        {{ version_columns('responses') }}
    from {{ ref('stg_qualtrics__responses') }} as responses
    left join surveys_of_responses
        on responses._op = 'delete'
        and surveys_of_responses._source = responses._source
        and surveys_of_responses.response_id = responses.response_id
)

select
    responses.response_id as record_id,
    responses.response_id || ':' || {{ question }} as answer_id,
    responses.response_id,
    responses.survey_id,
    {{ question }} as question_id,
    {#- An anonymous answer loses what could link it, whatever the product knows. #}
    case when not responses.is_anonymous then responses.external_reference end as contact_id,
    case when not responses.is_anonymous then responses.recipient_email end as email,
    responses.ticket_id,
    responses.order_id,
    trim({{ answer }}) <> '' as is_given,
    {{ answer }} as answer,
    {{ qualtrics_answer("coalesce(declared_words.reason_question, 'QID2')") }} as reason,
    {{ qualtrics_answer("coalesce(declared_words.comment_question, 'QID3_TEXT')") }} as comment,
    responses.distribution_channel as channel,
    lower(left(responses.user_language, 2)) as language,
    responses.end_date as answered_at,
    responses.is_anonymous,
    {#- The export writes words or their codes, as asked; some previews are marked by their channel only. #}
    coalesce({{ contains_word('responses.status', ['preview', 'test']) }}, false)
    or coalesce(responses.status in ('1', '2', '9', '17'), false)
    or {{ is_test_channel('responses.distribution_channel') }} as is_test,
    coalesce({{ contains_word('responses.status', ['spam']) }}, false)
    or coalesce(responses.status in ('8', '9', '12', '40'), false) as is_spam,
    responses.finished as is_finished,
    false as is_deleted,
    responses.recorded_date as updated_at,
    {{ version_columns('responses', source='source') }}
from responses
left join scored_questions
    on scored_questions.source = responses.source
    and scored_questions.survey_id = responses.survey_id
left join described_surveys
    on described_surveys.source = responses.source
    and described_surveys.survey_id = responses.survey_id
left join declared_words
    on declared_words.source = responses.source
    and declared_words.survey_id = responses.survey_id
where scored_questions.question_id is not null or described_surveys.survey_id is null
