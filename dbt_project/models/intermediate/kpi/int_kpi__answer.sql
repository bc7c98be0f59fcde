{#-
    Survey answers as records of the KPIs. What lives here: which answer belongs to which measure, and until when the latest
    answer of a customer about the relationship stands. Not here: which answers count (fct_survey_answer), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['answer_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select answer_key from {{ touched('fct_survey_answer') }}
        union select source_ref from {{ touched('fct_journey_event') }} where object = 'survey_answer'
        union {{ records_moved_by_customers(['answer_key']) }}
        union
        select answer_key from {{ ref('fct_survey_answer') }}
        where
            (
                metric = 'nps'
                and survey_kind = 'relational'
                and customer_key <> -1
                and customer_key in (select customer_key from {{ touched('fct_survey_answer') }})
            )
            or (ticket_key <> -1 and ticket_key in (select ticket_key from {{ touched('fct_ticket') }}))
            or (order_key <> -1 and order_key in (select order_key from {{ touched('fct_order') }}))
    "
) }}

{%- set columns = [
    'answer_key', 'customer_key', 'ticket_key', 'order_key', 'touchpoint_key', 'channel', 'answered_at', 'date_day', 'answer_class', 'is_positive',
    'score_norm'
] %}

with counted as (
    select
        answer_key,
        case
            when metric = 'nps' and survey_kind = 'relational' then 'nps_relational'
            when metric = 'nps' then 'nps_transactional'
            else metric
        end as measure,
        customer_key,
        ticket_key,
        order_key,
        touchpoint_key,
        channel,
        answered_at,
        {{ date_of_key('answered_date_key') }} as date_day,
        answer_class,
        is_positive,
        score_norm
    from {{ ref('fct_survey_answer') }}
    where is_counted and answered_date_key > 0 and metric in ('nps', 'csat', 'ces', 'enps') and {{ is_touched(['answer_key']) }}
),

{#- Where nobody knows an answer's place on its scale, it is in the share and not in the mean. -#}
answers as (
    select measure, {{ columns | join(', ') }} from counted
    union all
    select measure || '_mean', {{ columns | join(', ') }}
    from counted
    where measure in ('csat', 'ces') and score_norm is not null
),

{#- The next answer of the customer, touched or not. -#}
successors as (
    select
        answer_key,
        lead({{ date_of_key('answered_date_key') }}) over (partition by customer_key order by answered_at, answer_key) as superseded_on
    from {{ ref('fct_survey_answer') }}
    where
        is_counted
        and answered_date_key > 0
        and metric = 'nps'
        and survey_kind = 'relational'
        and customer_key <> -1
        and customer_key in (select customer_key from counted)
),

event_journeys as (
    {{ journeys_of('survey_answer', 'counted', 'answer_key') }}
),

measured as (
    select
        answers.answer_key,
        answers.measure,
        case when answers.measure <> 'enps' then answers.customer_key end as customer_key,
        {{ respondent('answers.customer_key', 'answers.answer_key') }} as respondent,
        answers.date_day,
        successors.superseded_on,
        case when answers.is_positive then 1 else 0 end as positives,
        case when answers.answer_class in ('detractor', 'negative') then 1 else 0 end as negatives,
        case when answers.measure in ('csat_mean', 'ces_mean') then cast(100 * answers.score_norm as decimal(28, 6)) end as total,
        case when answers.measure <> 'enps' then coalesce(answers.channel, 'unknown') end as channel,
        case when answers.measure <> 'enps' then coalesce(touchpoints.touchpoint, 'unknown') end as touchpoint,
        case when answers.measure <> 'enps' then coalesce(tickets.team, 'none') end as team,
        case when answers.measure <> 'enps' then case when answers.order_key = -1 then 'none' else coalesce(orders.product, 'unknown') end end
            as product,
        case when answers.measure <> 'enps' then coalesce(event_journeys.journey, 'none') end as journey
    from answers
    left join successors on successors.answer_key = answers.answer_key
    left join event_journeys on event_journeys.source_ref = answers.answer_key
    left join {{ ref('dim_touchpoint') }} as touchpoints
        on touchpoints.touchpoint_key = answers.touchpoint_key and touchpoints.touchpoint_key <> -1
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    left join {{ ref('fct_order') }} as orders on orders.order_key = answers.order_key
)

{{ kpi_records('measured', ['answer_key'], [
    'superseded_on', 'positives', 'negatives', 'total', 'channel', 'touchpoint', 'team', 'product', 'journey'
]) }}
