{#-
    How each ticket stood whenever it was delivered. What lives here: the versions of tickets of every source system while they
    were there, in one shape. Not here: the newest one (int_ticket__unioned), what changed between two (int_ticket__change).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select {{ surrogate_key(['_source', 'ticket_id']) }} from ({{ new_rows('stg_zendesk__tickets', ['_source', 'ticket_id']) }})
        union
        select {{ surrogate_key(['_source', 'case_id']) }} from ({{ new_rows('stg_salesforce__case', ['_source', 'case_id']) }})
        union
        select {{ surrogate_key(['_source', 'ticket_id']) }} from ({{ new_rows('stg_canonical__ticket', ['_source', 'ticket_id']) }})
    "
) }}

{%- set newest_first = '_extract_date desc, _file desc nulls last, _row desc nulls last' %}

with versions as (
    select
        {{ surrogate_key(['_source', 'ticket_id']) }} as ticket_key,
        _version_at as version_at,
        updated_at,
        {{ zendesk_status('status') }} as status,
        group_id as team,
        assignee_id,
        {{ zendesk_priority('priority') }} as priority,
        cast(null as boolean) as is_escalated,
        cast(null as timestamptz) as solved_at,
        row_number() over (partition by _source, ticket_id, _version_at order by {{ newest_first }}) as recency
    from {{ ref('stg_zendesk__tickets') }}
    where _op = 'upsert' and status <> 'deleted' and {{ is_touched([surrogate_key(['_source', 'ticket_id'])]) }}
    union all
    select
        {{ surrogate_key(['_source', 'case_id']) }},
        _version_at,
        system_modstamp,
        {{ salesforce_status('status', 'is_closed') }},
        {{ salesforce_queue('owner_id') }},
        {{ salesforce_assignee('owner_id') }},
        {{ salesforce_priority('priority') }},
        is_escalated,
        closed_date,
        row_number() over (partition by _source, case_id, _version_at order by {{ newest_first }})
    from {{ ref('stg_salesforce__case') }}
    where _op = 'upsert' and not is_deleted and {{ is_touched([surrogate_key(['_source', 'case_id'])]) }}
    union all
    select
        {{ surrogate_key(['_source', 'ticket_id']) }},
        _version_at,
        updated_at,
        status,
        team,
        assignee_id,
        priority,
        is_escalated,
        solved_at,
        row_number() over (partition by _source, ticket_id, _version_at order by {{ newest_first }})
    from {{ ref('stg_canonical__ticket') }}
    where
        _op = 'upsert'
        and not coalesce(is_deleted, false)
        and deletion_kind is null
        and status <> 'deleted'
        and {{ is_touched([surrogate_key(['_source', 'ticket_id'])]) }}
)

select
    ticket_key,
    cast(row_number() over (partition by ticket_key order by version_at) as integer) as version_no,
    version_at,
    updated_at,
    status,
    team,
    assignee_id,
    priority,
    is_escalated,
    solved_at
from versions
where recency = 1
