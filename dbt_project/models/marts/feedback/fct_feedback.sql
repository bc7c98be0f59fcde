{#-
    Every voice in one list: answers, tickets, reviews, posts, interviews, forms, employees. What lives here: whose, where, when,
    how good, whether it counts and was answered. Not here: what was said (private), what it is about (bridge_feedback_theme),
    classes of answers on their own scale (fct_survey_answer).

    The mood is that of the score; what a library makes of the words stands beside it and decides nothing. What employees say
    belongs to no customer.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source_object', 'source_ref'],
    touches=['feedback_key', 'date_key'],
    touched_by="
        select source_object, source_ref from {{ touched('int_feedback__words') }}
        union select 'survey_answer', answer_key from {{ touched('fct_survey_answer') }}
        union
        select 'survey_answer', survey_answer_key from {{ ref('int_survey_answer__unioned') }}
        where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        union select 'ticket', ticket_key from {{ touched('fct_ticket') }}
        union select 'feedback', feedback_key from {{ touched('int_feedback__unioned') }}
        union
        select items.source_object, items.source_ref from {{ this }} as items
        inner join {{ ref('int_feedback__customer') }} as customers on customers.feedback_key = items.source_ref
        where items.source_object = 'feedback' and customers.customer_key <> items.customer_key
    "
) }}

with employee_surveys as (
    {{ employee_surveys() }}
),

words as (
    select
        source_object,
        source_ref,
        feedback_key,
        language,
        has_reason,
        has_text,
        text_length,
        polarity
    from {{ ref('int_feedback__words') }}
    where {{ is_touched(['source_object', 'source_ref']) }}
),

answers as (
    select
        'survey_answer' as source_object,
        answers.answer_key as source_ref,
        case when employee_surveys.survey_id is null then 'survey' else 'employee' end as source_type,
        answers.system,
        case when employee_surveys.survey_id is null then answers.customer_key else -1 end as customer_key,
        answers.touchpoint_key,
        answers.channel,
        'internal' as collected_by,
        case when answers.is_counted then answers.score_norm end as score_norm,
        case when answers.is_counted then answers.score_scale end as score_scale,
        case
            when answers.answer_class in ('promoter', 'positive') then 'positive'
            when answers.answer_class in ('passive', 'neutral') then 'neutral'
            when answers.answer_class in ('detractor', 'negative') then 'negative'
        end as sentiment,
        answers.answered_at as occurred_at,
        cast(null as timestamptz) as responded_at,
        cast(null as timestamptz) as actioned_at,
        answers.exclusion_reason,
        coalesce(answers.exclusion_reason in ('deleted', 'test', 'spam', 'duplicate'), false) as is_refused,
        true as is_in_own_words
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('int_survey_answer__unioned') }} as recorded on recorded.survey_answer_key = answers.answer_key
    left join employee_surveys
        on employee_surveys.source = recorded.source
        and employee_surveys.survey_id = recorded.survey_id
    where {{ is_touched(["'survey_answer'", 'answers.answer_key']) }}
),

{#- Answering a ticket is responding to it, and solving it is acting on it. What we wrote first is not the customer's. -#}
tickets as (
    select
        'ticket' as source_object,
        ticket_key as source_ref,
        'ticket' as source_type,
        system,
        customer_key,
        touchpoint_key,
        channel,
        'internal' as collected_by,
        cast(null as double) as score_norm,
        cast(null as varchar) as score_scale,
        cast(null as varchar) as sentiment,
        created_at as occurred_at,
        first_reply_at as responded_at,
        case when status in ('solved', 'closed') then last_solved_at end as actioned_at,
        case
            when not {{ is_ticket_counted('removed_kind') }} then 'removed'
            when not is_customer_initiated then 'begun_by_us'
        end as exclusion_reason,
        not {{ is_ticket_counted('removed_kind') }} or not is_customer_initiated as is_refused,
        is_customer_initiated as is_in_own_words
    from {{ ref('fct_ticket') }}
    where {{ is_touched(["'ticket'", 'ticket_key']) }}
),

others as (
    select
        feedback.feedback_key,
        feedback.system,
        'feedback' as object,
        feedback.source_type,
        feedback.source_type as event,
        customers.customer_key,
        {{ known_channel('feedback.channel', 'channels') }} as channel,
        coalesce(feedback.collected_by, 'unknown') as collected_by,
        feedback.scale_min,
        feedback.scale_max,
        case
            when feedback.score between feedback.scale_min and feedback.scale_max
                then {{ score_norm('feedback.score', 'feedback.scale_min', 'feedback.scale_max', "'high_is_good'") }}
        end as score_norm,
        feedback.occurred_at,
        feedback.responded_at,
        feedback.is_deleted
    from {{ ref('int_feedback__unioned') }} as feedback
    inner join {{ ref('int_feedback__customer') }} as customers on customers.feedback_key = feedback.feedback_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(feedback.channel)
    where {{ is_touched(["'feedback'", 'feedback.feedback_key']) }}
),

touchpoint_map as (
    {{ touchpoint_map('others') }}
),

items as (
    select
        source_object, source_ref, source_type, system, customer_key, touchpoint_key, channel, collected_by, score_norm, score_scale,
        sentiment, occurred_at, responded_at, actioned_at, exclusion_reason, is_refused, is_in_own_words
    from answers
    union all
    select
        source_object, source_ref, source_type, system, customer_key, touchpoint_key, channel, collected_by, score_norm, score_scale,
        sentiment, occurred_at, responded_at, actioned_at, exclusion_reason, is_refused, is_in_own_words
    from tickets
    union all
    select
        'feedback',
        others.feedback_key,
        others.source_type,
        others.system,
        others.customer_key,
        coalesce(touchpoint_map.touchpoint_key, -1),
        others.channel,
        others.collected_by,
        others.score_norm,
        case when others.score_norm is not null then {{ score_scale('others.source_type', 'others.scale_min', 'others.scale_max') }} end,
        {{ score_sentiment('others.score_norm') }},
        others.occurred_at,
        others.responded_at,
        null,
        case when others.is_deleted then 'deleted' when others.score_norm is null then 'empty' end,
        others.is_deleted,
        true
    from others
    left join touchpoint_map
        on touchpoint_map.system = others.system
        and touchpoint_map.object = others.object
        and touchpoint_map.event = others.event
        and touchpoint_map.channel = others.channel
),

{#- What has no score that counts still counts where it has words or a reason. -#}
judged as (
    select
        items.source_object,
        items.source_ref,
        case when items.is_refused or not (words.has_text or words.has_reason) then items.exclusion_reason end as exclusion_reason,
        case when items.is_in_own_words then words.polarity end as estimated_polarity
    from items
    inner join words on words.source_object = items.source_object and words.source_ref = items.source_ref
),

final as (
    select
        words.feedback_key,
        items.source_type,
        items.source_object,
        items.source_ref,
        items.system,
        items.customer_key,
        items.touchpoint_key,
        items.channel,
        coalesce(words.language, 'unknown') as language,
        items.collected_by,
        items.score_norm,
        items.score_scale,
        items.sentiment,
        case when items.sentiment is not null then 'score' end as sentiment_method,
        words.has_text and items.is_in_own_words as has_text,
        case when items.is_in_own_words then words.text_length else 0 end as text_length,
        {{ polarity_sentiment('judged.estimated_polarity') }} as estimated_sentiment,
        judged.estimated_polarity,
        case when judged.estimated_polarity is not null then (select sentiment_method from {{ night() }}) end as estimated_by,
        items.occurred_at,
        {{ local_date_key('items.occurred_at') }} as date_key,
        items.responded_at,
        items.actioned_at,
        judged.exclusion_reason is null as is_counted,
        judged.exclusion_reason
    from items
    inner join words on words.source_object = items.source_object and words.source_ref = items.source_ref
    inner join judged on judged.source_object = items.source_object and judged.source_ref = items.source_ref
)

select * from final
