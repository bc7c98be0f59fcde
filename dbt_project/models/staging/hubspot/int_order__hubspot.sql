{#-
    Deals of HubSpot as orders, in our words. A closed deal counts from when it came into the stage it is in; where nobody saw it come
    there, because its history begins with that stage, from its closing date, if that was earlier.
-#}
with stages as (
    select
        deal_id,
        contact_id,
        company_id,
        amount,
        currency,
        deal_type,
        is_closed,
        is_won,
        closed_at,
        created_at,
        is_archived,
        updated_at,
        _source,
        _night,
        _op,
        _version_at,
        _extract_date,
        _file,
        _row,
        list_transform(
            list_filter(try_cast(stage_history as json[]), lambda told: (told ->> '$.value') = stage),
            lambda told: try_cast(told ->> '$.timestamp' as timestamptz)
        ) as times_of_stage,
        list_max(list_transform(
            list_filter(try_cast(stage_history as json[]), lambda told: (told ->> '$.value') <> stage),
            lambda told: try_cast(told ->> '$.timestamp' as timestamptz)
        )) as other_stage_at
    from {{ ref('stg_hubspot__deals') }}
)

select
    deal_id as order_id,
    contact_id,
    company_id as account_id,
    case when is_won then 'completed' when is_closed then 'lost' else 'open' end as status,
    {%- set entered_at %}list_min(list_filter(
            times_of_stage, lambda entered: entered > coalesce(other_stage_at, cast('1970-01-01' as timestamptz))
        )){% endset %}
    case
        when not coalesce(is_closed, false) then coalesce(created_at, updated_at)
        when other_stage_at is not null or {{ entered_at }} <= closed_at then coalesce({{ entered_at }}, closed_at, updated_at)
        else coalesce(closed_at, {{ entered_at }}, created_at, updated_at)
    end as ordered_at,
    cast(amount as decimal(18, 2)) as item_amount,
    currency,
    'sales' as channel,
    case when lower(deal_type) = 'newbusiness' then 'new' when deal_type is not null then 'other' end as order_type,
    created_at,
    is_archived as is_deleted,
    updated_at,
    {{ version_columns() }}
from stages
