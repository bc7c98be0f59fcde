{#-
    Tickets that cannot count in a KPI because something about them is not known. What lives here: of which measure, and why (seed
    left_out_reasons). Not here: tickets that are none of the measure's (ours, unsolved, removed ones), what does count
    (int_kpi__ticket).

    One reason per ticket and measure. The day is the one it would have counted on, or of its creation where that is not known.
-#}
{{ config(
    touched_key=['record_key'],
    touches=['measure', 'date_day'],
    touched_by="
        select ticket_key as record_key from {{ touched('fct_ticket') }}
        union select ticket_key from {{ touched('fct_sla') }}
    "
) }}

{%- set unsaid = "case conversation when 'elsewhere' then 'conversation_elsewhere' when 'unknown_author' then 'author_unknown' else 'conversation_not_delivered' end" %}

with tickets as (
    select
        tickets.ticket_key,
        records.source,
        {{ stream_of('ticket', 'tickets.system') }} as stream,
        tickets.customer_key,
        tickets.channel,
        coalesce(tickets.team, '') as team,
        tickets.conversation,
        tickets.is_customer_initiated,
        tickets.status in ('solved', 'closed') as is_solved,
        {{ date_of_key('tickets.created_date_key') }} as created_on,
        {{ date_of_key('tickets.first_reply_date_key') }} as first_reply_on,
        {{ date_of_key('tickets.first_solved_date_key') }} as first_solved_on,
        {{ date_of_key('tickets.last_solved_date_key') }} as last_solved_on,
        tickets.first_reply_minutes,
        tickets.first_reply_business_minutes,
        tickets.requester_wait_minutes,
        coalesce(tickets.is_status_history_known, false) as is_status_history_known,
        tickets.is_one_touch,
        tickets.is_reopened,
        tickets.transfers,
        tickets.is_escalated,
        tickets.is_first_tier_resolution,
        tickets.is_fcr,
        tickets.is_fcr_matured
    from {{ ref('fct_ticket') }} as tickets
    inner join {{ ref('int_ticket__unioned') }} as records on records.ticket_key = tickets.ticket_key
    where {{ is_ticket_counted('tickets.removed_kind') }} and {{ is_touched(['tickets.ticket_key']) }}
),

left_out as (
    select ticket_key, 'unanswered' as measure, {{ plus_days('created_on', days_to_answer()) }} as date_day, {{ unsaid }} as reason
    from tickets
    where is_customer_initiated and conversation not in ('told', 'first_reply')
    {%- for measure in ['first_reply_minutes', 'first_reply_business_minutes'] %}
    union all
    select ticket_key, '{{ measure }}', created_on, {{ unsaid }}
    from tickets
    where is_customer_initiated and conversation not in ('told', 'first_reply')
    {%- endfor %}
    union all
    select ticket_key, 'first_reply_business_minutes', first_reply_on, 'no_schedule'
    from tickets
    where is_customer_initiated and first_reply_minutes is not null and first_reply_business_minutes is null
    {%- for measure in ['full_resolution_minutes', 'requester_wait_minutes', 'fcr', 'one_touch', 'reopened', 'transferred', 'escalated', 'first_tier'] %}
    union all
    select ticket_key, '{{ measure }}', created_on, 'solution_time_unknown'
    from tickets
    where is_solved and {{ 'last_solved_on' if measure.endswith('minutes') else 'first_solved_on' }} is null{{ ' and is_customer_initiated' if measure == 'fcr' }}
    {%- endfor %}
    union all
    select ticket_key, 'requester_wait_minutes', last_solved_on, case when is_status_history_known then 'status_partly_unknown' else 'status_history_not_delivered' end
    from tickets
    where is_solved and last_solved_on is not null and requester_wait_minutes is null
    union all
    select ticket_key, 'fcr', first_solved_on, case when customer_key = -1 then 'customer_unknown' else 'status_history_not_delivered' end
    from tickets
    where is_customer_initiated and is_fcr_matured and is_fcr is null
    {%- for measure, (flag, reason) in {
        'one_touch': ('is_one_touch', unsaid),
        'reopened': ('is_reopened', "'status_history_not_delivered'"),
        'transferred': ('transfers', "'team_history_not_delivered'"),
        'escalated': ('is_escalated', "'team_history_not_delivered'"),
        'first_tier': ('is_first_tier_resolution', "'team_history_not_delivered'")
    }.items() %}
    union all
    select ticket_key, '{{ measure }}', first_solved_on, {{ reason }}
    from tickets
    where first_solved_on is not null and {{ flag }} is null
    {%- endfor %}
    union all
    select ticket_key, 'machine_only', first_solved_on, {{ unsaid }}
    from tickets
    where is_customer_initiated and first_solved_on is not null and conversation <> 'told'
    union all
    select
        tickets.ticket_key,
        'sla',
        coalesce(min({{ date_of_key('targets.due_date_key') }}), tickets.created_on),
        case when max(case when targets.outcome = 'unknown' then 1 else 0 end) = 1 then 'target_outcome_unknown' else 'due_time_unknown' end
    from tickets
    inner join {{ ref('fct_sla') }} as targets on targets.ticket_key = tickets.ticket_key
    where targets.outcome = 'unknown' or (targets.is_counted and targets.due_date_key < 0)
    group by tickets.ticket_key, tickets.created_on
)

select
    left_out.ticket_key as record_key,
    left_out.measure,
    left_out.date_day,
    tickets.source,
    tickets.stream,
    case left_out.reason when 'no_schedule' then tickets.team when 'conversation_elsewhere' then tickets.channel else '' end as part,
    left_out.reason
from left_out
inner join tickets on tickets.ticket_key = left_out.ticket_key
