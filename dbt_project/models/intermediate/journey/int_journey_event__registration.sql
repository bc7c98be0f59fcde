{#-
    When customers registered. What lives here: the contact by which each became known to the CRM first. Not here: what else is an event
    (int_journey_event__observed).
-#}
{{ config(
    touched_key=['customer_key'],
    touched_by="
        select customer_key from {{ touched('map_customer_identity') }}
        union
        select customer_key from {{ ref('map_customer_identity') }}
        where contact_key in (select contact_key from {{ touched('int_contact__unioned') }})
    "
) }}

{#- A customer registered when the first of their records in the CRM was made; one whose records are all deleted never did. -#}
select
    customer_key,
    system,
    created_at
from (
    select
        identity.customer_key,
        contacts.system,
        contacts.created_at,
        row_number() over (
            partition by identity.customer_key order by contacts.created_at nulls last, contacts.contact_key
        ) as place,
        max(case when contacts.is_deleted then 0 else 1 end) over (partition by identity.customer_key) = 1 as is_there
    from {{ ref('map_customer_identity') }} as identity
    inner join {{ ref('int_contact__unioned') }} as contacts on contacts.contact_key = identity.contact_key
    where
        identity.customer_key <> -1
        and contacts.system in ('salesforce', 'canonical')
        and (not contacts.is_deleted or contacts.merged_into_contact_id is not null)
        and {{ is_touched(['identity.customer_key']) }}
) as ranked
where place = 1 and is_there and created_at is not null
