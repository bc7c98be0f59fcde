{#-
    Answers as they were given, and as they were changed. What lives here: whose answers count here, every delivered version of
    one, and whether it was low. Not here: which version stands (fct_survey_answer).

    A customer who turns a bad rating into a good one was disappointed and is so no longer: the version that stands tells the
    second half only.
-#}

{#- Whether the score of an answer that counts is a low one; false off the scale. -#}
{%- macro is_low_answer(metric, score, scale_min, scale_max, scale_direction, positive_values) -%}
    {%- set good_score = high_is_good(score, scale_min, scale_max, scale_direction) -%}
    {%- set class = answer_class(
        metric, score, scale_min, scale_max, positive_values, '(' ~ good_score ~ ')', '(' ~ lowest_positive(metric, scale_min, scale_max) ~ ')'
    ) -%}
    coalesce({{ score }} between {{ scale_min }} and {{ scale_max }} and {{ is_low_class(class) }}, false)
{%- endmacro -%}

{#-
    A CTE body: the versions of the answers in `records` (answer_key, what names the answer: source, answer_id, and what it is read by:
    scale_min, scale_max, recode_values) that have a score, with when they came to be and their place among the versions, by the order of
    newest_versions().
-#}
{%- macro answer_versions(records) -%}
    select
        answer_key,
        score,
        version_at,
        row_number() over (
            partition by answer_key
            order by version_at, extract_date, file nulls first, file_row nulls first
        ) as place
    from (
        select
            records.answer_key,
            coalesce(
                versions.score, {{ read_score('versions.answer', 'records.scale_min', 'records.scale_max', 'records.recode_values') }}
            ) as score,
            versions._version_at as version_at,
            versions._extract_date as extract_date,
            versions._file as file,
            versions._row as file_row
        from {{ records }} as records
        inner join {{ ref('int_survey_answer__version') }} as versions
            on versions.source = records.source
            and versions.answer_id = records.answer_id
        where versions._op = 'upsert'
    ) as versions
    where score is not null
{%- endmacro -%}

{#- A condition: a counted answer of a customer that says how satisfied they are. Employees' surveys ask other people. -#}
{%- macro is_customers_word(answers) -%}
    {{ answers }}.is_counted and {{ is_of_satisfaction(answers) }}
{%- endmacro -%}

{#- A condition: an answer that was a customer's word once, whether it stands or its ticket was rated again since. -#}
{%- macro was_customers_word(answers) -%}
    ({{ answers }}.is_counted or coalesce({{ answers }}.exclusion_reason = 'rated_again', false)) and {{ is_of_satisfaction(answers) }}
{%- endmacro -%}

{%- macro is_of_satisfaction(answers) -%}
    {{ answers }}.metric in ('nps', 'csat', 'ces')
    and {{ answers }}.question_key not in (
        select questions.survey_question_key
        from {{ ref('int_survey_question__unioned') }} as questions
        inner join ({{ employee_surveys() }}) as employee_surveys
            on employee_surveys.source = questions.source
            and employee_surveys.survey_id = questions.survey_id
    )
{%- endmacro -%}
