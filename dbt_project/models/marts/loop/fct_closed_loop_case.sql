{#-
    Every failure opens a case, and a case is closed when somebody answered, did something about it, and told the customer so. What
    lives here: what opens a case, its three moments, whether the customer was won back. Not here: comparisons of groups
    (mart_recovery), how soon is soon enough (seed loop_targets), what is done about causes.

    Failures are low scores of customers (also those changed into good ones, or rated again, since), complaints, and questions no person answered
    within 7 days, each of a record: a complaint nobody answers is two, and the second is of a customer who was failed before.

    The moments of a case are at or after its opening, and only a solution that still stands counts. Messages are public ones of
    persons: on the ticket; for low scores also calls and tickets we begin, within 7 days. The register of actions answers themes and
    not customers, so it closes no case.

    A customer is won back when the next answer within 60 days is not low; where a low score was changed, or its ticket rated again, the
    last word on it decides. What has not had its days yet is NULL.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source_object', 'source_ref'],
    touches=['case_key', 'opened_date_key', 'due_date_key', 'responded_date_key', 'customer_key'],
    touched_by="{{ touched_cases() }}"
) }}

with night as (
    select as_of, {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
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

{#- What customers answered, with the scale to judge every version by. -#}
answers as (
    select
        answers.answer_key,
        answers.response_key,
        answers.ticket_key,
        answers.answered_at,
        records.source,
        records.answer_id,
        questions.metric,
        questions.scale_min,
        questions.scale_max,
        questions.scale_direction,
        questions.positive_values,
        questions.recode_values
    from {{ ref('fct_survey_answer') }} as answers
    inner join {{ ref('int_survey_answer__unioned') }} as records on records.survey_answer_key = answers.answer_key
    inner join {{ ref('int_survey_question__unioned') }} as questions on questions.survey_question_key = answers.question_key
    where {{ was_customers_word('answers') }} and {{ is_touched(["'survey_answer'", 'answers.answer_key']) }}
),

versions as (
    {{ answer_versions('answers') }}
),

judged_versions as (
    select
        versions.answer_key,
        versions.place,
        versions.version_at,
        {{ is_low_answer(
            'answers.metric', 'versions.score', 'answers.scale_min', 'answers.scale_max', 'answers.scale_direction', 'answers.positive_values'
        ) }} as is_low
    from versions
    inner join answers on answers.answer_key = versions.answer_key
    where versions.score between answers.scale_min and answers.scale_max
),

{#- `low_before_at`: when it was first low, where another version stands now. `changed_at`: when it was low no more. -#}
low_answers as (
    select
        answer_key,
        min(case when is_low and place < last_place then version_at end) as low_before_at,
        min(case when not is_low and place > last_low_place then version_at end) as changed_at
    from (
        select
            answer_key,
            place,
            version_at,
            is_low,
            max(place) over (partition by answer_key) as last_place,
            max(case when is_low then place end) over (partition by answer_key) as last_low_place
        from judged_versions
    ) as versions
    where last_low_place is not null
    group by answer_key
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

failures as (
    select
        'low_score' as trigger,
        'survey_answer' as source_object,
        answers.answer_key as source_ref,
        answers.response_key,
        answers.ticket_key,
        case when low_answers.low_before_at < answers.answered_at then low_answers.low_before_at else answers.answered_at end as opened_at,
        low_answers.changed_at
    from low_answers
    inner join answers on answers.answer_key = low_answers.answer_key
    union all
    select 'low_score', source_object, source_ref, -1, -1, occurred_at, null
    from items
    where source_object = 'feedback' and is_negative
    union all
    select 'complaint', 'ticket', ticket_key, -1, ticket_key, created_at, null
    from tickets
    where is_complaint
    union all
    {#- Where nothing is known of replies, nothing is said. #}
    select 'unanswered', 'ticket', ticket_key, -1, ticket_key, unanswered_at, null
    from tickets
    where is_unanswered
),

{#- An answer whose time moved on when it was changed disappointed before, but it is known from its new time on. -#}
dated_failures as (
    select
        failures.trigger,
        items.feedback_key,
        items.customer_key,
        failures.source_object,
        failures.source_ref,
        failures.response_key,
        failures.ticket_key,
        items.touchpoint_key,
        items.channel,
        failures.opened_at,
        failures.changed_at
    from failures
    inner join items on items.source_object = failures.source_object and items.source_ref = failures.source_ref
    inner join night
        on items.occurred_at <= night.ends_at
        and (failures.trigger = 'low_score' or failures.opened_at <= night.ends_at)
),

cases as (
    select
        {{ surrogate_key(['failures.trigger', 'failures.source_object', 'failures.source_ref']) }} as case_key,
        failures.trigger,
        failures.feedback_key,
        failures.customer_key,
        failures.source_object,
        failures.source_ref,
        case when failures.source_object = 'survey_answer' then failures.source_ref else -1 end as answer_key,
        failures.response_key,
        failures.ticket_key,
        failures.touchpoint_key,
        failures.channel,
        failures.opened_at,
        {{ local_date_key('failures.opened_at') }} as opened_date_key,
        {{ local_date('failures.opened_at') }} as opened_on,
        {{ after_hours('failures.opened_at', 'targets.respond_within_hours') }} as due_at,
        failures.changed_at
    from dated_failures as failures
    inner join {{ ref('loop_targets') }} as targets on targets.trigger = failures.trigger
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
        where bridge.feedback_key in (select feedback_key from cases)
    ) as ranked
    where place = 1
),

{#- Calls, and tickets we began: what else reaches a customer by a person. -#}
contacts as (
    select customer_key, object, source_ref, occurred_at
    from {{ ref('fct_journey_event') }}
    where
        direction = 'outbound'
        and handled_by = 'human'
        and (object = 'activity' or event = 'created_by_us')
        and customer_key <> -1
        and customer_key in (select customer_key from cases where source_object <> 'ticket')
),

follow_ups as (
    select cases.case_key, cases.opened_at, contacts.object, contacts.source_ref, contacts.occurred_at
    from cases
    inner join contacts on contacts.customer_key = cases.customer_key
    where cases.source_object <> 'ticket' and contacts.occurred_at >= cases.opened_at
),

{#- On which tickets each case is worked: its own, and those we began in answer to a low score. -#}
case_tickets as (
    select case_key, opened_at, ticket_key from cases where ticket_key <> -1
    union
    select case_key, opened_at, source_ref
    from follow_ups
    where object = 'ticket' and {{ is_within_days('occurred_at', 'opened_at', contact_days()) }}
),

replies as (
    select case_tickets.case_key, events.occurred_at
    from case_tickets
    inner join {{ ref('int_ticket_event__unioned') }} as events on events.ticket_key = case_tickets.ticket_key
    where
        events.event_type = 'comment'
        and events.author_role = 'agent'
        and coalesce(events.is_public, true)
        and not events.is_deleted
        and events.occurred_at >= case_tickets.opened_at
),

solutions as (
    select case_tickets.case_key, min(tickets.last_solved_at) as addressed_at
    from case_tickets
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = case_tickets.ticket_key
    where tickets.status in ('solved', 'closed') and tickets.last_solved_at >= case_tickets.opened_at
    group by case_tickets.case_key
),

{#- The comment an agent opens a ticket with answers nobody, so a ticket's first reply is that of fct_ticket. -#}
responses as (
    select cases.case_key, tickets.first_reply_at as occurred_at
    from cases
    inner join tickets on tickets.ticket_key = cases.source_ref
    where cases.source_object = 'ticket'
    union all
    select replies.case_key, replies.occurred_at
    from replies
    inner join cases on cases.case_key = replies.case_key
    where cases.source_object <> 'ticket'
    union all
    select case_key, occurred_at
    from follow_ups
    where {{ is_within_days('occurred_at', 'opened_at', contact_days()) }}
    union all
    select cases.case_key, items.responded_at
    from cases
    inner join items on items.source_object = cases.source_object and items.source_ref = cases.source_ref
    where cases.source_object = 'feedback' and items.responded_at >= cases.opened_at
),

reports as (
    select replies.case_key, replies.occurred_at
    from replies
    inner join solutions on solutions.case_key = replies.case_key and replies.occurred_at >= solutions.addressed_at
    union all
    select follow_ups.case_key, follow_ups.occurred_at
    from follow_ups
    inner join solutions
        on solutions.case_key = follow_ups.case_key
        and {{ is_within_days('follow_ups.occurred_at', 'solutions.addressed_at', contact_days()) }}
),

moments as (
    select
        cases.case_key,
        responded.responded_at,
        solutions.addressed_at,
        communicated.communicated_at
    from cases
    left join solutions on solutions.case_key = cases.case_key
    left join (select case_key, min(occurred_at) as communicated_at from reports group by case_key) as communicated
        on communicated.case_key = cases.case_key
    {#- Telling what was done is an answer, however late it comes. #}
    left join (
        select case_key, min(occurred_at) as responded_at
        from (
            select case_key, occurred_at from responses
            union all select case_key, occurred_at from reports
        ) as messages
        group by case_key
    ) as responded on responded.case_key = cases.case_key
),

{#- The customer's other answers after the opening; those given in the same response are of the same moment. -#}
later_answers as (
    select
        cases.case_key,
        others.answer_key,
        others.answered_at,
        {{ is_low_class('others.answer_class') }} as is_low,
        false as is_last_word
    from cases
    inner join {{ ref('fct_survey_answer') }} as others on others.customer_key = cases.customer_key
    where
        cases.customer_key <> -1
        and {{ was_customers_word('others') }}
        and others.answered_at > cases.opened_at
        and others.answered_at <= {{ after_days('cases.opened_at', recovery_days()) }}
        and others.answer_key <> cases.answer_key
        and (cases.response_key = -1 or others.response_key <> cases.response_key)
    union all
    select
        cases.case_key,
        others.answer_key,
        others.answered_at,
        {{ is_low_class('others.answer_class') }},
        cases.trigger = 'low_score'
    from cases
    inner join {{ ref('fct_survey_answer') }} as others on others.ticket_key = cases.ticket_key
    where
        cases.ticket_key <> -1
        and {{ was_customers_word('others') }}
        and others.answered_at > cases.opened_at
        and others.answered_at <= {{ after_days('cases.opened_at', recovery_days()) }}
        and others.answer_key <> cases.answer_key
        and (cases.response_key = -1 or others.response_key <> cases.response_key)
    union all
    select case_key, answer_key, changed_at, false, true
    from cases
    where changed_at is not null and changed_at <= {{ after_days('opened_at', recovery_days()) }}
),

{#- Given together, a low answer says more than the good one beside it. -#}
deciding_answers as (
    select case_key, answer_key, answered_at, is_low
    from (
        select
            case_key,
            answer_key,
            answered_at,
            is_low,
            row_number() over (
                partition by case_key
                order by
                    case when is_last_word then 0 else 1 end,
                    case when is_last_word then answered_at end desc,
                    answered_at,
                    case when is_low then 0 else 1 end,
                    answer_key
            ) as place
        from later_answers
    ) as ranked
    where place = 1
),

{#- When the customer had last bought, by the days on which activity is asked. -#}
purchases as (
    select
        cases.case_key,
        max(case when orders.ordered_on <= cases.opened_on then orders.ordered_on end) as before_opening,
        max(case when orders.ordered_on <= {{ plus_days('cases.opened_on', 90) }} then orders.ordered_on end) as before_90,
        max(case when orders.ordered_on <= {{ plus_days('cases.opened_on', 180) }} then orders.ordered_on end) as before_180
    from cases
    inner join (
        select customer_key, {{ date_of_key('ordered_date_key') }} as ordered_on
        from {{ ref('fct_order') }}
        where is_counted and customer_key <> -1
    ) as orders on orders.customer_key = cases.customer_key
    group by cases.case_key
),

customer_values as (
    {{ customer_values('select ' ~ value_month('opened_date_key') ~ ' from cases') }}
),

final as (
    select
        cases.case_key,
        cases.trigger,
        cases.customer_key,
        cases.source_object,
        cases.source_ref,
        cases.answer_key,
        cases.ticket_key,
        cases.touchpoint_key,
        cases.channel,
        tickets.team,
        coalesce(reasons.theme, 'unthemed') as reason,
        customer_values.value_rank,
        customer_values.value_amount,
        customer_values.value_currency,
        cases.opened_at,
        cases.opened_date_key,
        cases.due_at,
        {{ local_date_key('cases.due_at') }} as due_date_key,
        moments.responded_at,
        {{ local_date_key('moments.responded_at') }} as responded_date_key,
        moments.addressed_at,
        moments.communicated_at,
        {#- Whoever tells what was done has answered and done it, so telling it closes the loop. #}
        moments.communicated_at as closed_at,
        case
            when moments.communicated_at is not null then 'closed'
            when moments.addressed_at is not null then 'addressed'
            when moments.responded_at is not null then 'responded'
            when cases.due_at <= night.ends_at then 'overdue'
            else 'open'
        end as outcome,
        moments.responded_at is not null or moments.addressed_at is not null as is_touched,
        case
            when moments.responded_at is not null then moments.responded_at <= cases.due_at
            when cases.due_at <= night.ends_at then false
        end as is_responded_in_time,
        {{ after_days('cases.opened_at', recovery_days()) }} <= night.ends_at as is_recovery_matured,
        case
            when not deciding_answers.is_low then true
            when {{ after_days('cases.opened_at', recovery_days()) }} <= night.ends_at then false
        end as is_recovered,
        case
            when deciding_answers.is_low then null
            when deciding_answers.answered_at < cases.opened_at then cases.opened_at
            else deciding_answers.answered_at
        end as recovered_at,
        {%- for days in [90, 180] %}
        case when {{ is_active_on('purchases.before_opening', 'cases.opened_on') }} and {{ plus_days('cases.opened_on', days) }} <= night.as_of then
            {{ is_active_on('purchases.before_' ~ days, plus_days('cases.opened_on', days)) }}
        end as is_retained_{{ days }},
        {%- endfor %}
        {#- What fails at one moment, such as two answers of one response, is one failure. #}
        cast(case when cases.customer_key <> -1 then
            dense_rank() over (partition by cases.customer_key order by cases.opened_at)
        end as integer) as failure_no,
        coalesce(deciding_answers.answer_key, -1) as next_answer_key
    from cases
    cross join night
    inner join moments on moments.case_key = cases.case_key
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = cases.ticket_key
    left join reasons on reasons.feedback_key = cases.feedback_key
    left join deciding_answers on deciding_answers.case_key = cases.case_key
    left join purchases on purchases.case_key = cases.case_key
    left join customer_values
        on customer_values.customer_key = cases.customer_key
        and customer_values.month_start = {{ value_month('cases.opened_date_key') }}
)

select * from final
