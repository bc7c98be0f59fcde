{#-
    Every failure opens a case. What lives here: what opens one, when, and what it is about. Not here: what was done about it
    (int_case__moment), what became of its customer (int_case__customer), how soon is soon enough (seed loop_targets).

    Failures are low scores of customers (also those changed into good ones, or rated again, since), complaints, and questions no person
    answered within 7 days, each of a record: a complaint nobody answers is two, and the second is of a customer who was failed before.
-#}
{{ config(
    touched_key=['source_object', 'source_ref'],
    touches=['case_key', 'customer_key'],
    touched_by="{{ touched_failures() }}"
) }}

with night as (
    select {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

items as (
    select
        feedback_key,
        source_object,
        source_ref,
        customer_key,
        touchpoint_key,
        channel,
        is_counted and sentiment = 'negative' as is_negative,
        occurred_at,
        responded_at
    from {{ ref('fct_feedback') }}
    where source_type <> 'employee' and {{ is_touched(['source_object', 'source_ref']) }}
),

tickets as (
    select
        ticket_key,
        is_complaint,
        created_at,
        {{ after_days('created_at', days_to_answer()) }} as unanswered_at,
        {{ is_unanswered('never_answered', 'first_reply_at', 'created_at') }} as is_unanswered,
        first_reply_at
    from {{ ref('fct_ticket') }}
    where {{ is_ticket_counted('removed_kind') }} and {{ is_touched(["'ticket'", 'ticket_key']) }}
),

{#- The comment an agent opens a ticket with answers nobody, so a ticket's first reply is that of fct_ticket. -#}
failures as (
    select
        'low_score' as trigger,
        'survey_answer' as source_object,
        answer_key as source_ref,
        answer_key,
        response_key,
        ticket_key,
        opened_at,
        changed_at,
        cast(null as timestamptz) as first_reply_at
    from {{ ref('int_case__low_answer') }}
    where {{ is_touched(["'survey_answer'", 'answer_key']) }}
    union all
    select 'low_score', source_object, source_ref, -1, -1, -1, occurred_at, null, case when responded_at >= occurred_at then responded_at end
    from items
    where source_object = 'feedback' and is_negative
    union all
    select 'complaint', 'ticket', ticket_key, -1, -1, ticket_key, created_at, null, first_reply_at
    from tickets
    where is_complaint
    union all
    {#- Where nothing is known of replies, nothing is said. #}
    select 'unanswered', 'ticket', ticket_key, -1, -1, ticket_key, unanswered_at, null, first_reply_at
    from tickets
    where is_unanswered
),

{#- Of several themes one that names a cause, else the first by name. -#}
reasons as (
    select feedback_key, theme
    from (
        select
            bridge.feedback_key,
            themes.theme,
            row_number() over (
                partition by bridge.feedback_key order by case when themes.is_root_cause then 0 else 1 end, themes.theme
            ) as place
        from {{ ref('bridge_feedback_theme') }} as bridge
        inner join {{ ref('dim_theme') }} as themes on themes.theme_key = bridge.theme_key
        where bridge.feedback_key in (select feedback_key from items)
    ) as ranked
    where place = 1
)

select
    {{ surrogate_key(['failures.trigger', 'failures.source_object', 'failures.source_ref']) }} as case_key,
    failures.trigger,
    items.customer_key,
    failures.source_object,
    failures.source_ref,
    failures.answer_key,
    failures.response_key,
    failures.ticket_key,
    items.touchpoint_key,
    items.channel,
    about.team,
    coalesce(reasons.theme, 'unthemed') as reason,
    failures.opened_at,
    {{ local_date_key('failures.opened_at') }} as opened_date_key,
    failures.changed_at,
    failures.first_reply_at
from failures
inner join items on items.source_object = failures.source_object and items.source_ref = failures.source_ref
{#- An answer whose time moved on when it was changed disappointed before, but it is known from its new time on. #}
inner join night
    on items.occurred_at <= night.ends_at
    and (failures.trigger = 'low_score' or failures.opened_at <= night.ends_at)
left join {{ ref('fct_ticket') }} as about on about.ticket_key = failures.ticket_key
left join reasons on reasons.feedback_key = items.feedback_key
