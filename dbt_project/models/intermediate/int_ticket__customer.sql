{{ config(materialized='view', incremental_strategy=none) }}

{#- Whose each ticket is: the requester's, or that of the one customer in the CRM with the address it came from. -#}
with crm_ids as (
    {{ crm_customers_by_id() }}
),

crm_emails as (
    {{ crm_customers_by_email() }}
)

select
    tickets.ticket_key,
    coalesce(own.customer_key, crm_ids.customer_key, crm_emails.customer_key, -1) as customer_key
from {{ ref('int_ticket__unioned') }} as tickets
left join {{ ref('map_customer_identity') }} as own
    on own.source = tickets.source
    and own.contact_id = tickets.requester_id
left join crm_ids on crm_ids.contact_id = {{ salesforce_id('tickets.requester_id') }}
left join crm_emails on crm_emails.personal_email = {{ personal_email('tickets.requester_email') }}
