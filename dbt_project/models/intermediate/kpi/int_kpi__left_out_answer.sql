{#-
    Answers that cannot count because something about their question or about them is not known. What lives here: of which measure, and
    why (seed left_out_reasons). Not here: answers that are none, such as tests and skipped questions (fct_survey_answer).

    What a question nobody described asks is not known either, nor what a survey measures in which nothing is scored, so their answers
    may be missing from every measure of customers' answers.
-#}
{{ config(
    touched_key=['record_key'],
    touches=['measure', 'date_day'],
    touched_by="select answer_key as record_key from {{ touched('fct_survey_answer') }}"
) }}

with answers as (
    select
        answers.answer_key as record_key,
        records.source,
        {{ stream_of('survey_answer', 'answers.system') }} as stream,
        case when records.question_id <> '*' then 'question ' || records.question_id || ' of ' else '' end
        || 'survey ' || records.survey_id as part,
        answers.metric,
        case when answers.survey_kind = 'relational' then 'nps_relational' else 'nps_transactional' end as nps_measure,
        {{ date_of_key('answers.answered_date_key') }} as date_day,
        answers.is_counted,
        case
            when answers.exclusion_reason = 'unknown_question' and records.question_id = '*' then 'unmeasured_survey'
            else answers.exclusion_reason
        end as exclusion_reason,
        answers.score_norm
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('int_survey_answer__unioned') }} as records on records.survey_answer_key = answers.answer_key
    where {{ is_touched(['answers.answer_key']) }}
),

{#- A mean asks for more than a share: where on the scale the answer lies. -#}
left_out as (
    select record_key, case when metric = 'nps' then nps_measure else metric end as measure, date_day, source, stream, part, exclusion_reason as reason
    from answers
    where exclusion_reason in ('scale_mismatch', 'no_direction', 'no_positive_values', 'unread', 'off_scale')
    union all
    select record_key, metric || '_mean', date_day, source, stream, part, exclusion_reason
    from answers
    where exclusion_reason in ('no_direction', 'no_positive_values', 'unread', 'off_scale') and metric in ('csat', 'ces')
    union all
    select record_key, metric || '_mean', date_day, source, stream, part, 'no_place_on_scale'
    from answers
    where is_counted and score_norm is null and metric in ('csat', 'ces')
    {%- for measure in ['nps_measure', "'csat'", "'csat_mean'", "'ces'", "'ces_mean'"] %}
    union all
    select record_key, {{ measure }}, date_day, source, stream, part, exclusion_reason
    from answers
    where exclusion_reason in ('unknown_question', 'unmeasured_survey')
    {%- endfor %}
)

select
    record_key,
    measure,
    date_day,
    source,
    stream,
    part,
    reason
from left_out
