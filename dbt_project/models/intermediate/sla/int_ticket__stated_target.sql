{#-
    Targets that a desk states on the ticket itself: when an answer or a solution is due, and whether it says it came too late. What
    lives here: those words beside what is known of the answer and the solution. Not here: what became of the target (fct_sla),
    targets told as clocks (int_sla__clock).
-#}
{{ config(
    touched_key=['ticket_key'],
    touched_by="
        select ticket_key from {{ touched('int_ticket__unioned') }}
        union select ticket_key from {{ touched('fct_ticket') }}
        union select ticket_key from {{ touched('int_ticket__state') }}
    "
) }}

{#- The priority a ticket was first known with is the one its targets were set for, as far as anybody can tell. -#}
with priorities as (
    select ticket_key, priority
    from {{ ref('int_ticket__state') }}
    where version_no = 1
),

tickets as (
    select
        facts.ticket_key,
        stated.sla_policy,
        stated.first_reply_due_at,
        stated.is_first_reply_breached,
        stated.resolution_due_at,
        stated.is_resolution_breached,
        priorities.priority,
        facts.created_at,
        facts.conversation in ('told', 'first_reply') as is_conversation_told,
        facts.first_reply_at,
        facts.status in ('solved', 'closed') as is_solved,
        case when facts.status in ('solved', 'closed') then facts.last_solved_at end as solved_at,
        case when facts.status in ('solved', 'closed') then facts.last_solved_at else facts.removed_at end as gone_at
    from {{ ref('int_ticket__unioned') }} as stated
    inner join {{ ref('fct_ticket') }} as facts on facts.ticket_key = stated.ticket_key
    left join priorities on priorities.ticket_key = facts.ticket_key
    where {{ is_touched(['stated.ticket_key']) }}
)

select
    ticket_key,
    'first_reply' as metric,
    sla_policy as policy,
    case when priority in ('low', 'normal', 'high', 'urgent') then priority when priority is not null then 'other' end as priority_applied,
    created_at as applied_at,
    first_reply_due_at as due_at,
    is_first_reply_breached as is_breached,
    first_reply_at as fulfilled_at,
    is_conversation_told as is_told,
    is_solved,
    gone_at
from tickets
where first_reply_due_at is not null or is_first_reply_breached is not null
union all
select
    ticket_key,
    'resolution',
    sla_policy,
    case when priority in ('low', 'normal', 'high', 'urgent') then priority when priority is not null then 'other' end,
    created_at,
    resolution_due_at,
    is_resolution_breached,
    solved_at,
    not is_solved or solved_at is not null,
    is_solved,
    case when not is_solved then gone_at end
from tickets
where resolution_due_at is not null or is_resolution_breached is not null
