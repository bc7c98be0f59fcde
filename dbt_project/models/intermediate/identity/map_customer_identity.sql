{%- set columns = [
    'contact_key', 'source', 'system', 'contact_id', 'customer_key', 'match_rule', 'match_status', 'match_confidence',
    'weakest_rule', 'cluster_size', 'unmerged_records', 'is_conflict', 'account_key'
] -%}
{{ config(
    touched_key=['contact_key'],
    touches=['source', 'contact_id', 'customer_key'],
    touched_by="
        select contact_key from (
            (select " ~ columns | join(', ') | replace('contact_key', 'node_key as contact_key', 1) ~ " from {{ ref('int_identity__resolved') }} where is_contact
            except select " ~ columns | join(', ') ~ " from {{ this }})
            union all
            (select " ~ columns | join(', ') ~ " from {{ this }}
            except select " ~ columns | join(', ') | replace('contact_key', 'node_key', 1) ~ " from {{ ref('int_identity__resolved') }} where is_contact)
        ) as moved
    "
) }}

select
    node_key as contact_key,
    source,
    system,
    contact_id,
    customer_key,
    match_rule,
    match_status,
    match_confidence,
    weakest_rule,
    cluster_size,
    unmerged_records,
    is_conflict,
    account_key
from {{ ref('int_identity__resolved') }}
where is_contact and {{ is_touched(['node_key']) }}
