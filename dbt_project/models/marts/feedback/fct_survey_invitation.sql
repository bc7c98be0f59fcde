{#-
    Who was asked, and how far they came. What lives here: whether an invitation arrived, was completed and counts. Not here:
    what was answered (fct_survey_answer), response rates (mart_survey_funnel).

    People are counted, not letters: a reminder is no invitation, and what came of it is what came of the invitation it reminds of.
    A letter is a reminder where the source says so, else where it follows another about the same within reminder_days() and
    nothing was answered in between. An answer that names its invitation completes it. Responses by open link, code or
    anonymous collector are no invitations: nobody knows how many saw them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['invitation_key'],
    touches=['date_key'],
    touched_by="
        with moved as (
            select survey_invitation_key as invitation_key from {{ touched('int_survey_invitation__unioned') }}
            union
            select survey_invitation_key from {{ ref('int_survey_invitation__unioned') }}
            where (source, invitation_id) in (
                select source, invitation_id from {{ touched('int_survey_answer__unioned') }} where invitation_id is not null
            )
            union
            select links.survey_invitation_key from {{ ref('int_survey_invitation__links') }} as links
            inner join {{ this }} as invitations on invitations.invitation_key = links.survey_invitation_key
            where
                links.customer_key <> invitations.customer_key
                or links.ticket_key <> invitations.ticket_key
                or links.order_key <> invitations.order_key
                or links.is_employee <> invitations.is_employee
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
    select source, invitation_id, min(answered_at) as answered_at
    from {{ ref('int_survey_answer__unioned') }}
    where invitation_id is not null and is_finished and not (is_test or is_spam or is_deleted)
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
        invitations.channel as raw_channel,
        invitations.is_reminder,
        invitations.is_thanks,
        invitations.sent_at,
        invitations.bounced_at,
        invitations.opened_at,
        invitations.started_at,
        coalesce(invitations.completed_at, answered.answered_at) as completed_at,
        invitations.opted_out_at,
        invitations.is_sampled_out,
        invitations.is_deleted,
        invitations.updated_at
    from {{ ref('int_survey_invitation__unioned') }} as invitations
    left join answered on answered.source = invitations.source and answered.invitation_id = invitations.invitation_id
    where {{ is_touched(['invitations.survey_invitation_key']) }}
),

dated as (
    select
        invitation_key,
        {#- Some vendors do not say when they sent; whatever came of it says that they did. #}
        coalesce(sent_at, opened_at, started_at, completed_at) is not null as is_sent,
        coalesce(sent_at, opened_at, started_at, completed_at, bounced_at, updated_at) as invited_at
    from letters
),

judged as (
    select
        letters.invitation_key,
        dated.invited_at,
        case
            when letters.is_deleted then 'deleted'
            when lower(letters.raw_channel) in ('anonymous', 'link', 'gl', 'qr') then 'open_link'
            when letters.is_thanks then 'thanks'
            when letters.is_sampled_out then 'sampled_out'
            when not dated.is_sent and letters.bounced_at is null then 'not_sent'
        end as exclusion_reason,
        dated.is_sent and letters.bounced_at is null as is_delivered
    from letters
    inner join dated on dated.invitation_key = letters.invitation_key
),

{#- Each letter with the one before it, and whether that one, or one before, was answered in between. -#}
followed as (
    select
        letters.invitation_key,
        letters.thread_key,
        letters.is_reminder,
        judged.invited_at,
        lag(judged.invited_at) over thread as previous_at,
        max(letters.completed_at) over (thread rows between unbounded preceding and 1 preceding) as answered_at
    from letters
    inner join judged on judged.invitation_key = letters.invitation_key
    where judged.exclusion_reason is null
    window thread as (partition by letters.thread_key order by judged.invited_at, letters.invitation_key)
),

rounds as (
    select
        invitation_key,
        thread_key,
        invited_at,
        sum(case when is_first then 1 else 0 end) over (
            partition by thread_key order by invited_at, invitation_key rows unbounded preceding
        ) as round_no,
        not is_first as is_reminder
    from (
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
    ) as begun
),

{#- What came of the letters of a round together; it came back only if all of them did. -#}
outcomes as (
    select
        rounds.thread_key,
        rounds.round_no,
        {{ dbt.bool_or('judged.is_delivered') }} as is_delivered,
        {{ dbt.bool_or('links.is_nobodys') }} as is_nobodys,
        min(letters.opened_at) as opened_at,
        min(letters.started_at) as started_at,
        min(letters.completed_at) as completed_at,
        min(letters.opted_out_at) as opted_out_at
    from rounds
    inner join letters on letters.invitation_key = rounds.invitation_key
    inner join judged on judged.invitation_key = rounds.invitation_key
    inner join {{ ref('int_survey_invitation__links') }} as links on links.survey_invitation_key = rounds.invitation_key
    group by rounds.thread_key, rounds.round_no
),

{#- A reminder keeps what came of itself; an invitation has what came of all its letters. -#}
told as (
    select
        letters.invitation_key,
        case when rounds.is_reminder then 'reminder' else judged.exclusion_reason end as exclusion_reason,
        coalesce(outcomes.is_nobodys, false) as is_nobodys,
        {%- set has_round = 'outcomes.round_no is not null and not rounds.is_reminder' %}
        case when {{ has_round }} then outcomes.is_delivered else judged.is_delivered end as is_delivered,
        case when {{ has_round }} and outcomes.is_delivered then null else letters.bounced_at end as bounced_at,
        {%- for moment in ['opened_at', 'started_at', 'completed_at', 'opted_out_at'] %}
        case when {{ has_round }} then outcomes.{{ moment }} else letters.{{ moment }} end as {{ moment }}{{ ',' if not loop.last }}
        {%- endfor %}
    from letters
    inner join judged on judged.invitation_key = letters.invitation_key
    left join rounds on rounds.invitation_key = letters.invitation_key
    left join outcomes on outcomes.thread_key = rounds.thread_key and outcomes.round_no = rounds.round_no
),

final as (
    select
        letters.invitation_key,
        {{ surrogate_key(['letters.source', 'letters.survey_id']) }} as survey_key,
        letters.survey_id,
        letters.system,
        {#- What came of a reminder would tell whose an anonymous answer is, as well as what came of the invitation. #}
        case when told.is_nobodys then -1 else links.customer_key end as customer_key,
        case when told.is_nobodys then -1 else links.ticket_key end as ticket_key,
        case when told.is_nobodys then -1 else links.order_key end as order_key,
        links.is_employee,
        {{ known_channel('letters.raw_channel', 'channels') }} as channel,
        {{ local_date_key('judged.invited_at') }} as date_key,
        letters.sent_at,
        {{ local_date_key('letters.sent_at') }} as sent_date_key,
        told.bounced_at,
        told.opened_at,
        told.started_at,
        told.completed_at,
        told.opted_out_at,
        letters.is_sampled_out,
        told.is_delivered,
        told.is_delivered and told.completed_at is not null as is_completed,
        told.is_delivered and told.started_at is not null and told.completed_at is null as is_partial,
        told.exclusion_reason is null as is_counted,
        told.exclusion_reason
    from letters
    inner join judged on judged.invitation_key = letters.invitation_key
    inner join told on told.invitation_key = letters.invitation_key
    inner join {{ ref('int_survey_invitation__links') }} as links on links.survey_invitation_key = letters.invitation_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(letters.raw_channel)
)

select * from final
