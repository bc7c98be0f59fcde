{{ config(
    touched_key=['source', 'survey_id', 'question_id'],
    touches=['survey_question_key'],
    touched_by="
        {{ new_rows('stg_qualtrics__survey_definitions', ['_source', 'survey_id', 'question_id']) }}
        union {{ new_rows('stg_canonical__survey_question', ['_source', 'survey_id', 'question_id']) }}
        union {{ new_rows('stg_zendesk__satisfaction_ratings', ['_source', \"'zendesk_satisfaction'\", \"'satisfaction'\"]) }}
        union {{ new_rows('stg_olist__order_reviews', ['_source', \"'olist_order_review'\", \"'review_score'\"]) }}
    "
) }}

with definitions as (
    {{ newest_versions('stg_qualtrics__survey_definitions', ['survey_id', 'question_id'], [
        'survey_name', 'question_text', 'metric', 'scale_min', 'scale_max', 'scale_direction', 'positive_values',
        'recode_values', 'survey_kind', 'touchpoint', 'last_modified'
    ]) }}
),

canonical_questions as (
    {{ newest_versions('stg_canonical__survey_question', ['survey_id', 'question_id'], [
        'survey_name', 'wording', 'metric', 'scale_min', 'scale_max', 'scale_direction', 'positive_values', 'recode_values',
        'survey_kind', 'touchpoint', 'is_deleted', 'updated_at'
    ]) }}
),

{#- The help desk and the shop ask one question each, which their extracts do not describe. -#}
fixed_questions as (
    select distinct
        _source as source,
        'zendesk' as system,
        'zendesk_satisfaction' as survey_id,
        'Help desk satisfaction' as survey_name,
        'satisfaction' as question_id,
        'How would you rate the help you received?' as wording,
        0.0 as scale_min,
        1.0 as scale_max,
        '[1]' as positive_values,
        'support_solved' as touchpoint
    from {{ ref('stg_zendesk__satisfaction_ratings') }}
    where {{ is_touched(['_source', "'zendesk_satisfaction'", "'satisfaction'"]) }}
    union all
    select distinct
        _source,
        'olist',
        'olist_order_review',
        'Order review',
        'review_score',
        'How satisfied are you with your order?',
        1.0,
        5.0,
        '[4, 5]',
        'order_delivered'
    from {{ ref('stg_olist__order_reviews') }}
    where {{ is_touched(['_source', "'olist_order_review'", "'review_score'"]) }}
),

unioned as (
    select
        _source as source,
        'qualtrics' as system,
        survey_id,
        survey_name,
        question_id,
        question_text as wording,
        metric,
        scale_min,
        scale_max,
        scale_direction,
        positive_values,
        recode_values,
        survey_kind,
        touchpoint,
        is_vanished as is_deleted,
        last_modified as updated_at,
        _version_at
    from definitions
    union all
    select
        _source,
        'canonical',
        survey_id,
        survey_name,
        question_id,
        wording,
        metric,
        scale_min,
        scale_max,
        scale_direction,
        positive_values,
        recode_values,
        survey_kind,
        touchpoint,
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_questions
    union all
    select
        source,
        system,
        survey_id,
        survey_name,
        question_id,
        wording,
        'csat',
        scale_min,
        scale_max,
        'high_is_good',
        cast(positive_values as json),
        null,
        'transactional',
        touchpoint,
        false,
        cast('1970-01-01' as timestamptz),
        cast('1970-01-01' as timestamptz)
    from fixed_questions
)

select
    {{ surrogate_key(['source', 'survey_id', 'question_id']) }} as survey_question_key,
    source,
    system,
    survey_id,
    survey_name,
    question_id,
    wording,
    metric,
    cast(scale_min as double) as scale_min,
    cast(scale_max as double) as scale_max,
    {{ known_direction('metric', 'scale_direction', 'scale_min', 'scale_max', 'positive_values') }} as scale_direction,
    {#- What is no list of numbers, or an empty one, says nothing. #}
    case when {{ mean_of_list('positive_values') }} is not null then positive_values end as positive_values,
    recode_values,
    survey_kind,
    touchpoint,
    is_deleted,
    updated_at,
    _version_at
from unioned
