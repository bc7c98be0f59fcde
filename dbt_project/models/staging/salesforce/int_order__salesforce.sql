{#-
    Deals as orders, in our words, as last known. What lives here: a deal, and what its versions and stages say of its closing
    (int_salesforce__deal_closing) put together. So this is no view of versions.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['source', 'order_id'],
    touched_by="
        {{ new_rows('stg_salesforce__opportunity', ['_source', 'opportunity_id']) }}
        union select _source, opportunity_id from {{ touched('int_salesforce__deal_closing') }}
    "
) }}

with opportunities as (
    {{ newest_versions('stg_salesforce__opportunity', ['_source', 'opportunity_id'], [
        'account_id', 'contact_id', 'amount', 'close_date', 'is_closed', 'is_won', 'opportunity_type',
        'currency_iso_code', 'created_date', 'is_deleted', 'system_modstamp'
    ]) }}
)

select
    opportunities.opportunity_id as order_id,
    opportunities.contact_id,
    opportunities.account_id,
    case when opportunities.is_won then 'completed' when opportunities.is_closed then 'lost' else 'open' end as status,
    {#- A history that begins with the stage may have begun after it was entered. #}
    case
        when not opportunities.is_closed then opportunities.created_date
        when closed.is_entry_known or closed.entered_at <= closed.closed_at then closed.entered_at
        else coalesce(closed.closed_at, closed.entered_at, opportunities.created_date)
    end as ordered_at,
    cast(opportunities.amount as decimal(18, 2)) as item_amount,
    opportunities.currency_iso_code as currency,
    'sales' as channel,
    case lower(opportunities.opportunity_type)
        when 'new business' then 'new'
        when 'new' then 'new'
        when 'renewal' then 'renewal'
        when 'expansion' then 'expansion'
        else case when opportunities.opportunity_type is not null then 'other' end
    end as order_type,
    opportunities.created_date as created_at,
    opportunities.is_deleted or opportunities.is_vanished as is_deleted,
    opportunities.system_modstamp as updated_at,
    {{ assembled_columns('opportunities._version_at', 'opportunities._source') }}
from opportunities
inner join {{ ref('int_salesforce__deal_closing') }} as closed
    on closed._source = opportunities._source
    and closed.opportunity_id = opportunities.opportunity_id
