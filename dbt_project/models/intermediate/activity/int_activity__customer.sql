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
with activities as (
    select activity_key, source, contact_id from {{ ref('int_activity__unioned') }} where {{ is_touched(['activity_key']) }}
),

crm_ids as (
    {{ crm_customers_by_id('activities', 'contact_id') }}
)

select
    activities.activity_key,
    coalesce(own.customer_key, crm_ids.customer_key, -1) as customer_key
from activities
left join {{ ref('map_customer_identity') }} as own
    on own.source = activities.source
    and own.contact_id = activities.contact_id
left join crm_ids on crm_ids.contact_id = activities.contact_id
