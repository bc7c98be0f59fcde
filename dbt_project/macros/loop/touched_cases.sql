{#-
    Which cases a night moves, by the record they are about. What lives here: the touched_by of fct_closed_loop_case. Not here: what a
    case is.

    A case moves with its record, the words in it, its ticket, the answers that tell whether it is recovered, and, because they
    say so much of it, everything its customer did and bought; then with the value of its customer in the month before. The days
    between the business dates of the last night and this one open cases, make them overdue, and end their windows.
-#}
{%- macro touched_cases() -%}
    with night as (
        select
            {{ end_of_local_day('least(as_of, coalesce(previous_as_of, as_of))') }} as earlier,
            {{ end_of_local_day('greatest(as_of, coalesce(previous_as_of, as_of))') }} as later,
            {{ plus_days('least(as_of, coalesce(previous_as_of, as_of))', 0) }} as earlier_day,
            {{ plus_days('greatest(as_of, coalesce(previous_as_of, as_of))', 0) }} as later_day
        from {{ night() }}
    ),
    moved_answers as (
        select answer_key from {{ touched('fct_survey_answer') }}
        union
        select survey_answer_key from {{ touched('int_survey_answer__unioned') }}
        union
        select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
        where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
        union
        select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
        where (source, record_id) in ({{ new_versions('survey_answer', ['source', 'record_id']) }})
    ),
    moved_tickets as (
        select ticket_key from {{ touched('fct_ticket') }}
        union select ticket_key from {{ touched('int_ticket_event__unioned') }}
        union
        select ticket_key from {{ ref('fct_survey_answer') }}
        where ticket_key <> -1 and answer_key in (select answer_key from moved_answers)
    ),
    {#- On these days what was said opens a case, on the days before what was never answered. #}
    moved_days as (
        select
            {{ date_key(plus_days('earlier_day', 0)) }} as from_key,
            {{ date_key(plus_days('later_day', 1)) }} as to_key,
            {{ date_key(plus_days('earlier_day', '-' ~ (days_to_answer() | int + 1))) }} as asked_from_key,
            {{ date_key(plus_days('later_day', '-' ~ (days_to_answer() | int - 1))) }} as asked_to_key
        from night
        where earlier_day < later_day
    ),
    moved_months as (
        select distinct month_start from {{ touched('fct_customer_month') }}
    ),
    moved_values as (
        {{ customer_values('select month_start from moved_months') }}
    ),
    moved as (
        select 'survey_answer' as source_object, answer_key as source_ref from moved_answers
        union select 'ticket', ticket_key from moved_tickets
        union select source_object, source_ref from {{ touched('fct_feedback') }}
        union
        select source_object, source_ref from {{ ref('fct_feedback') }}
        where feedback_key in (select feedback_key from {{ touched('bridge_feedback_theme') }})
        union
        select items.source_object, items.source_ref from {{ ref('fct_feedback') }} as items
        inner join moved_days
            on items.date_key between moved_days.from_key and moved_days.to_key
            or (items.source_object = 'ticket' and items.date_key between moved_days.asked_from_key and moved_days.asked_to_key)
        union
        select source_object, source_ref from {{ this }}
        where ticket_key in (select ticket_key from moved_tickets) or next_answer_key in (select answer_key from moved_answers)
        union
        select cases.source_object, cases.source_ref from {{ this }} as cases
        inner join night
            on cases.opened_at > night.earlier
            or (cases.due_at > night.earlier and cases.due_at <= night.later)
            {%- for days in [recovery_days(), 90, 180] %}
            or (
                {{ after_days('cases.opened_at', days) }} > {{ after_days('night.earlier', -1) }}
                and {{ after_days('cases.opened_at', days) }} <= {{ after_days('night.later', 1) }}
            )
            {%- endfor %}
        union
        select cases.source_object, cases.source_ref from {{ this }} as cases
        inner join moved_months on moved_months.month_start = {{ value_month('cases.opened_date_key') }}
        left join moved_values
            on moved_values.month_start = {{ value_month('cases.opened_date_key') }}
            and moved_values.customer_key = cases.customer_key
        where
            cases.value_rank is distinct from moved_values.value_rank
            or cases.value_amount is distinct from moved_values.value_amount
            or cases.value_currency is distinct from moved_values.value_currency
    ),
    moved_customers as (
        select customer_key from {{ touched('fct_survey_answer') }}
        union
        select customer_key from {{ ref('fct_survey_answer') }} where answer_key in (select answer_key from moved_answers)
        union select customer_key from {{ touched('fct_ticket') }}
        union select customer_key from {{ touched('fct_order') }}
        union select customer_key from {{ touched('fct_journey_event') }}
        union
        select customer_key from {{ this }} where (source_object, source_ref) in (select source_object, source_ref from moved)
        union
        select customer_key from {{ ref('fct_feedback') }} where (source_object, source_ref) in (select source_object, source_ref from moved)
    )
    select source_object, source_ref from moved
    union
    select source_object, source_ref from {{ this }}
    where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
{%- endmacro -%}
