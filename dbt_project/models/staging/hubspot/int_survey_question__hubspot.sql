{#-
    The score that each survey of HubSpot asks for, which no extract describes: it is asked where there are answers, and named by its
    kind. What a custom survey, or a vote on an article, measures, the company says. Satisfaction is asked on several scales, so its
    classes are the scale.
-#}
with answers as (
    select
        _source,
        _night,
        survey_id,
        survey_type,
        case when survey_type in ('nps', 'csat', 'ces') then survey_type else 'other' end as metric
    from {{ ref('stg_hubspot__feedback_submissions') }}
    where survey_id is not null
)

select
    survey_id,
    survey_id as survey_name,
    survey_type as question_id,
    survey_type || ' of survey ' || survey_id as wording,
    metric,
    case metric when 'nps' then 0.0 when 'csat' then 0.0 when 'ces' then 1.0 end as scale_min,
    case metric when 'nps' then 10.0 when 'csat' then 2.0 when 'ces' then 7.0 end as scale_max,
    case when metric <> 'other' then 'high_is_good' end as scale_direction,
    case when metric = 'csat' then cast('[2]' as json) end as positive_values,
    {{ undelivered_question_columns() }}
from answers
group by _source, survey_id, survey_type, metric
