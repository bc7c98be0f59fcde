{#-
    People who buy in the shop, as last known. The shop makes a customer record per order; the person is the unique id, gone when all
    of its records are. So this is no view of versions.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'contact_id'],
    touched_by="
        select _source, customer_unique_id from {{ ref('stg_olist__customers') }}
        where (_source, customer_id) in ({{ new_rows('stg_olist__customers', ['_source', 'customer_id']) }})
            and customer_unique_id is not null
    "
) }}

with customers as (
    {{ newest_versions('stg_olist__customers', ['_source', 'customer_id'], ['customer_unique_id'],
        where='(_source, customer_id) in (select _source, customer_id from ' ~ ref('stg_olist__customers')
            ~ ' where ' ~ is_touched(['_source', 'customer_unique_id']) ~ ')') }}
)

select
    customer_unique_id as contact_id,
    'BR' as country,
    'pt' as language,
    bool_and(is_vanished) as is_deleted,
    {{ assembled_columns('max(_version_at)') }}
from customers
where {{ is_touched(['_source', 'customer_unique_id']) }}
group by _source, customer_unique_id
