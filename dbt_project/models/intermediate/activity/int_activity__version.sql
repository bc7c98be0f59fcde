{#- Every delivered version of every activity, in our words. Not here: how each was mapped (int_activity__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('activity') }}
