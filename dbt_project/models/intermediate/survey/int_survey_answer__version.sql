{#- Every delivered version of every answer, in our words. Not here: how each was mapped (int_survey_answer__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('survey_answer') }}
