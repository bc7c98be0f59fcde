{#- Distributions in our words: one letter to one recipient. The history holds the furthest state only; its time is that of the last change. -#}
select
    distribution_id || ':' || contact_id as invitation_id,
    survey_id,
    response_id,
    external_reference as contact_id,
    contact_id as recipient,
    email,
    ticket_id,
    order_id,
    channel,
    case when request_type is not null then lower(request_type) = 'reminder' end as is_reminder,
    coalesce(lower(request_type) in ('thankyou', 'thank_you'), false) as is_thanks,
    sent_at,
    case when status in ('SoftBounce', 'HardBounce', 'Failure', 'Blocked') then updated_at end as bounced_at,
    opened_at,
    started_at,
    coalesce(finished_at, case when status = 'SurveyFinished' then updated_at end) as completed_at,
    case when status = 'UserOptedOut' then updated_at end as opted_out_at,
    status = 'Skipped' as is_sampled_out,
    false as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_qualtrics__distributions') }}
