{{ config(
    touched_key=['survey_answer_key'],
    touched_by="
        select survey_answer_key from {{ touched('int_survey_answer__unioned') }}
        union
        select survey_answer_key from {{ ref('int_survey_answer__unioned') }} where {{ survey_links_moved() }}
        union
        select survey_answer_key from {{ this }} where {{ survey_subject_moved() }}
    "
) }}

{#- What each answer is about and whose it is (survey_links_ctes). An anonymous answer is nobody's, whatever it names. -#}
with answers as (
    select
        survey_answer_key,
        source,
        contact_id,
        respondent_key,
        ticket_id,
        order_id,
        is_anonymous as is_nobodys
    from {{ ref('int_survey_answer__unioned') }}
    where {{ is_touched(['survey_answer_key']) }}
),

{{ survey_links_ctes('answers', ['survey_answer_key']) }}

select
    survey_answer_key,
    customer_key,
    ticket_key,
    order_key
from linked
