{{ config(
    touched_key=['source_object', 'source_ref'],
    touches=['feedback_key'],
    touched_by="
        select 'survey_answer' as source_object, survey_answer_key as source_ref from {{ touched('int_survey_answer__unioned') }}
        union select 'feedback', feedback_key from {{ touched('int_feedback__unioned') }}
        union select 'ticket', ticket_key from {{ touched('int_ticket__unioned') }}
        union select 'ticket', {{ surrogate_key(['source', 'ticket_id']) }} from ({{ new_rows('int_ticket__version', ['source', 'ticket_id']) }}) as written
    "
) }}

{#-
    What each item of feedback says, in its own words and in the reason chosen for it. What lives here: verbatims, so this
    stays private. Not here: what they are about (bridge_feedback_theme), which items count (fct_feedback).

    Of a ticket, subject and first message: what the customer came with.
-#}
{%- set language = "nullif(lower(left(trim(language), 2)), '')" %}
with messages as (
    {{ newest_versions('int_ticket__version', ['source', 'ticket_id'], ['subject', 'description'],
        where='(source, ticket_id) in (select source, ticket_id from ' ~ ref('int_ticket__unioned')
            ~ ' where ' ~ is_touched(["'ticket'", 'ticket_key']) ~ ')') }}
),

unioned as (
    select
        'survey_answer' as source_object,
        survey_answer_key as source_ref,
        language,
        reason,
        comment as text
    from {{ ref('int_survey_answer__unioned') }}
    where {{ is_touched(["'survey_answer'", 'survey_answer_key']) }}
    union all
    select
        'feedback',
        feedback_key,
        language,
        null,
        text
    from {{ ref('int_feedback__unioned') }}
    where {{ is_touched(["'feedback'", 'feedback_key']) }}
    union all
    select
        'ticket',
        tickets.ticket_key,
        null,
        tickets.topic,
        concat_ws(chr(10), messages.subject, messages.description)
    from {{ ref('int_ticket__unioned') }} as tickets
    left join messages on messages.source = tickets.source and messages.ticket_id = tickets.ticket_id
    where {{ is_touched(["'ticket'", 'tickets.ticket_key']) }}
)

select
    source_object,
    source_ref,
    {{ surrogate_key(['source_object', 'source_ref']) }} as feedback_key,
    {{ language }} as language,
    coalesce(trim(reason), '') <> '' as has_reason,
    coalesce(trim(text), '') <> '' as has_text,
    cast(coalesce(length(trim(text)), 0) as integer) as text_length,
    {{ folded_words("concat_ws(' ', reason, text)") }} as words,
    {{ estimated_polarity('text', language) }} as polarity
from unioned
