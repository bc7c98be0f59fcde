{#- Every delivered version of every ticket, in our words. Not here: how each was mapped (int_ticket__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('ticket') }}
