{{ config(
    touched_key=['survey_invitation_key'],
    touched_by="
        select survey_invitation_key from {{ touched('int_survey_invitation__unioned') }}
        union
        select survey_invitation_key from {{ ref('int_survey_invitation__unioned') }}
        where
            {{ survey_links_moved() }}
            or (source, invitation_id) in (
                select source, invitation_id from {{ touched('int_survey_answer__unioned') }} where invitation_id is not null
            )
            or (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        union
        select survey_invitation_key from {{ this }} where {{ survey_subject_moved() }}
    "
) }}

{#-
    Whom each invitation was sent to and what it is about, found as for answers (survey_links_ctes). An invitation of
    which an anonymous answer came is nobody's: when it was completed would tell whose the answer is. An invitation of
    employees is no customer's.
-#}
with anonymous as (
    select distinct source, invitation_id
    from {{ ref('int_survey_answer__unioned') }}
    where is_anonymous and invitation_id is not null
),

employee_surveys as (
    {{ employee_surveys() }}
),

invitations as (
    select
        invitations.survey_invitation_key,
        invitations.source,
        invitations.contact_id,
        invitations.respondent_key,
        invitations.ticket_id,
        invitations.order_id,
        employee_surveys.survey_id is not null as is_employee,
        anonymous.invitation_id is not null or employee_surveys.survey_id is not null as is_nobodys
    from {{ ref('int_survey_invitation__unioned') }} as invitations
    left join anonymous
        on anonymous.source = invitations.source
        and anonymous.invitation_id = invitations.invitation_id
    left join employee_surveys
        on employee_surveys.source = invitations.source
        and employee_surveys.survey_id = invitations.survey_id
    where {{ is_touched(['invitations.survey_invitation_key']) }}
),

{{ survey_links_ctes('invitations', ['survey_invitation_key', 'is_employee']) }}

select
    survey_invitation_key,
    customer_key,
    ticket_key,
    order_key,
    is_employee
from linked
