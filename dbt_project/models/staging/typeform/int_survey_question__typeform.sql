{#- Questions of forms in our words. -#}
select
    form_id as survey_id,
    form_title as survey_name,
    question_id,
    question_text as wording,
    metric,
    scale_min,
    scale_max,
    false as is_deleted,
    last_updated_at as updated_at,
    {{ version_columns() }}
from {{ ref('stg_typeform__questions') }}
