{#-
    Responses to surveys taken apart into answers, in our words. The reason and the comment are columns of the answers they explain;
    questions without a scale have no score to keep. A response that is over quota or screened out was not finished either.
-#}
{%- set survey_id = "coalesce(responses.survey_id, surveys_of_responses.survey_id)" -%}
{%- set reason = json_entry('responses.answers', 'declared_words.reason_question') -%}
{%- set question = 'scored_questions.question_id' -%}
{%- set answer = scored_answer(question, json_entry('responses.answers', question)) -%}
with {{ scored_questions('surveymonkey') }},

{{ declared_words() }},

{{ surveys_of_responses('stg_surveymonkey__responses', 'response_id', 'survey_id') }},

{#- A response names choices by their ids. -#}
wordings as (
    {{ newest_versions('stg_surveymonkey__questions', ['_source', 'survey_id', 'question_id'], ['choices'], where='true') }}
)

select
    responses.response_id as record_id,
    responses.response_id || ':' || scored_questions.question_id as answer_id,
    responses.response_id,
    {{ survey_id }} as survey_id,
    scored_questions.question_id,
    responses.contact_id,
    responses.email_address as email,
    responses.ticket_id,
    responses.order_id,
    trim({{ answer }}) <> '' as is_given,
    {{ answer }} as answer,
    coalesce({{ json_entry('wordings.choices', reason) }}, {{ reason }}) as reason,
    {{ json_entry('responses.answers', 'declared_words.comment_question') }} as comment,
    responses.channel,
    lower(left(responses.language, 2)) as language,
    responses.date_modified as answered_at,
    false as is_anonymous,
    coalesce({{ contains_word('responses.collection_mode', ['preview']) }}, false) as is_test,
    false as is_spam,
    responses.response_status = 'completed' as is_finished,
    false as is_deleted,
    responses.date_modified as updated_at,
    {{ version_columns('responses') }}
from {{ ref('stg_surveymonkey__responses') }} as responses
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
left join wordings
    on wordings._source = responses._source
    and wordings.survey_id = {{ survey_id }}
    and wordings.question_id = declared_words.reason_question
