-- Every answer, ticket and other voice is one item of feedback, counted or left out with a reason; its weights add up to 1.
select 'fct_feedback' as model, words.feedback_key as record_key
from {{ ref('int_feedback__words') }} as words
full outer join {{ ref('fct_feedback') }} as items on items.feedback_key = words.feedback_key
where
    words.feedback_key is null
    or items.feedback_key is null
    or items.is_counted <> (items.exclusion_reason is null)
    or (items.source_type = 'employee' and items.customer_key <> -1)
union all
select 'bridge_feedback_theme', items.feedback_key
from {{ ref('fct_feedback') }} as items
left join {{ ref('bridge_feedback_theme') }} as bridge on bridge.feedback_key = items.feedback_key
group by items.feedback_key
having abs(coalesce(sum(bridge.weight), 0) - 1) > 0.000001
union all
select 'fct_survey_invitation', invitations.survey_invitation_key
from {{ ref('int_survey_invitation__unioned') }} as invitations
full outer join {{ ref('fct_survey_invitation') }} as facts on facts.invitation_key = invitations.survey_invitation_key
where
    facts.invitation_key is null
    or invitations.survey_invitation_key is null
    or facts.is_counted <> (facts.exclusion_reason is null)
    or (facts.is_completed and not facts.is_delivered)
