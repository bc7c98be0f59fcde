{#- Questions of surveys of every source system, as last known. Not here: how their versions were mapped (int_survey_question__version). -#}
{{ config(
    touched_key=['source', 'survey_id', 'question_id'],
    touches=['survey_question_key'],
    touched_by="{{ new_versions('survey_question', ['source', 'survey_id', 'question_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_survey_question__version', ['source', 'survey_id', 'question_id'], [
        'system', 'survey_name', 'wording', 'metric', 'scale_min', 'scale_max', 'scale_direction', 'positive_values',
        'recode_values', 'survey_kind', 'touchpoint', 'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'survey_id', 'question_id']) }} as survey_question_key,
    source,
    system,
    survey_id,
    question_id,
    survey_name,
    wording,
    metric,
    scale_min,
    scale_max,
    {{ known_direction('metric', 'scale_direction', 'scale_min', 'scale_max', 'positive_values') }} as scale_direction,
    {#- What is no list of numbers, or an empty one, says nothing. #}
    case when {{ mean_of_list('positive_values') }} is not null then positive_values end as positive_values,
    recode_values,
    survey_kind,
    touchpoint,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
