{#- Ratings of tickets in our words. One that is offered, or taken back, is no answer. -#}
select
    rating_id as record_id,
    rating_id as answer_id,
    rating_id as response_id,
    'zendesk_satisfaction' as survey_id,
    'satisfaction' as question_id,
    requester_id as contact_id,
    ticket_id,
    assignee_id as agent_id,
    score in ('good', 'bad', 'good_with_comment', 'bad_with_comment') as is_given,
    case
        when score in ('good', 'good_with_comment') then 1.0
        when score in ('bad', 'bad_with_comment') then 0.0
    end as score,
    reason,
    comment,
    created_at as asked_at,
    updated_at as answered_at,
    false as is_anonymous,
    false as is_test,
    false as is_spam,
    true as is_finished,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_zendesk__satisfaction_ratings') }}
