{{ config(
    touched_key=['ticket_key'],
    touches=['customer_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union
        select ticket_key from {{ ref('int_ticket__unioned') }}
        where
            requester_id in ({{ salesforce_id_spellings('contact_id', touched('map_customer_identity')) }})
            or respondent_key in (select node_key from {{ touched('int_identity__resolved') }})
    "
) }}

{#- Whose each ticket is: the requester's, or that of the customer whom the address it came from leads to. -#}
with tickets as (
    select ticket_key, source, requester_id, respondent_key from {{ ref('int_ticket__unioned') }} where {{ is_touched(['ticket_key']) }}
),

crm_ids as (
    {{ crm_customers_by_id('tickets', 'requester_id') }}
)

select
    tickets.ticket_key,
    coalesce(own.customer_key, crm_ids.customer_key, respondents.customer_key, -1) as customer_key
from tickets
left join {{ ref('map_customer_identity') }} as own
    on own.source = tickets.source
    and own.contact_id = tickets.requester_id
left join crm_ids on crm_ids.contact_id = tickets.requester_id
left join {{ ref('int_identity__resolved') }} as respondents
    on respondents.node_key = tickets.respondent_key
    and not respondents.is_contact
