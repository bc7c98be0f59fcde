{#-
    What passed between a customer and us in a month. What lives here: tickets they began, how long they waited, what went wrong, what they answered
    last. Not here: which tickets and answers count (fct_ticket, fct_survey_answer), months in which nothing passed.

    Waits are summed in whole seconds, so that no order of adding shows.
-#}
{{ config(
    touched_key=['customer_key', 'month_start'],
    touches=['nps_class'],
    touched_by="{{ touched_contacts() }}"
) }}

with night as (
    select as_of from {{ night() }}
),

tickets as (
    select
        tickets.customer_key,
        {{ month_of(date_of_key('tickets.created_date_key')) }} as month_start,
        tickets.is_customer_initiated,
        tickets.first_reply_minutes,
        tickets.is_complaint
    from {{ ref('fct_ticket') }} as tickets
    cross join night
    where
        tickets.customer_key <> -1
        and {{ is_ticket_counted('tickets.removed_kind') }}
        and tickets.created_date_key > 0
        and tickets.created_date_key <= {{ date_key('night.as_of') }}
        and {{ is_touched(['tickets.customer_key', month_of(date_of_key('tickets.created_date_key'))]) }}
),

answers as (
    select
        answers.customer_key,
        answers.answer_key,
        answers.metric,
        answers.answer_class,
        answers.answered_at,
        {{ month_of(date_of_key('answers.answered_date_key')) }} as month_start
    from {{ ref('fct_survey_answer') }} as answers
    cross join night
    where
        answers.customer_key <> -1
        and answers.is_counted
        and answers.metric in ('nps', 'csat', 'ces')
        and answers.answered_date_key > 0
        and answers.answered_date_key <= {{ date_key('night.as_of') }}
        and {{ is_touched(['answers.customer_key', month_of(date_of_key('answers.answered_date_key'))]) }}
),

contacts as (
    select
        customer_key,
        month_start,
        count(case when is_customer_initiated then 1 end) as contacts,
        sum(case when is_customer_initiated then cast(round(first_reply_minutes * 60) as bigint) end) as wait_seconds,
        count(case when is_complaint then 1 end) as complaints
    from tickets
    group by customer_key, month_start
),

low_scores as (
    select customer_key, month_start, count(*) as low_scores
    from answers
    where answer_class in ('detractor', 'negative')
    group by customer_key, month_start
),

latest_nps as (
    select customer_key, month_start, answer_class
    from (
        select
            customer_key,
            month_start,
            answer_class,
            row_number() over (partition by customer_key, month_start order by answered_at desc, answer_key desc) as recency
        from answers
        where metric = 'nps'
    ) as monthly
    where recency = 1
),

months as (
    select customer_key, month_start from contacts
    union
    select customer_key, month_start from low_scores
    union
    select customer_key, month_start from latest_nps
)

select
    months.customer_key,
    months.month_start,
    cast(coalesce(contacts.contacts, 0) as integer) as contacts,
    cast(coalesce(contacts.wait_seconds, 0) as bigint) as wait_seconds,
    cast(coalesce(low_scores.low_scores, 0) + coalesce(contacts.complaints, 0) as integer) as failures,
    latest_nps.answer_class as nps_class
from months
left join contacts on contacts.customer_key = months.customer_key and contacts.month_start = months.month_start
left join low_scores on low_scores.customer_key = months.customer_key and low_scores.month_start = months.month_start
left join latest_nps on latest_nps.customer_key = months.customer_key and latest_nps.month_start = months.month_start
