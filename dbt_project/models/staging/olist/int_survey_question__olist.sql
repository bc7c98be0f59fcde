{#- The one question the shop asks, which its files do not describe: it is asked where there are reviews. -#}
select
    'olist_order_review' as survey_id,
    'Order review' as survey_name,
    'review_score' as question_id,
    'How satisfied are you with your order?' as wording,
    'csat' as metric,
    1.0 as scale_min,
    5.0 as scale_max,
    'high_is_good' as scale_direction,
    cast('[4, 5]' as json) as positive_values,
    'transactional' as survey_kind,
    'order_delivered' as touchpoint,
    {{ undelivered_question_columns() }}
from {{ ref('stg_olist__order_reviews') }}
group by _source
