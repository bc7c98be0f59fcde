{#- Questions of the canonical extract, and those that answers name and only the company describes. -#}
with delivered as (
    select
        survey_id,
        survey_name,
        question_id,
        wording,
        metric,
        scale_min,
        scale_max,
        scale_direction,
        positive_values,
        recode_values,
        survey_kind,
        touchpoint,
        coalesce(is_deleted, false) as is_deleted,
        updated_at,
        {{ version_columns() }}
    from {{ ref('stg_canonical__survey_question') }}
),

{#- They need only be there: what the company says of a question goes before this (int_survey_question__unioned). -#}
described as (
    select
        answers.survey_id,
        answers.survey_id as survey_name,
        answers.question_id,
        answers.question_id as wording,
        'other' as metric,
        {{ undelivered_question_columns() }}
    from {{ ref('stg_canonical__survey_answer') }} as answers
    inner join {{ ref('survey_questions') }} as questions
        on questions.source = answers._source
        and questions.survey_id = answers.survey_id
        and questions.question_id = answers.question_id
    group by answers._source, answers.survey_id, answers.question_id
)

select * from delivered
union all by name
select * from described
