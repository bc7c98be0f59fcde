{#- What surveys ask, and which answers are good. Not here: classing answers (fct_survey_answer). -#}
{{ config(materialized='table') }}

with questions as (
    select
        questions.survey_question_key as question_key,
        questions.system,
        questions.survey_id,
        questions.survey_name,
        questions.question_id,
        questions.wording,
        questions.metric,
        questions.survey_kind,
        questions.scale_min,
        questions.scale_max,
        questions.scale_direction,
        cast(questions.positive_values as varchar) as positive_values,
        case when touchpoints.touchpoint is null then -1 else {{ surrogate_key(['touchpoints.touchpoint']) }} end as touchpoint_key,
        coalesce(questions.is_deleted, false) as is_deleted
    from {{ ref('int_survey_question__unioned') }} as questions
    left join {{ ref('touchpoints') }} as touchpoints on touchpoints.touchpoint = questions.touchpoint
),

final as (
    select * from questions
    union all
    select
        -1, 'unknown', 'unknown', 'Unknown', 'unknown', 'Unknown', 'unknown', 'unknown',
        cast(null as double), cast(null as double), 'unknown', cast(null as varchar), -1, false
)

select * from final
