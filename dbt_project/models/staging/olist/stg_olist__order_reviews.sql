select
    review_id,
    order_id,
    review_score,
    review_comment_title,
    review_comment_message,
    review_creation_date,
    review_answer_timestamp,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('olist', 'order_reviews') }}
