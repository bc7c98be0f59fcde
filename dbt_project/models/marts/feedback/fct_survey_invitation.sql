{#-
    Who was asked, and how far they came. What lives here: whether an invitation arrived, was completed and counts. Not here:
    what was answered (fct_survey_answer), response rates (mart_survey_funnel).

    Responses by open link, code or anonymous collector are no invitations: nobody knows how many saw them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['invitation_key'],
    touches=['date_key'],
    touched_by="
        select survey_invitation_key as invitation_key from {{ touched('int_survey_invitation__unioned') }}
        union
        select links.survey_invitation_key from {{ ref('int_survey_invitation__links') }} as links
        inner join {{ this }} as invitations on invitations.invitation_key = links.survey_invitation_key
        where
            links.customer_key <> invitations.customer_key
            or links.ticket_key <> invitations.ticket_key
            or links.order_key <> invitations.order_key
            or links.is_employee <> invitations.is_employee
    "
) }}

with invitations as (
    select
        survey_invitation_key as invitation_key,
        source,
        system,
        survey_id,
        channel as raw_channel,
        sent_at,
        bounced_at,
        opened_at,
        started_at,
        completed_at,
        opted_out_at,
        is_sampled_out,
        is_deleted,
        {#- Some vendors do not say when they sent; whatever came of it says that they did. #}
        coalesce(sent_at, opened_at, started_at, completed_at) is not null as is_sent,
        coalesce(sent_at, opened_at, started_at, completed_at, bounced_at, updated_at) as invited_at
    from {{ ref('int_survey_invitation__unioned') }}
    where {{ is_touched(['survey_invitation_key']) }}
),

judged as (
    select
        invitation_key,
        case
            when is_deleted then 'deleted'
            when lower(raw_channel) in ('anonymous', 'link', 'gl', 'qr') then 'open_link'
            when is_sampled_out then 'sampled_out'
            when not is_sent and bounced_at is null then 'not_sent'
        end as exclusion_reason,
        is_sent and bounced_at is null as is_delivered
    from invitations
),

final as (
    select
        invitations.invitation_key,
        {{ surrogate_key(['invitations.source', 'invitations.survey_id']) }} as survey_key,
        invitations.survey_id,
        invitations.system,
        links.customer_key,
        links.ticket_key,
        links.order_key,
        links.is_employee,
        {{ known_channel('invitations.raw_channel', 'channels') }} as channel,
        {{ local_date_key('invitations.invited_at') }} as date_key,
        invitations.sent_at,
        {{ local_date_key('invitations.sent_at') }} as sent_date_key,
        invitations.bounced_at,
        invitations.opened_at,
        invitations.started_at,
        invitations.completed_at,
        invitations.opted_out_at,
        invitations.is_sampled_out,
        judged.is_delivered,
        judged.is_delivered and invitations.completed_at is not null as is_completed,
        judged.is_delivered and invitations.started_at is not null and invitations.completed_at is null as is_partial,
        judged.exclusion_reason is null as is_counted,
        judged.exclusion_reason
    from invitations
    inner join judged on judged.invitation_key = invitations.invitation_key
    inner join {{ ref('int_survey_invitation__links') }} as links on links.survey_invitation_key = invitations.invitation_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(invitations.raw_channel)
)

select * from final
