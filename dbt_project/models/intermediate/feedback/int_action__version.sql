{#- Every delivered version of every action, in our words. Not here: how each was mapped (int_action__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('action') }}
