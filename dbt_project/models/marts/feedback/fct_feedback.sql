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
        union select 'survey_answer', answer_key from {{ touched('int_survey_answer__judged') }}
        union select 'ticket', ticket_key from {{ touched('fct_ticket') }}
        union select 'feedback', feedback_key from {{ touched('int_feedback__item') }}
    "
) }}

with answers as (
    select
        'survey_answer' as source_object,
        answers.answer_key as source_ref,
        case when judged.is_employee then 'employee' else 'survey' end as source_type,
        answers.system,
        case when judged.is_employee then -1 else answers.customer_key end as customer_key,
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
        answers.exclusion_reason,
        coalesce(answers.exclusion_reason in ('deleted', 'test', 'spam', 'duplicate'), false) as is_refused,
        true as is_in_own_words
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('int_survey_answer__judged') }} as judged on judged.answer_key = answers.answer_key
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

items as (
    select * from answers
    union all by name
    select * from tickets
    union all by name
    select
        'feedback' as source_object,
        feedback_key as source_ref,
        source_type,
        system,
        customer_key,
        touchpoint_key,
        channel,
        collected_by,
        score_norm,
        score_scale,
        sentiment,
        occurred_at,
        responded_at,
        exclusion_reason,
        is_refused,
        true as is_in_own_words
    from {{ ref('int_feedback__item') }}
    where {{ is_touched(["'feedback'", 'feedback_key']) }}
),

{#- What has no score that counts still counts where it has words or a reason. -#}
judged as (
    select
        items.*,
        words.feedback_key,
        coalesce(words.language, 'unknown') as language,
        words.has_text and items.is_in_own_words as has_text,
        case when items.is_in_own_words then words.text_length else 0 end as text_length,
        case when items.is_in_own_words then words.polarity end as estimated_polarity,
        case when items.is_refused or not (words.has_text or words.has_reason) then items.exclusion_reason end as reason_left_out
    from items
    inner join {{ ref('int_feedback__words') }} as words
        on words.source_object = items.source_object
        and words.source_ref = items.source_ref
),

final as (
    select
        feedback_key,
        source_type,
        source_object,
        source_ref,
        system,
        customer_key,
        touchpoint_key,
        channel,
        language,
        collected_by,
        score_norm,
        score_scale,
        sentiment,
        case when sentiment is not null then 'score' end as sentiment_method,
        has_text,
        text_length,
        {{ polarity_sentiment('estimated_polarity') }} as estimated_sentiment,
        estimated_polarity,
        case when estimated_polarity is not null then (select sentiment_method from {{ night() }}) end as estimated_by,
        occurred_at,
        {{ local_date_key('occurred_at') }} as date_key,
        responded_at,
        actioned_at,
        reason_left_out is null as is_counted,
        reason_left_out as exclusion_reason
    from judged
)

select * from final
