{#-
    Answers of every source system, as last known. Not here: how their versions were mapped (int_survey_answer__version).

    Once a survey is described, its responses may answer other questions than before, or none: those that were are touched as well.
-#}
{{ config(
    touched_key=['source', 'record_id'],
    touches=['survey_answer_key', 'survey_question_key', 'respondent_key', 'invitation_id', 'ticket_id'],
    touched_by="
        {{ new_versions('survey_answer', ['source', 'record_id']) }}
        union
        select source, response_id from {{ touched('int_survey_invitation__unioned') }} where response_id is not null
        union
        select source, record_id from {{ ref('int_survey_answer__version') }}
        where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        union
        select source, record_id from {{ this }}
        where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
    "
) }}

with newest as (
    {{ newest_versions('int_survey_answer__version', ['source', 'record_id', 'answer_id'], [
        'system', 'response_id', 'survey_id', 'question_id', 'invitation_id', 'contact_id', 'email', 'ticket_id', 'order_id',
        'agent_id', 'is_given', 'answer', 'score', 'reason', 'comment', 'channel', 'language', 'asked_at', 'answered_at',
        'is_anonymous', 'is_test', 'is_spam', 'is_finished', 'is_deleted', 'updated_at'
    ], where=is_touched(['source', 'record_id'])) }}
),

read as (
    select
        newest.source,
        newest.answer_id,
        {{ personal_email('newest.email') }} as personal_email,
        coalesce(
            newest.score, {{ read_score('newest.answer', 'questions.scale_min', 'questions.scale_max', 'questions.recode_values') }}
        ) as score
    from newest
    left join {{ ref('int_survey_question__unioned') }} as questions
        on questions.source = newest.source
        and questions.survey_id = newest.survey_id
        and questions.question_id = newest.question_id
    where newest.is_given
),

invitations as (
    select
        source,
        response_id,
        min(sent_at) as sent_at,
        min(invitation_id) as invitation_id
    from {{ ref('int_survey_invitation__unioned') }}
    where response_id is not null and {{ is_touched(['source', 'response_id']) }}
    group by source, response_id
)

select
    {{ surrogate_key(['newest.source', 'newest.answer_id']) }} as survey_answer_key,
    {{ surrogate_key(['newest.source', 'newest.survey_id', 'newest.question_id']) }} as survey_question_key,
    newest.source,
    newest.system,
    newest.record_id,
    newest.answer_id,
    newest.response_id,
    newest.survey_id,
    newest.question_id,
    coalesce(newest.invitation_id, invitations.invitation_id) as invitation_id,
    newest.contact_id,
    newest.email,
    read.personal_email,
    {#- What names a person is gone from an anonymous answer already, so it is nobody's. #}
    {{ respondent_key('newest.source', 'newest.contact_id', 'read.personal_email') }} as respondent_key,
    newest.ticket_id,
    newest.order_id,
    newest.agent_id,
    read.score,
    {{ is_unread('newest.answer', 'read.score') }} as is_unread,
    newest.reason,
    newest.comment,
    newest.channel,
    newest.language,
    coalesce(newest.asked_at, invitations.sent_at) as asked_at,
    newest.answered_at,
    newest.is_anonymous,
    newest.is_test,
    newest.is_spam,
    newest.is_finished,
    newest.is_deleted or newest.is_vanished as is_deleted,
    newest.updated_at,
    newest._version_at
from newest
inner join read
    on read.source = newest.source
    and read.answer_id = newest.answer_id
left join invitations
    on invitations.source = newest.source
    and invitations.response_id = newest.record_id
