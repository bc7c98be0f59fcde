{#- Questions of the canonical extract. -#}
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
