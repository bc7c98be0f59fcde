{#- Every delivered version of every event of a target told as a clock, in our words. Not here: how each was mapped (int_sla_event__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('sla_event') }}
