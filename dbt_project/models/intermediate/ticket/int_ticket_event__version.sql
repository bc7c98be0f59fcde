{#- Every delivered version of every event of a ticket, in our words. Not here: how each was mapped (int_ticket_event__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('ticket_event') }}
