{#-
    The questions of the satisfaction survey, which no extract describes: they are asked where there are ratings. The first one is the
    satisfaction with the help; what a further one measures, the company says.
-#}
select
    'freshdesk_satisfaction' as survey_id,
    'Help desk satisfaction' as survey_name,
    question_id,
    case when question_id = 'default_question' then 'How would you rate the help you received?' else question_id end as wording,
    case when question_id = 'default_question' then 'csat' else 'other' end as metric,
    1.0 as scale_min,
    7.0 as scale_max,
    'high_is_good' as scale_direction,
    cast('[5, 6, 7]' as json) as positive_values,
    'transactional' as survey_kind,
    'support_solved' as touchpoint,
    {{ undelivered_question_columns() }}
from {{ ref('stg_freshdesk__satisfaction_ratings') }}
group by _source, question_id
