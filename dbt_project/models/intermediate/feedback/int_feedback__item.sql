{#-
    Reviews, posts, interviews, forms: whose, where, and how good. What lives here: the customer, the channel, the touchpoint and the mood
    of the score. Not here: what was said (int_feedback__words), answers and tickets (fct_feedback).

    A score off its scale is none.
-#}
{{ config(
    touched_key=['feedback_key'],
    touched_by="
        select feedback_key from {{ touched('int_feedback__unioned') }}
        union
        select items.feedback_key from {{ this }} as items
        inner join {{ ref('int_feedback__customer') }} as customers on customers.feedback_key = items.feedback_key
        where customers.customer_key <> items.customer_key
    "
) }}

with feedback as (
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
    where {{ is_touched(['feedback.feedback_key']) }}
),

touchpoint_map as (
    {{ touchpoint_map('feedback') }}
)

select
    feedback.feedback_key,
    feedback.source_type,
    feedback.system,
    feedback.customer_key,
    coalesce(touchpoint_map.touchpoint_key, -1) as touchpoint_key,
    feedback.channel,
    feedback.collected_by,
    feedback.score_norm,
    case when feedback.score_norm is not null then {{ score_scale('feedback.source_type', 'feedback.scale_min', 'feedback.scale_max') }} end
        as score_scale,
    {{ score_sentiment('feedback.score_norm') }} as sentiment,
    feedback.occurred_at,
    feedback.responded_at,
    case when feedback.is_deleted then 'deleted' when feedback.score_norm is null then 'empty' end as exclusion_reason,
    feedback.is_deleted as is_refused
from feedback
left join touchpoint_map
    on touchpoint_map.system = feedback.system
    and touchpoint_map.object = feedback.object
    and touchpoint_map.event = feedback.event
    and touchpoint_map.channel = feedback.channel
