{#-
    Answers out of responses that hold all of them. What lives here: which questions explain a score or comment on it, where an answer of
    Qualtrics stands. Not here: what a score means (metrics/).
-#}

{#- A common table expression: which question of a survey the company says is the reason of a score, and which the comment on it. -#}
{%- macro declared_words() -%}
declared_words as (
    select
        source,
        survey_id,
        min(case when metric = 'reason' then question_id end) as reason_question,
        min(case when metric = 'comment' then question_id end) as comment_question
    from {{ ref('survey_questions') }}
    group by source, survey_id
)
{%- endmacro -%}

{#- What was answered to a question of Qualtrics: a column of the contract, another column of an export as CSV, or an entry of what the API gives. -#}
{%- macro qualtrics_answer(question) -%}
case {{ question }}
        when 'QID1' then responses.qid1 when 'QID2' then responses.qid2 when 'QID3_TEXT' then responses.qid3_text
        else coalesce({{ json_entry('responses.other_answers', question) }}, {{ json_entry('responses.answers', question) }})
    end
{%- endmacro -%}

{#-
    A common table expression: the questions of a system whose answers are scores. Of a survey that is described without any, and of which
    the company says nothing, nobody knows what it measures: its responses are one answer each, to the question '*', which never counts.
-#}
{%- macro scored_questions(system) -%}
{%- set is_scored = "(metric in ('nps', 'csat', 'ces', 'enps') or (metric = 'other' and scale_max is not null))" -%}
scored_questions as (
    select
        source,
        survey_id,
        question_id
    from {{ ref('int_survey_question__unioned') }}
    where system = '{{ system }}' and {{ is_scored }}
    union all
    select
        source,
        survey_id,
        '*' as question_id
    from {{ ref('int_survey_question__unioned') }}
    where system = '{{ system }}' and (source, survey_id) not in (select source, survey_id from {{ ref('survey_questions') }})
    group by source, survey_id
    having max(case when {{ is_scored }} then 1 else 0 end) = 0
)
{%- endmacro -%}

{#- What was answered to a scored question; to '*', that something was. -#}
{%- macro scored_answer(question, answer) -%}
case when {{ question }} = '*' then '*' else {{ answer }} end
{%- endmacro -%}

{#- A common table expression: which survey a response belongs to. One that disappeared does not say so itself. -#}
{%- macro surveys_of_responses(responses, response_id, survey_id) -%}
surveys_of_responses as (
    select distinct _source, {{ response_id }}{{ ' as response_id' if response_id != 'response_id' }}, {{ survey_id }} as survey_id
    from {{ ref(responses) }}
    where _op = 'upsert'
)
{%- endmacro -%}
