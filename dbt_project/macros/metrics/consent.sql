{#-
    Who was written to, and who may be. What lives here: when a letter reminds of another, who left surveys. Not here: what the CRM
    says of consent (dim_customer).
-#}

{#- Within how many days of another letter about the same a survey's letter reminds of it, where the source does not say. -#}
{%- macro reminder_days() -%} 14 {%- endmacro -%}

{#-
    A select statement: the customers who answered a survey invitation by asking for no more. Whose an invitation is: the
    contact's of its own source, else the customer's whom its respondent was found to be.
-#}
{%- macro survey_opt_outs() -%}
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
{%- endmacro -%}
