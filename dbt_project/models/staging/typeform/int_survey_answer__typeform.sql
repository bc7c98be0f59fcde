{#-
    Responses to forms taken apart into answers, in our words. The reason and the comment are columns of the answers they explain;
    questions without a scale have no score to keep.
-#}
{%- set survey_id = "coalesce(responses.form_id, surveys_of_responses.survey_id)" -%}
{%- set question = 'scored_questions.question_id' -%}
{%- set answer = scored_answer(question, json_entry('responses.answers', question)) -%}
with {{ scored_questions('typeform') }},

{{ declared_words() }},

{{ surveys_of_responses('stg_typeform__responses', 'response_id', 'form_id') }}

select
    responses.response_id as record_id,
    responses.response_id || ':' || scored_questions.question_id as answer_id,
    responses.response_id,
    {{ survey_id }} as survey_id,
    scored_questions.question_id,
    responses.contact_id,
    responses.email,
    responses.ticket_id,
    responses.order_id,
    trim({{ answer }}) <> '' as is_given,
    {{ answer }} as answer,
    {{ json_entry('responses.answers', 'declared_words.reason_question') }} as reason,
    {{ json_entry('responses.answers', 'declared_words.comment_question') }} as comment,
    responses.channel,
    lower(left(responses.language, 2)) as language,
    responses.submitted_at as answered_at,
    false as is_anonymous,
    {{ is_test_channel('responses.channel') }} as is_test,
    false as is_spam,
    true as is_finished,
    false as is_deleted,
    responses.submitted_at as updated_at,
    {{ version_columns('responses') }}
from {{ ref('stg_typeform__responses') }} as responses
left join surveys_of_responses
    on responses._op = 'delete'
    and surveys_of_responses._source = responses._source
    and surveys_of_responses.response_id = responses.response_id
inner join scored_questions
    on scored_questions.source = responses._source
    and scored_questions.survey_id = {{ survey_id }}
left join declared_words
    on declared_words.source = responses._source
    and declared_words.survey_id = {{ survey_id }}
