{{ config(
    touched_key=['activity_key'],
    touched_by="
        select activity_key from {{ touched('int_activity__unioned') }}
        union
        select activity_key from {{ ref('int_activity__unioned') }}
        where contact_id in ({{ salesforce_id_spellings('contact_id', touched('map_customer_identity')) }})
    "
) }}

{#- Whose each activity is. -#}
with crm_ids as (
    {{ crm_customers_by_id() }}
)

select
    activities.activity_key,
    coalesce(own.customer_key, crm_ids.customer_key, -1) as customer_key
from {{ ref('int_activity__unioned') }} as activities
left join {{ ref('map_customer_identity') }} as own
    on own.source = activities.source
    and own.contact_id = activities.contact_id
left join crm_ids on crm_ids.contact_id = {{ salesforce_id('activities.contact_id') }}
where {{ is_touched(['activities.activity_key']) }}
