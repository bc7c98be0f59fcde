{#- Ratings of tickets in our words: from 1 (extremely unhappy) over 4 (neutral) to 7. The comment is on the whole, so on the first question. -#}
select
    rating_id as record_id,
    rating_id || ':' || question_id as answer_id,
    rating_id as response_id,
    'freshdesk_satisfaction' as survey_id,
    question_id,
    user_id as contact_id,
    ticket_id,
    agent_id,
    true as is_given,
    case rating
        when '103' then 7.0 when '102' then 6.0 when '101' then 5.0 when '100' then 4.0
        when '-101' then 3.0 when '-102' then 2.0 when '-103' then 1.0
    end as score,
    case when question_id = 'default_question' then feedback end as comment,
    created_at as answered_at,
    false as is_anonymous,
    false as is_test,
    false as is_spam,
    true as is_finished,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_freshdesk__satisfaction_ratings') }}
