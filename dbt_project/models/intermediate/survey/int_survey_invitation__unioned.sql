{#- Invitations to surveys of every source system, as last known. Not here: how their versions were mapped (int_survey_invitation__version). -#}
{{ config(
    touched_key=['source', 'invitation_id'],
    touches=['survey_invitation_key', 'response_id', 'respondent_key', 'thread_key'],
    touched_by="{{ new_versions('survey_invitation', ['source', 'invitation_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_survey_invitation__version', ['source', 'invitation_id'], [
        'system', 'survey_id', 'response_id', 'contact_id', 'recipient', 'email', 'ticket_id', 'order_id', 'channel',
        'is_reminder', 'is_thanks', 'sent_at', 'bounced_at', 'opened_at', 'started_at', 'completed_at', 'opted_out_at',
        'is_sampled_out', 'is_deleted', 'updated_at'
    ]) }}
),

invitations as (
    select
        *,
        {{ personal_email('email') }} as personal_email
    from newest
)

select
    {{ surrogate_key(['source', 'invitation_id']) }} as survey_invitation_key,
    source,
    system,
    invitation_id,
    survey_id,
    response_id,
    contact_id,
    email,
    personal_email,
    {{ respondent_key('source', 'contact_id', 'personal_email') }} as respondent_key,
    {#- The letters to one person about the same; -1 where nobody knows to whom. #}
    {{ surrogate_key([
        'source', 'survey_id', 'coalesce(recipient, contact_id, personal_email)', "coalesce(ticket_id, '')", "coalesce(order_id, '')"
    ]) }} as thread_key,
    ticket_id,
    order_id,
    channel,
    is_reminder,
    is_thanks,
    sent_at,
    bounced_at,
    opened_at,
    started_at,
    completed_at,
    opted_out_at,
    is_sampled_out,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from invitations
