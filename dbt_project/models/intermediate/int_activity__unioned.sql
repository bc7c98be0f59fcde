{{ config(
    touched_key=['source', 'activity_id'],
    touches=['activity_key'],
    touched_by="
        {{ new_rows('stg_canonical__activity', ['_source', 'activity_id']) }}
        union {{ new_rows('stg_olist__marketing_qualified_leads', ['_source', \"'lead:' || mql_id\"]) }}
        union {{ new_rows('stg_olist__closed_deals', ['_source', \"'deal:' || mql_id\"]) }}
    "
) }}

with canonical_activities as (
    {{ newest_versions('stg_canonical__activity', ['activity_id'], [
        'contact_id', 'account_id', 'order_id', 'activity_type', 'channel', 'direction', 'occurred_at', 'is_deleted',
        'updated_at'
    ]) }}
),

leads as (
    {{ newest_versions('stg_olist__marketing_qualified_leads', ['mql_id'], ['first_contact_date', 'origin'],
        where=is_touched(['_source', "'lead:' || mql_id"])) }}
),

deals as (
    {{ newest_versions('stg_olist__closed_deals', ['mql_id'], ['won_date'],
        where=is_touched(['_source', "'deal:' || mql_id"])) }}
),

unioned as (
    select
        _source as source,
        'canonical' as system,
        activity_id,
        contact_id,
        account_id,
        order_id,
        activity_type,
        channel,
        direction,
        occurred_at,
        coalesce(is_deleted, false) or is_vanished as is_deleted,
        updated_at,
        _version_at
    from canonical_activities
    union all
    {#- Leads are sellers who asked to join: nobody among the shop's customers. #}
    select
        _source,
        'olist',
        'lead:' || mql_id,
        null,
        null,
        null,
        'lead',
        origin,
        'inbound',
        {{ noon_of_local_day('first_contact_date') }},
        is_vanished,
        _version_at,
        _version_at
    from leads
    union all
    select
        _source,
        'olist',
        'deal:' || mql_id,
        null,
        null,
        null,
        'deal_won',
        'sales',
        'outbound',
        won_date,
        is_vanished,
        _version_at,
        _version_at
    from deals
)

select
    {{ surrogate_key(['source', 'activity_id']) }} as activity_key,
    source,
    system,
    activity_id,
    contact_id,
    account_id,
    order_id,
    activity_type,
    channel,
    direction,
    occurred_at,
    is_deleted,
    updated_at,
    _version_at
from unioned
