{{ config(
    touched_key=['contact_key'],
    touches=['source', 'contact_id', 'customer_key'],
    touched_by="
        select contact_key from (
            (select contact_key, customer_key, match_rule, match_status from {{ ref('int_customer__resolved') }}
            except select contact_key, customer_key, match_rule, match_status from {{ this }})
            union all
            (select contact_key, customer_key, match_rule, match_status from {{ this }}
            except select contact_key, customer_key, match_rule, match_status from {{ ref('int_customer__resolved') }})
        ) as moved
    "
) }}

select
    contact_key,
    source,
    system,
    contact_id,
    customer_key,
    match_rule,
    match_status
from {{ ref('int_customer__resolved') }}
where {{ is_touched(['contact_key']) }}
