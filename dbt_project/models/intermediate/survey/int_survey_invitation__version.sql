{#- Every delivered version of every invitation to a survey, in our words. Not here: how each was mapped (int_survey_invitation__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('survey_invitation') }}
