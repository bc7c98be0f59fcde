{#-
    Which cases a night moves. What lives here: the touched_by of fct_closed_loop_case and of its steps. Not here: what a case is.
-#}

{#- Answers that moved, or whose survey asks somebody else now. -#}
{%- macro moved_answers_of_cases() -%}
    select answer_key from {{ touched('fct_survey_answer') }}
    union
    select survey_answer_key from {{ touched('int_survey_answer__unioned') }}
    union
    select survey_answer_key from {{ ref('int_survey_answer__unioned') }}
    where (source, survey_id) in (select source, survey_id from {{ touched('int_survey_question__unioned') }})
{%- endmacro -%}

{#-
    touched_by of int_case__failure. A failure moves with its record, the words in it and its ticket. On the days between the
    business dates of the last night and this one what was said opens a case, on the days before what was never answered.
-#}
{%- macro touched_failures() -%}
    with night as (
        select
            {{ end_of_local_day('least(as_of, coalesce(previous_as_of, as_of))') }} as earlier,
            {{ plus_days('least(as_of, coalesce(previous_as_of, as_of))', 0) }} as earlier_day,
            {{ plus_days('greatest(as_of, coalesce(previous_as_of, as_of))', 0) }} as later_day
        from {{ night() }}
    ),
    moved_days as (
        select
            {{ date_key(plus_days('earlier_day', 0)) }} as from_key,
            {{ date_key(plus_days('later_day', 1)) }} as to_key,
            {{ date_key(plus_days('earlier_day', '-' ~ (days_to_answer() | int + 1))) }} as asked_from_key,
            {{ date_key(plus_days('later_day', '-' ~ (days_to_answer() | int - 1))) }} as asked_to_key
        from night
        where earlier_day < later_day
    )
    select 'survey_answer', answer_key from {{ touched('int_case__low_answer') }}
    union
    select 'ticket', ticket_key from {{ touched('fct_ticket') }}
    union
    select source_object, source_ref from {{ touched('fct_feedback') }}
    union
    select source_object, source_ref from {{ ref('fct_feedback') }}
    where feedback_key in (select feedback_key from {{ touched('bridge_feedback_theme') }})
    union
    select items.source_object, items.source_ref from {{ ref('fct_feedback') }} as items
    inner join moved_days
        on items.date_key between moved_days.from_key and moved_days.to_key
        or (items.source_object = 'ticket' and items.date_key between moved_days.asked_from_key and moved_days.asked_to_key)
    union
    select source_object, source_ref from {{ this }} where ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
    union
    select failures.source_object, failures.source_ref from {{ this }} as failures
    inner join night on failures.opened_at > night.earlier
{%- endmacro -%}

{#-
    touched_by of int_case__customer: the cases of customers who answered or bought, of tickets that were rated, and of those whose
    value in the month before the case moved, which moves the places of the others.
-#}
{%- macro touched_customers_of_cases() -%}
    with moved_answers as (
        {{ moved_answers_of_cases() }}
    ),
    moved_customers as (
        select customer_key from {{ touched('fct_survey_answer') }}
        union
        select customer_key from {{ ref('fct_survey_answer') }} where answer_key in (select answer_key from moved_answers)
        union
        select customer_key from {{ touched('fct_order') }}
    ),
    moved_months as (
        select distinct month_start from {{ touched('fct_customer_month') }}
    ),
    moved_values as (
        {{ customer_values('select month_start from moved_months') }}
    )
    select case_key from {{ touched('int_case__failure') }}
    union
    select case_key from {{ ref('int_case__failure') }}
    where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
    union
    select case_key from {{ ref('int_case__failure') }}
    where ticket_key in (
        select ticket_key from {{ ref('fct_survey_answer') }}
        where ticket_key <> -1 and answer_key in (select answer_key from moved_answers)
    )
    union
    select case_key from {{ this }} where next_answer_key in (select answer_key from moved_answers)
    union
    select customers.case_key from {{ this }} as customers
    inner join {{ ref('int_case__failure') }} as failures on failures.case_key = customers.case_key
    inner join moved_months on moved_months.month_start = {{ value_month('failures.opened_date_key') }}
    left join moved_values
        on moved_values.month_start = {{ value_month('failures.opened_date_key') }}
        and moved_values.customer_key = failures.customer_key
    where
        customers.value_rank is distinct from moved_values.value_rank
        or customers.value_amount is distinct from moved_values.value_amount
        or customers.value_currency is distinct from moved_values.value_currency
{%- endmacro -%}

{#-
    touched_by of fct_closed_loop_case: the records of what its steps moved, with all cases of the same customers, which are numbered.
    The days between the business dates of the last night and this one make cases overdue, and end their windows.
-#}
{%- macro touched_cases() -%}
    with night as (
        select
            {{ end_of_local_day('least(as_of, coalesce(previous_as_of, as_of))') }} as earlier,
            {{ end_of_local_day('greatest(as_of, coalesce(previous_as_of, as_of))') }} as later
        from {{ night() }}
    )
    select source_object, source_ref from {{ touched('int_case__failure') }}
    union
    select source_object, source_ref from {{ ref('int_case__failure') }}
    where
        (customer_key <> -1 and customer_key in (select customer_key from {{ touched('int_case__failure') }}))
        or case_key in (select case_key from {{ touched('int_case__moment') }})
        or case_key in (select case_key from {{ touched('int_case__customer') }})
    union
    select cases.source_object, cases.source_ref from {{ this }} as cases
    inner join night
        on (cases.due_at > night.earlier and cases.due_at <= night.later)
        {%- for days in [recovery_days(), 90, 180] %}
        or (
            {{ after_days('cases.opened_at', days) }} > {{ after_days('night.earlier', -1) }}
            and {{ after_days('cases.opened_at', days) }} <= {{ after_days('night.later', 1) }}
        )
        {%- endfor %}
{%- endmacro -%}
