{#-
    Scored answers, each with its class, whether it counts, and what it is linked to. What lives here: one row per answer with all of it.
    Not here: what an answer means (int_survey_answer__judged), what it is about (int_survey_answer__subject), KPIs (models/marts/kpi),
    verbatims (private).

    What was asked about an order that came late is about its coming late, where the touchpoint has a late one.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['answer_key'],
    touches=['answered_date_key', 'customer_key'],
    touched_by="
        select answer_key from {{ touched('int_survey_answer__judged') }}
        union select answer_key from {{ touched('int_survey_answer__subject') }}
        union select answer_key from {{ this }} where order_key in (select order_key from {{ touched('fct_order') }})
    "
) }}

with late_touchpoints as (
    select
        {{ surrogate_key(['touchpoint']) }} as touchpoint_key,
        {{ surrogate_key(['when_late']) }} as late_touchpoint_key
    from {{ ref('touchpoints') }}
    where when_late is not null
),

final as (
    select
        answers.answer_key,
        answers.response_key,
        answers.system,
        subjects.customer_key,
        answers.question_key,
        coalesce(late_touchpoints.late_touchpoint_key, subjects.touchpoint_key) as touchpoint_key,
        subjects.ticket_key,
        subjects.order_key,
        answers.agent_key,
        answers.metric,
        answers.survey_kind,
        subjects.channel,
        answers.score,
        answers.score_scale,
        answers.score_norm,
        answers.answer_class,
        answers.answer_class in ('promoter', 'positive') as is_positive,
        answers.exclusion_reason is null as is_counted,
        answers.exclusion_reason,
        answers.is_anonymous,
        answers.asked_at,
        answers.answered_at,
        {{ local_date_key('answers.answered_at') }} as answered_date_key,
        {{ minutes_between('answers.asked_at', 'answers.answered_at') }} as minutes_to_answer
    from {{ ref('int_survey_answer__judged') }} as answers
    inner join {{ ref('int_survey_answer__subject') }} as subjects on subjects.answer_key = answers.answer_key
    left join {{ ref('fct_order') }} as orders on orders.order_key = subjects.order_key
    left join late_touchpoints on late_touchpoints.touchpoint_key = subjects.touchpoint_key and orders.is_late
    where {{ is_touched(['answers.answer_key']) }}
)

select * from final
