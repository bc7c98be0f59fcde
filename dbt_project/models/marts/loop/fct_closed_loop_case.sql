{#-
    Every failure opens a case, and a case is closed when somebody answered, did something about it, and told the customer so. What
    lives here: how far each case came, in time or not, and whether its customer was won back and stayed. Not here: what opens a case
    (int_case__failure), what was done about it (int_case__moment), comparisons of groups (mart_recovery), how soon is soon enough
    (seed loop_targets), what is done about causes.

    A customer is won back when the next answer within 60 days is not low. What has not had its days yet is NULL.
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

cases as (
    select
        failures.case_key,
        failures.trigger,
        failures.customer_key,
        failures.source_object,
        failures.source_ref,
        failures.answer_key,
        failures.ticket_key,
        failures.touchpoint_key,
        failures.channel,
        failures.team,
        failures.reason,
        failures.opened_at,
        failures.opened_date_key,
        {{ date_of_key('failures.opened_date_key') }} as opened_on,
        {{ after_hours('failures.opened_at', 'targets.respond_within_hours') }} as due_at
    from {{ ref('int_case__failure') }} as failures
    inner join {{ ref('loop_targets') }} as targets on targets.trigger = failures.trigger
    where {{ is_touched(['failures.source_object', 'failures.source_ref']) }}
),

{#- What fails at one moment, such as two answers of one response, is one failure. -#}
numbered as (
    select
        case_key,
        cast(dense_rank() over (partition by customer_key order by opened_at) as integer) as failure_no
    from {{ ref('int_case__failure') }}
    where customer_key <> -1 and customer_key in (select customer_key from cases)
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
        cases.team,
        cases.reason,
        customers.value_rank,
        customers.value_amount,
        customers.value_currency,
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
            when not customers.is_next_low then true
            when {{ after_days('cases.opened_at', recovery_days()) }} <= night.ends_at then false
        end as is_recovered,
        case
            when customers.is_next_low then null
            when customers.next_answered_at < cases.opened_at then cases.opened_at
            else customers.next_answered_at
        end as recovered_at,
        {%- for days in [90, 180] %}
        case when {{ is_active_on('customers.bought_by_opening', 'cases.opened_on') }} and {{ plus_days('cases.opened_on', days) }} <= night.as_of then
            {{ is_active_on('customers.bought_by_' ~ days, plus_days('cases.opened_on', days)) }}
        end as is_retained_{{ days }},
        {%- endfor %}
        numbered.failure_no,
        customers.next_answer_key
    from cases
    cross join night
    inner join {{ ref('int_case__moment') }} as moments on moments.case_key = cases.case_key
    inner join {{ ref('int_case__customer') }} as customers on customers.case_key = cases.case_key
    left join numbered on numbered.case_key = cases.case_key
)

select * from final
