{#-
    What customers say, in one form. What lives here: words as rules read them, the mood a score and a text speak of, which
    surveys ask employees. Not here: the rules (seed theme_rules), which items count (fct_feedback).
-#}

{#- Words as rules compare them: no case, no accents, one space between words, no underscores; NULL where nothing is left. -#}
{%- macro folded_words(text) -%}
    {{ return(adapter.dispatch('folded_words')(text)) }}
{%- endmacro -%}

{%- macro duckdb__folded_words(text) -%}
    nullif(trim(regexp_replace(replace(replace(replace(strip_accents(lower({{ text }})), 'ß', 'ss'), 'œ', 'oe'), 'æ', 'ae'), '[\s_]+', ' ', 'g')), '')
{%- endmacro -%}

{#-
    The mood a score speaks of, by its place on its scale. The same as the classes of CSAT: 4 and 5 of 1-5, 6 and 7 of
    1-7, good of good and bad are positive, the middle up to there is neutral. NULL without a score.
-#}
{%- macro score_sentiment(score_norm) -%}
    case when {{ score_norm }} >= 0.75 then 'positive' when {{ score_norm }} >= 0.5 then 'neutral' when {{ score_norm }} >= 0 then 'negative' end
{%- endmacro -%}

{#-
    How good an English text sounds, -1 (bad) to 1 (good), as a library estimates it where the company wants that; NULL where it
    does not, in another language, and where no word says.
-#}
{%- macro estimated_polarity(text, language) -%}
    text_polarity(
        case
            when (select sentiment_method from {{ night() }}) is not null
                and coalesce({{ language }}, (select unlabelled_language from {{ night() }})) = 'en'
                then {{ text }}
        end
    )
{%- endmacro -%}

{#- The mood a text speaks of, by its estimated polarity: a tenth to either side of nothing is neutral. -#}
{%- macro polarity_sentiment(polarity) -%}
    case when {{ polarity }} >= 0.1 then 'positive' when {{ polarity }} > -0.1 then 'neutral' when {{ polarity }} <= -0.1 then 'negative' end
{%- endmacro -%}

{#- A CTE body: the surveys that ask employees, which are those that ask for their eNPS. Nothing they answer is a customer's. -#}
{%- macro employee_surveys() -%}
    select distinct source, survey_id from {{ ref('int_survey_question__unioned') }} where metric = 'enps'
{%- endmacro -%}

{#- The first day of the month of a date key. -#}
{%- macro month_of_key(key) -%}
    cast({{ dbt.date_trunc('month', date_of_key(key)) }} as date)
{%- endmacro -%}

{#- The first day of the month so many months after another. -#}
{%- macro months_after(month_start, months) -%}
    cast({{ dbt.dateadd('month', months, month_start) }} as date)
{%- endmacro -%}
