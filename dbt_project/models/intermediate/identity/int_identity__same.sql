{{ config(materialized='view', incremental_strategy=none) }}

{#-
    Why two records are one by what they say themselves. What lives here: the rules that need nothing but the records: a person's
    decision, a vendor's merge, equal marks and names. Not here: rules that ask whom a mark leads to (int_identity__found) or whom a
    record names (int_identity__named), what forbids an edge (int_identity__evidence).
-#}
select node_a, node_b, 'manual_merge' as rule, 'A person decided that both are one.' as evidence
from ({{ known_overrides() }}) as overrides
where action = 'merge'
union all
select
    merged.contact_key,
    surviving.contact_key,
    'vendor_merge',
    'The source system merged one record into the other.'
from {{ ref('int_contact__unioned') }} as merged
inner join {{ ref('int_contact__unioned') }} as surviving
    on surviving.source = merged.source
    and surviving.contact_id = merged.merged_into_contact_id
union all
select
    node_key,
    min(node_key) over (partition by value, full_name),
    'email_and_name',
    'Both have the same e-mail address and the same name.'
from {{ ref('int_identity__point') }}
where kind = 'email' and not is_shared_inbox and not is_former and is_contact and full_name is not null
union all
select
    node_key,
    min(node_key) over (partition by value, full_name, account_key),
    'phone_name_and_account',
    'Both have the same phone number, the same name and the same account.'
from {{ ref('int_identity__point') }}
where kind = 'phone' and is_of_one_name and not is_former and is_crm and full_name is not null and account_key is not null
