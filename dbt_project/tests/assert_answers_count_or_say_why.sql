-- A counted answer has a class and no reason to be left out (one rated again keeps its class); promoters, passives and detractors
-- are all who answered.
select answer_key
from {{ ref('fct_survey_answer') }}
where
    is_counted <> (exclusion_reason is null)
    or (is_counted or coalesce(exclusion_reason = 'rated_again', false)) <> (answer_class is not null)
    or (is_counted and metric in ('nps', 'enps') and answer_class not in ('promoter', 'passive', 'detractor'))
    or (is_counted and metric in ('csat', 'ces') and answer_class not in ('positive', 'neutral', 'negative'))
    or (is_anonymous and customer_key <> -1)
    or score_norm not between 0 and 1 and is_counted
