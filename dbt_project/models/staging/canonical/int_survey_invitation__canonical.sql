{#- Invitations of the canonical extract. -#}
select
    invitation_id,
    survey_id,
    contact_id,
    email,
    ticket_id,
    order_id,
    channel,
    is_reminder,
    false as is_thanks,
    sent_at,
    bounced_at,
    opened_at,
    started_at,
    completed_at,
    opted_out_at,
    coalesce(is_sampled_out, false) as is_sampled_out,
    coalesce(is_deleted, false) as is_deleted,
    updated_at,
    {{ version_columns() }}
from {{ ref('stg_canonical__survey_invitation') }}
