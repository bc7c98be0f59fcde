{#- Questions of surveys in our words. -#}
select
    survey_id,
    survey_title as survey_name,
    question_id,
    question_text as wording,
    metric,
    scale_min,
    scale_max,
    recode_values,
    false as is_deleted,
    date_modified as updated_at,
    {{ version_columns() }}
from {{ ref('stg_surveymonkey__questions') }}
