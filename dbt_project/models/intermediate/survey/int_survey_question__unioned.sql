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
),

{#- What the company says of a question goes before what the tool says; a comment is no metric, but which one it is matters to answers. -#}
told as (
    select
        newest.source,
        newest.system,
        newest.survey_id,
        newest.question_id,
        newest.survey_name,
        newest.wording,
        coalesce(case declared.metric when 'comment' then 'other' else declared.metric end, newest.metric) as metric,
        coalesce(declared.scale_min, newest.scale_min) as scale_min,
        coalesce(declared.scale_max, newest.scale_max) as scale_max,
        coalesce(declared.scale_direction, newest.scale_direction) as scale_direction,
        coalesce(cast(declared.positive_values as json), newest.positive_values) as positive_values,
        coalesce(cast(declared.recode_values as json), newest.recode_values) as recode_values,
        coalesce(declared.survey_kind, newest.survey_kind) as survey_kind,
        coalesce(declared.touchpoint, newest.touchpoint) as touchpoint,
        newest.is_deleted,
        newest.is_vanished,
        newest.updated_at,
        newest._version_at
    from newest
    left join {{ ref('survey_questions') }} as declared
        on declared.source = newest.source
        and declared.survey_id = newest.survey_id
        and declared.question_id = newest.question_id
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
from told
