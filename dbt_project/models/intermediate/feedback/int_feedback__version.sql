{#- Every delivered version of every other voice, in our words. Not here: how each was mapped (int_feedback__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('feedback') }}
