{#- Reviews of orders in our words, all versions. Whoever placed the order wrote its review, so a review follows its order. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'record_id'],
    touched_by="
        {{ new_rows('stg_olist__order_reviews', ['_source', 'review_id']) }}
        union
        select _source, review_id from {{ ref('stg_olist__order_reviews') }}
        where (_source, order_id) in (select source, order_id from {{ touched('int_order__unioned') }})
    "
) }}

select
    reviews.review_id as record_id,
    reviews.review_id || ':' || reviews.order_id as answer_id,
    reviews.review_id as response_id,
    'olist_order_review' as survey_id,
    'review_score' as question_id,
    orders.contact_id,
    reviews.order_id,
    true as is_given,
    reviews.review_score as score,
    nullif(concat_ws(chr(10), reviews.review_comment_title, reviews.review_comment_message), '') as comment,
    'email' as channel,
    'pt' as language,
    reviews.review_creation_date as asked_at,
    reviews.review_answer_timestamp as answered_at,
    false as is_anonymous,
    false as is_test,
    false as is_spam,
    true as is_finished,
    false as is_deleted,
    reviews.review_answer_timestamp as updated_at,
    {{ version_columns('reviews') }}
from {{ ref('stg_olist__order_reviews') }} as reviews
left join {{ ref('int_order__unioned') }} as orders
    on orders.source = reviews._source
    and orders.order_id = reviews.order_id
where {{ is_touched(['reviews._source', 'reviews.review_id']) }}
