{#- Every delivered version of every question of a survey, in our words. Not here: how each was mapped (int_survey_question__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('survey_question') }}
