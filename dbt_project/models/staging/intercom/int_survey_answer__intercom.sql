{#- Ratings of conversations in our words. One that was asked for and not given is no answer. -#}
select
    conversation_id as record_id,
    conversation_id as answer_id,
    conversation_id as response_id,
    'intercom_conversation_rating' as survey_id,
    'rating' as question_id,
    coalesce(rating_contact_id, contact_id) as contact_id,
    conversation_id as ticket_id,
    rating_teammate_id as agent_id,
    rating is not null as is_given,
    cast(rating as double) as score,
    rating_remark as comment,
    rating_requested_at as asked_at,
    coalesce(rating_updated_at, rating_requested_at, updated_at) as answered_at,
    false as is_anonymous,
    false as is_test,
    false as is_spam,
    true as is_finished,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_intercom__conversations') }}
