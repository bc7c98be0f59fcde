{#-
    Whose each answer is, and what it is about. What lives here: the customer, the ticket and the order it is linked to, where it was
    given, the touchpoint it asks about. Not here: how it is linked (int_survey_answer__links), what it means
    (int_survey_answer__judged).
-#}
{{ config(
    touched_key=['answer_key'],
    touched_by="
        select answer_key from {{ touched('int_survey_answer__judged') }}
        union select survey_answer_key from {{ touched('int_survey_answer__links') }}
        union
        select answer_key from {{ this }} where ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
    "
) }}

with answers as (
    select
        answers.answer_key,
        answers.system,
        'survey_answer' as object,
        case
            when answers.ticket_id is not null then 'about_ticket'
            when answers.order_id is not null then 'about_order'
            else answers.survey_kind
        end as event,
        case
            when answers.channel is null then coalesce(tickets.channel, 'unknown')
            else coalesce(channels.channel, 'other')
        end as channel,
        answers.touchpoint_key,
        links.customer_key,
        links.ticket_key,
        links.order_key
    from {{ ref('int_survey_answer__judged') }} as answers
    inner join {{ ref('int_survey_answer__links') }} as links on links.survey_answer_key = answers.answer_key
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = links.ticket_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(answers.channel)
    where {{ is_touched(['answers.answer_key']) }}
),

touchpoint_map as (
    {{ touchpoint_map('answers') }}
)

select
    answers.answer_key,
    answers.customer_key,
    answers.ticket_key,
    answers.order_key,
    answers.channel,
    case when answers.touchpoint_key <> -1 then answers.touchpoint_key else coalesce(touchpoint_map.touchpoint_key, -1) end
        as touchpoint_key
from answers
left join touchpoint_map
    on touchpoint_map.system = answers.system
    and touchpoint_map.object = answers.object
    and touchpoint_map.event = answers.event
    and touchpoint_map.channel = answers.channel
