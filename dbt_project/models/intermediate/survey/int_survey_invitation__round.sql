{#-
    Which letters of surveys are invitations, and which remind of one. What lives here: whether a letter counts and arrived by itself, and
    the round it belongs to: an invitation and the letters that remind of it. Not here: what came of a round (fct_survey_invitation).

    A letter is a reminder where the source says so, else where it follows another about the same within reminder_days() and
    nothing was answered in between. An answer that names its invitation completes it. Responses by open link, code or
    anonymous collector are no invitations: nobody knows how many saw them.
-#}
{{ config(
    touched_key=['invitation_key'],
    derived_alone=false,
    touches=['thread_key'],
    touched_by="
        with moved as (
            select survey_invitation_key as invitation_key from {{ touched('int_survey_invitation__unioned') }}
            union
            select survey_invitation_key from {{ ref('int_survey_invitation__unioned') }}
            where (source, invitation_id) in (
                select source, invitation_id from {{ touched('int_survey_answer__unioned') }} where invitation_id is not null
            )
        )
        select invitation_key from moved
        union
        select survey_invitation_key from {{ ref('int_survey_invitation__unioned') }}
        where thread_key <> -1 and thread_key in (
            select thread_key from {{ touched('int_survey_invitation__unioned') }}
            union
            select thread_key from {{ ref('int_survey_invitation__unioned') }}
            where survey_invitation_key in (select invitation_key from moved)
        )
    "
) }}

with answered as (
    select
        source,
        invitation_id,
        min(case when is_finished and not (is_test or is_spam or is_deleted) then answered_at end) as answered_at,
        {{ dbt.bool_or('is_anonymous') }} as is_anonymous
    from {{ ref('int_survey_answer__unioned') }}
    where invitation_id is not null
    group by source, invitation_id
),

letters as (
    select
        invitations.survey_invitation_key as invitation_key,
        {#- A letter to nobody knows whom is about itself alone. #}
        case when invitations.thread_key = -1 then invitations.survey_invitation_key else invitations.thread_key end as thread_key,
        invitations.source,
        invitations.system,
        invitations.survey_id,
        invitations.channel,
        invitations.is_reminder,
        invitations.is_thanks,
        invitations.sent_at,
        invitations.bounced_at,
        invitations.opened_at,
        invitations.started_at,
        coalesce(invitations.completed_at, answered.answered_at) as completed_at,
        invitations.opted_out_at,
        {#- Some vendors do not say when they sent; whatever came of it says that they did. #}
        coalesce(
            invitations.sent_at, invitations.opened_at, invitations.started_at, invitations.completed_at, answered.answered_at
        ) as known_since,
        coalesce(answered.is_anonymous, false) as is_anonymous,
        invitations.is_sampled_out,
        invitations.is_deleted,
        invitations.updated_at
    from {{ ref('int_survey_invitation__unioned') }} as invitations
    left join answered on answered.source = invitations.source and answered.invitation_id = invitations.invitation_id
    where {{ is_touched(['invitations.survey_invitation_key']) }}
),

judged as (
    select
        *,
        coalesce(known_since, bounced_at, updated_at) as invited_at,
        case
            when is_deleted then 'deleted'
            when lower(channel) in ('anonymous', 'link', 'gl', 'qr') then 'open_link'
            when is_thanks then 'thanks'
            when is_sampled_out then 'sampled_out'
            when known_since is null and bounced_at is null then 'not_sent'
        end as exclusion_reason,
        known_since is not null and bounced_at is null as is_delivered
    from letters
),

{#- Each letter with the one before it, and whether that one, or one before, was answered in between. -#}
followed as (
    select
        invitation_key,
        thread_key,
        is_reminder,
        invited_at,
        lag(invited_at) over thread as previous_at,
        max(completed_at) over (thread rows between unbounded preceding and 1 preceding) as answered_at
    from judged
    where exclusion_reason is null
    window thread as (partition by thread_key order by invited_at, invitation_key)
),

begun as (
    select
        invitation_key,
        thread_key,
        invited_at,
        case
            when previous_at is null then true
            when is_reminder is not null then not is_reminder
            else invited_at > {{ after_days('previous_at', reminder_days()) }}
                or coalesce(answered_at between previous_at and invited_at, false)
        end as is_first
    from followed
),

rounds as (
    select
        invitation_key,
        sum(case when is_first then 1 else 0 end) over (
            partition by thread_key order by invited_at, invitation_key rows unbounded preceding
        ) as round_no,
        not is_first as is_reminder
    from begun
)

select
    judged.invitation_key,
    judged.thread_key,
    {{ surrogate_key(['judged.source', 'judged.survey_id']) }} as survey_key,
    judged.survey_id,
    judged.system,
    judged.channel,
    judged.invited_at,
    judged.sent_at,
    judged.bounced_at,
    judged.opened_at,
    judged.started_at,
    judged.completed_at,
    judged.opted_out_at,
    judged.is_anonymous,
    judged.is_sampled_out,
    judged.is_delivered,
    case when rounds.is_reminder then 'reminder' else judged.exclusion_reason end as exclusion_reason,
    cast(rounds.round_no as integer) as round_no
from judged
left join rounds on rounds.invitation_key = judged.invitation_key
