{{ config(
    touched_key=['contact_key'],
    touches=['source', 'contact_id', 'customer_key'],
    touched_by="select node_key from {{ touched('int_identity__resolved') }} where is_contact"
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
