{#- What the shop's sales people did. Leads are sellers who asked to join: nobody among the shop's customers. -#}
select
    'lead:' || mql_id as activity_id,
    'lead' as activity_type,
    origin as channel,
    'inbound' as direction,
    {{ noon_of_local_day('first_contact_date') }} as occurred_at,
    false as is_deleted,
    _version_at as updated_at,
    {{ version_columns() }}
from {{ ref('stg_olist__marketing_qualified_leads') }}
union all by name
select
    'deal:' || mql_id as activity_id,
    'deal_won' as activity_type,
    'sales' as channel,
    'outbound' as direction,
    won_date as occurred_at,
    false as is_deleted,
    _version_at as updated_at,
    {{ version_columns() }}
from {{ ref('stg_olist__closed_deals') }}
