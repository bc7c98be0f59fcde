{{ config(
    touched_key=['source', 'invitation_id'],
    touches=['survey_invitation_key', 'response_id', 'respondent_key', 'thread_key'],
    touched_by="
        {{ new_rows('stg_qualtrics__distributions', ['_source', \"distribution_id || ':' || contact_id\"]) }}
        union {{ new_rows('stg_canonical__survey_invitation', ['_source', 'invitation_id']) }}
    "
) }}

with distributions as (
    {{ newest_versions('stg_qualtrics__distributions', ['distribution_id', 'contact_id'], [
        'survey_id', 'external_reference', 'email', 'ticket_id', 'order_id', 'channel', 'request_type', 'status', 'sent_at', 'opened_at',
        'started_at', 'finished_at', 'response_id', 'updated_at'
    ], where=is_touched(['_source', "distribution_id || ':' || contact_id"])) }}
),

canonical_invitations as (
    {{ newest_versions('stg_canonical__survey_invitation', ['invitation_id'], [
        'survey_id', 'contact_id', 'email', 'ticket_id', 'order_id', 'channel', 'is_reminder', 'sent_at', 'bounced_at',
        'opened_at', 'started_at', 'completed_at', 'opted_out_at', 'is_sampled_out', 'is_deleted', 'updated_at'
    ]) }}
),

unioned as (
    select
        _source as source,
        'qualtrics' as system,
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
        {#- The history holds the furthest state only; its time is that of the last change. #}
        case when status in ('SoftBounce', 'HardBounce', 'Failure', 'Blocked') then updated_at end as bounced_at,
        opened_at,
        started_at,
        coalesce(finished_at, case when status = 'SurveyFinished' then updated_at end) as completed_at,
        case when status = 'UserOptedOut' then updated_at end as opted_out_at,
        status = 'Skipped' as is_sampled_out,
        is_vanished as is_deleted,
        updated_at,
        _version_at
    from distributions
    union all
    select
        _source,
        'canonical',
        invitation_id,
        survey_id,
        null,
        contact_id,
        coalesce(contact_id, {{ personal_email('email') }}),
        email,
        ticket_id,
        order_id,
        channel,
        is_reminder,
        false,
        sent_at,
        bounced_at,
        opened_at,
        started_at,
        completed_at,
        opted_out_at,
        coalesce(is_sampled_out, false),
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_invitations
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
    {{ personal_email('email') }} as personal_email,
    {{ respondent_key('source', 'contact_id', personal_email('email')) }} as respondent_key,
    {#- The letters to one person about the same; -1 where nobody knows to whom. #}
    {{ surrogate_key(['source', 'survey_id', 'recipient', "coalesce(ticket_id, '')", "coalesce(order_id, '')"]) }} as thread_key,
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
    is_deleted,
    updated_at,
    _version_at
from unioned
