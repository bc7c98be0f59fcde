{#- Every delivered version of every agent, in our words. Not here: how each was mapped (int_agent__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('agent') }}
