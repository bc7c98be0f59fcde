{#- Every delivered version of every contact, in our words. Not here: how each was mapped (int_contact__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('contact') }}
