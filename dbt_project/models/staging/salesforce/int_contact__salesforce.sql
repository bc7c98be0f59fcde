{#- Contacts of the CRM in our words. -#}
select
    contact_id,
    account_id,
    email,
    coalesce(phone, mobile_phone) as phone,
    mobile_phone,
    first_name,
    last_name,
    mailing_country as country,
    language,
    segment,
    lead_source as acquisition_source,
    has_opted_out_of_email as has_opted_out,
    created_date as created_at,
    master_record_id as merged_into_contact_id,
    is_deleted,
    system_modstamp as updated_at,
    {{ version_columns() }}
from {{ ref('stg_salesforce__contact') }}
