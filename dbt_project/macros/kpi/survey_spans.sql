{#-
    A CTE body: Over which days each counted answer stands in the survey KPIs. Relationship NPS takes the latest answer of each
    customer in its window, so an answer stands until the next one; every other answer stands for the whole window.
    Answers of unknown customers are a respondent each: they cannot be told apart.
-#}
{%- macro survey_spans() %}
    with answers as (
        select
            answers.answer_key,
            case
                when answers.metric = 'nps' and answers.survey_kind = 'relational' then 'nps_relational'
                when answers.metric = 'nps' then 'nps_transactional'
                else answers.metric
            end as kpi,
            answers.answered_at,
            {{ date_of_key('answers.answered_date_key') }} as answered_on,
            case when answers.customer_key = -1 then -1 - answers.answer_key else answers.customer_key end as respondent,
            answers.channel,
            coalesce(customers.country, 'unknown') as country,
            case when answers.answer_class in ('promoter', 'positive') then 1 else 0 end as positives,
            case when answers.answer_class in ('detractor', 'negative') then 1 else 0 end as negatives
        from {{ ref('fct_survey_answer') }} as answers
        left join {{ ref('dim_customer') }} as customers on customers.customer_key = answers.customer_key
        where answers.is_counted and answers.metric in ('nps', 'csat', 'ces')
    ),

    superseded as (
        select
            answers.kpi,
            answers.answered_on,
            answers.respondent,
            answers.channel,
            answers.country,
            answers.positives,
            answers.negatives,
            case when answers.kpi = 'nps_relational' then
                lead(answers.answered_on) over (partition by answers.kpi, answers.respondent order by answers.answered_at, answers.answer_key)
            end as next_answered_on
        from answers
    )

    select
        superseded.kpi,
        periods.period,
        superseded.respondent,
        superseded.channel,
        superseded.country,
        superseded.answered_on as from_date,
        least(
            {{ plus_days('superseded.answered_on', 'periods.days - 1') }},
            coalesce({{ plus_days('superseded.next_answered_on', -1) }}, {{ plus_days('superseded.answered_on', 'periods.days - 1') }})
        ) as to_date,
        superseded.positives,
        superseded.negatives,
        1 as responses
    from superseded
    inner join {{ ref('kpi_periods') }} as periods on periods.kpi = superseded.kpi
{%- endmacro -%}
