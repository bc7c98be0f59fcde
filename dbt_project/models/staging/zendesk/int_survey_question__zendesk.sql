{#- The one question the help desk asks, which its extracts do not describe: it is asked where there are ratings. -#}
select
    'zendesk_satisfaction' as survey_id,
    'Help desk satisfaction' as survey_name,
    'satisfaction' as question_id,
    'How would you rate the help you received?' as wording,
    'csat' as metric,
    0.0 as scale_min,
    1.0 as scale_max,
    'high_is_good' as scale_direction,
    cast('[1]' as json) as positive_values,
    'transactional' as survey_kind,
    'support_solved' as touchpoint,
    {{ undelivered_question_columns() }}
from {{ ref('stg_zendesk__satisfaction_ratings') }}
group by _source
