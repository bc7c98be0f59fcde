{#- Every delivered version of every order, in our words. Not here: how each was mapped (int_order__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('order') }}
