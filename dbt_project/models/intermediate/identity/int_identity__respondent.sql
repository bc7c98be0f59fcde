{{ config(
    touched_key=['respondent_key'],
    touched_by="
        select respondent_key from {{ touched('int_survey_answer__unioned') }} where respondent_key <> -1
        union select respondent_key from {{ touched('int_survey_invitation__unioned') }} where respondent_key <> -1
        union select respondent_key from {{ touched('int_ticket__unioned') }} where respondent_key <> -1
        union
        select respondent_key from {{ ref('int_survey_answer__unioned') }}
        where respondent_key <> -1 and ticket_id in (select ticket_id from {{ touched('int_ticket__unioned') }})
        union
        select respondent_key from {{ ref('int_survey_invitation__unioned') }}
        where
            respondent_key <> -1
            and (
                ticket_id in (select ticket_id from {{ touched('int_ticket__unioned') }})
                or (source, invitation_id) in (
                    select source, invitation_id from {{ touched('int_survey_answer__unioned') }} where invitation_id is not null
                )
            )
    "
) }}

{#-
    Marks that name a person, each once, and who had asked for help in the tickets they were asked about. What lives here:
    answers, invitations, and requests from an address. Not here: whose marks they are (int_identity__resolved).

    An anonymous answer leaves no marks, nor does the invitation it came of.
-#}
with anonymous as (
    select source, invitation_id
    from {{ ref('int_survey_answer__unioned') }}
    where is_anonymous and invitation_id is not null
),

surveys as (
    select
        respondent_key,
        source,
        contact_id,
        personal_email,
        case when not (is_test or is_spam or is_deleted) then ticket_id end as ticket_id
    from {{ ref('int_survey_answer__unioned') }}
    where respondent_key <> -1 and {{ is_touched(['respondent_key']) }}
    union all
    select respondent_key, source, contact_id, personal_email, ticket_id
    from {{ ref('int_survey_invitation__unioned') }}
    where
        respondent_key <> -1
        and not is_deleted
        and (source, invitation_id) not in (select source, invitation_id from anonymous)
        and {{ is_touched(['respondent_key']) }}
),

tickets as (
    select source, ticket_id, requester_id, respondent_key, count(*) over (partition by ticket_id) as namesakes
    from {{ ref('int_ticket__unioned') }}
    where ticket_id in (select ticket_id from surveys where ticket_id is not null)
),

{#- A ticket of another source is meant only if a single source knows that id. -#}
asked as (
    select
        surveys.respondent_key,
        surveys.source,
        surveys.contact_id,
        surveys.personal_email,
        tickets.source as requester_source,
        tickets.requester_id,
        tickets.respondent_key as requester_respondent_key
    from surveys
    left join tickets
        on tickets.ticket_id = surveys.ticket_id
        and (tickets.source = surveys.source or tickets.namesakes = 1)
    union all
    select
        respondent_key,
        source,
        requester_id,
        {{ personal_email('requester_email') }},
        null,
        null,
        null
    from {{ ref('int_ticket__unioned') }}
    where respondent_key <> -1 and {{ is_touched(['respondent_key']) }}
)

select distinct
    respondent_key,
    source,
    contact_id,
    personal_email,
    {{ surrogate_key(['requester_source', 'requester_id']) }} as requester_key,
    coalesce(requester_respondent_key, -1) as requester_respondent_key
from asked
