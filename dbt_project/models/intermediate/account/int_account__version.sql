{#- Every delivered version of every account, in our words. Not here: how each was mapped (int_account__<system>), the newest one. -#}
{{ config(materialized='view', incremental_strategy=none, contract={'enforced': true}) }}

{{ all_versions('account') }}
