{#- Answers to surveys of HubSpot in our words. Satisfaction comes by its class: 2 happy, 1 neutral, 0 unhappy. -#}
select
    submission_id as record_id,
    submission_id as answer_id,
    submission_id as response_id,
    survey_id,
    survey_type as question_id,
    contact_id,
    email,
    ticket_id,
    case when survey_type = 'csat' then response_group is not null else trim(answer) <> '' end as is_given,
    case when survey_type <> 'csat' then answer end as answer,
    case
        when survey_type = 'csat' and response_group = 'PROMOTER' then 2.0
        when survey_type = 'csat' and response_group = 'PASSIVE' then 1.0
        when survey_type = 'csat' and response_group = 'DETRACTOR' then 0.0
    end as score,
    comment,
    channel,
    submitted_at as answered_at,
    false as is_anonymous,
    false as is_test,
    false as is_spam,
    true as is_finished,
    is_archived as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_hubspot__feedback_submissions') }}
