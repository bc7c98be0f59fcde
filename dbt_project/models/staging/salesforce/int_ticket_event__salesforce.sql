{#-
    What a case tells of its own history: that it was made, and when it was closed. The CRM keeps no history of cases here at all, so
    nobody is said to have done it: the system.
-#}
with cases as (
    select
        source,
        ticket_id,
        status,
        created_at,
        solved_at,
        updated_at,
        _version_at
    from {{ ref('int_ticket__unioned') }}
    where system = 'salesforce'
),

events as (
    select
        source,
        'created:' || ticket_id as event_id,
        ticket_id,
        'created' as event_type,
        created_at as occurred_at,
        cast(null as varchar) as to_value,
        updated_at,
        _version_at
    from cases
    union all
    select
        source,
        'closed:' || ticket_id as event_id,
        ticket_id,
        'status_change' as event_type,
        solved_at as occurred_at,
        status as to_value,
        updated_at,
        _version_at
    from cases
    where status = 'closed' and solved_at is not null
)

select
    event_id,
    ticket_id,
    event_type,
    occurred_at,
    row_number() over (partition by source, ticket_id order by occurred_at, event_type) as sequence,
    'system' as stated_role,
    to_value,
    false as is_told,
    false as is_deleted,
    updated_at,
    {{ assembled_columns('_version_at', 'source') }}
from events
