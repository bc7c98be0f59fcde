{#-
    The customer's side of each case: what they were worth, what they answered next, and until when they bought. What lives here:
    the answer that tells whether they were won back. Not here: what we did about the case (int_case__moment), when all that is judged
    (fct_closed_loop_case).

    The next answer within 60 days tells; where a low score was changed, or its ticket rated again, the last word on it does.
-#}
{{ config(
    touched_key=['case_key'],
    touched_by="{{ touched_customers_of_cases() }}"
) }}

-- depends_on: {{ ref('int_survey_answer__unioned') }}
with cases as (
    select
        case_key,
        trigger,
        customer_key,
        answer_key,
        response_key,
        ticket_key,
        opened_at,
        opened_date_key,
        {{ date_of_key('opened_date_key') }} as opened_on,
        changed_at
    from {{ ref('int_case__failure') }}
    where {{ is_touched(['case_key']) }}
),

{#- The customer's other answers after the opening; those given in the same response are of the same moment. -#}
later_answers as (
    {%- for column in ['customer_key', 'ticket_key'] %}
    select
        cases.case_key,
        others.answer_key,
        others.answered_at,
        {{ is_low_class('others.answer_class') }} as is_low,
        {{ "cases.trigger = 'low_score'" if column == 'ticket_key' else 'false' }} as is_last_word
    from cases
    inner join {{ ref('fct_survey_answer') }} as others on others.{{ column }} = cases.{{ column }}
    where
        cases.{{ column }} <> -1
        and {{ was_customers_word('others') }}
        and others.answered_at > cases.opened_at
        and others.answered_at <= {{ after_days('cases.opened_at', recovery_days()) }}
        and others.answer_key <> cases.answer_key
        and (cases.response_key = -1 or others.response_key <> cases.response_key)
    union all
    {%- endfor %}
    select case_key, answer_key, changed_at, false, true
    from cases
    where changed_at is not null and changed_at <= {{ after_days('opened_at', recovery_days()) }}
),

{#- Given together, a low answer says more than the good one beside it. -#}
next_answers as (
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
        max(case when orders.ordered_on <= cases.opened_on then orders.ordered_on end) as bought_by_opening,
        {%- for days in [90, 180] %}
        max(case when orders.ordered_on <= {{ plus_days('cases.opened_on', days) }} then orders.ordered_on end) as bought_by_{{ days }}{{ ',' if not loop.last }}
        {%- endfor %}
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
)

select
    cases.case_key,
    coalesce(next_answers.answer_key, -1) as next_answer_key,
    next_answers.answered_at as next_answered_at,
    next_answers.is_low as is_next_low,
    purchases.bought_by_opening,
    purchases.bought_by_90,
    purchases.bought_by_180,
    customer_values.value_rank,
    customer_values.value_amount,
    customer_values.value_currency
from cases
left join next_answers on next_answers.case_key = cases.case_key
left join purchases on purchases.case_key = cases.case_key
left join customer_values
    on customer_values.customer_key = cases.customer_key
    and customer_values.month_start = {{ value_month('cases.opened_date_key') }}
