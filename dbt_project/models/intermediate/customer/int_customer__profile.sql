{#-
    What the records of a customer say of them together. What lives here: which record's word counts. Not here: which records are one
    person (map_customer_identity), what a customer did (int_customer__activity).

    The record in the CRM speaks first, then the oldest; an attribute it lacks comes from the next.
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

with told as (
    select
        contact_key, country, language, segment, acquisition_source, has_opted_out, created_at, is_deleted,
        {{ is_crm('source') }} as is_of_crm
    from {{ ref('int_contact__unioned') }}
),

records as (
    select
        identity.customer_key,
        contacts.contact_key,
        contacts.country,
        contacts.language,
        contacts.segment,
        contacts.acquisition_source,
        contacts.has_opted_out,
        contacts.created_at,
        contacts.is_deleted,
        identity.match_status,
        row_number() over best as record_rank,
        first_value(contacts.country ignore nulls) over best as best_country,
        first_value(contacts.language ignore nulls) over best as best_language,
        first_value(contacts.segment ignore nulls) over best as best_segment,
        first_value(contacts.acquisition_source ignore nulls) over best as best_acquisition_source,
        first_value(nullif(identity.account_key, -1) ignore nulls) over best as best_account_key
    from {{ ref('map_customer_identity') }} as identity
    inner join told as contacts on contacts.contact_key = identity.contact_key
    where identity.customer_key <> -1 and {{ is_touched(['identity.customer_key']) }}
    window best as (
        partition by identity.customer_key
        order by
            contacts.is_deleted,
            case when contacts.is_of_crm then 0 else 1 end,
            contacts.created_at nulls last,
            contacts.contact_key
        rows between unbounded preceding and unbounded following
    )
)

select
    customer_key,
    max(case when record_rank = 1 then best_country end) as country,
    max(case when record_rank = 1 then best_language end) as language,
    max(case when record_rank = 1 then best_segment end) as crm_segment,
    max(case when record_rank = 1 then best_acquisition_source end) as acquisition_source,
    max(case when record_rank = 1 then best_account_key end) as account_key,
    max(case when has_opted_out then 1 when not has_opted_out then 0 end) = 1 as has_opted_out,
    min(created_at) as created_at,
    min(case when is_deleted then 1 else 0 end) = 1 as is_deleted,
    case
        when max(case when match_status = 'matched' then 1 else 0 end) = 1 then 'matched'
        when max(case when match_status = 'customer' then 1 else 0 end) = 1 then 'customer'
        when max(case when match_status = 'conflict' then 1 else 0 end) = 1 then 'conflict'
        when max(case when match_status = 'ambiguous' then 1 else 0 end) = 1 then 'ambiguous'
        else 'unmatched'
    end as match_status,
    cast(count(contact_key) as integer) as contact_records
from records
group by customer_key
