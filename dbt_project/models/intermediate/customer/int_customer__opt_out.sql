{{ config(materialized='view', incremental_strategy=none) }}

{#-
    The customers who answered a survey invitation by asking for no more. Whose an invitation is: the contact's of its own source,
    else the customer's whom its respondent was found to be. Not here: what the CRM says of consent (int_customer__profile).
-#}
select distinct coalesce(own.customer_key, respondents.customer_key) as customer_key
from {{ ref('int_survey_invitation__unioned') }} as invitations
left join {{ ref('map_customer_identity') }} as own
    on own.source = invitations.source
    and own.contact_id = invitations.contact_id
left join {{ ref('int_identity__resolved') }} as respondents
    on respondents.node_key = invitations.respondent_key
    and not respondents.is_contact
where
    invitations.opted_out_at is not null
    and not invitations.is_deleted
    and coalesce(own.customer_key, respondents.customer_key) <> -1
