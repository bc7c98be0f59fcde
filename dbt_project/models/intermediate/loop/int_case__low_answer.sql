{#-
    Answers of customers that are low, or were before they were changed. What lives here: when each was first low, and when it was
    low no more. Not here: what else opens a case (int_case__failure), the class of the version that stands (fct_survey_answer).
-#}
{{ config(
    touched_key=['answer_key'],
    touched_by="
        {{ moved_answers_of_cases() }}
        union
        select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
        where (source, record_id) in ({{ new_versions('survey_answer', ['source', 'record_id']) }})
    "
) }}

{#- What customers answered, with the scale to judge every version by. -#}
with answers as (
    select
        answers.answer_key,
        answers.response_key,
        answers.ticket_key,
        answers.answered_at,
        records.source,
        records.answer_id,
        questions.metric,
        questions.scale_min,
        questions.scale_max,
        questions.scale_direction,
        questions.positive_values,
        questions.recode_values
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('int_survey_answer__unioned') }} as records on records.survey_answer_key = answers.answer_key
    inner join {{ ref('int_survey_question__unioned') }} as questions on questions.survey_question_key = answers.question_key
    where {{ was_customers_word('answers') }} and {{ is_touched(['answers.answer_key']) }}
),

versions as (
    {{ answer_versions('answers') }}
),

judged_versions as (
    select
        versions.answer_key,
        versions.place,
        versions.version_at,
        {{ is_low_answer(
            'answers.metric', 'versions.score', 'answers.scale_min', 'answers.scale_max', 'answers.scale_direction', 'answers.positive_values'
        ) }} as is_low
    from versions
    inner join answers on answers.answer_key = versions.answer_key
    where versions.score between answers.scale_min and answers.scale_max
),

{#- `low_before_at`: when it was first low, where another version stands now. `changed_at`: when it was low no more. -#}
low_answers as (
    select
        answer_key,
        min(case when is_low and place < last_place then version_at end) as low_before_at,
        min(case when not is_low and place > last_low_place then version_at end) as changed_at
    from (
        select
            answer_key,
            place,
            version_at,
            is_low,
            max(place) over (partition by answer_key) as last_place,
            max(case when is_low then place end) over (partition by answer_key) as last_low_place
        from judged_versions
    ) as versions
    where last_low_place is not null
    group by answer_key
)

select
    answers.answer_key,
    answers.response_key,
    answers.ticket_key,
    case when low_answers.low_before_at < answers.answered_at then low_answers.low_before_at else answers.answered_at end as opened_at,
    low_answers.changed_at
from low_answers
inner join answers on answers.answer_key = low_answers.answer_key
