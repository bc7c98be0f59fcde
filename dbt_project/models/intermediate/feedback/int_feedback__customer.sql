{{ config(materialized='view', incremental_strategy=none) }}

{#- Whose each review, post, interview, form is; what employees say is no customer's. -#}
with crm_ids as (
    {{ crm_customers_by_id(ref('int_feedback__unioned'), 'contact_id') }}
)

select
    feedback.feedback_key,
    case when feedback.source_type = 'employee' then -1 else coalesce(own.customer_key, crm_ids.customer_key, -1) end as customer_key
from {{ ref('int_feedback__unioned') }} as feedback
left join {{ ref('map_customer_identity') }} as own
    on own.source = feedback.source
    and own.contact_id = feedback.contact_id
left join crm_ids on crm_ids.contact_id = feedback.contact_id
