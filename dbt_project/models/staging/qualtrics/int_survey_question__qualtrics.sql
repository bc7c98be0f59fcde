{#- Questions of surveys in our words. -#}
select
    survey_id,
    survey_name,
    question_id,
    question_text as wording,
    metric,
    scale_min,
    scale_max,
    scale_direction,
    positive_values,
    recode_values,
    survey_kind,
    touchpoint,
    false as is_deleted,
    last_modified as updated_at,
    {{ version_columns() }}
from {{ ref('stg_qualtrics__survey_definitions') }}
