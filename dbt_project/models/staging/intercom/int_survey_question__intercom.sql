{#- The one question Intercom asks at the end of a conversation, which its extracts do not describe. -#}
select
    'intercom_conversation_rating' as survey_id,
    'Conversation rating' as survey_name,
    'rating' as question_id,
    'How did we do?' as wording,
    'csat' as metric,
    1.0 as scale_min,
    5.0 as scale_max,
    'high_is_good' as scale_direction,
    cast('[4, 5]' as json) as positive_values,
    'transactional' as survey_kind,
    'support_solved' as touchpoint,
    {{ undelivered_question_columns() }}
from {{ ref('stg_intercom__conversations') }}
where rating is not null
group by _source
