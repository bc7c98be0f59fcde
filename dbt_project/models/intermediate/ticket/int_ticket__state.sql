{#-
    How each ticket stood whenever it was delivered. What lives here: its versions while it was there. Not here: the newest one
    (int_ticket__unioned), what changed between two (int_ticket__change).
-#}
{{ config(
    touched_key=['source', 'ticket_id'],
    touches=['ticket_key'],
    touched_by="{{ new_rows('int_ticket__version', ['source', 'ticket_id']) }}"
) }}

with versions as (
    select
        source,
        ticket_id,
        _version_at as version_at,
        updated_at,
        status,
        team,
        assignee_id,
        priority,
        is_escalated,
        solved_at,
        row_number() over (
            partition by source, ticket_id, _version_at
            order by _extract_date desc, _file desc nulls last, _row desc nulls last
        ) as recency
    from {{ ref('int_ticket__version') }}
    where _op = 'upsert' and is_there and {{ is_touched(['source', 'ticket_id']) }}
)

select
    {{ surrogate_key(['source', 'ticket_id']) }} as ticket_key,
    source,
    ticket_id,
    cast(row_number() over (partition by source, ticket_id order by version_at) as integer) as version_no,
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
