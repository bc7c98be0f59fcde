-- Every ticket that belongs to a measure counts in it, or is left out of it with a reason; never both.
{% for measure, condition in {
    'unanswered': 'is_customer_initiated',
    'one_touch': 'first_solved_date_key > 0',
    'reopened': 'first_solved_date_key > 0',
    'transferred': 'first_solved_date_key > 0',
    'escalated': 'first_solved_date_key > 0',
    'first_tier': 'first_solved_date_key > 0',
    'fcr': 'is_customer_initiated and is_fcr_matured',
    'full_resolution_minutes': "status in ('solved', 'closed')",
    'requester_wait_minutes': "status in ('solved', 'closed')"
}.items() %}
select '{{ measure }}' as measure, tickets.ticket_key
from {{ ref('fct_ticket') }} as tickets
left join (select distinct ticket_key from {{ ref('int_kpi__ticket') }} where measure = '{{ measure }}') as counted
    on counted.ticket_key = tickets.ticket_key
left join (select distinct record_key from {{ ref('int_kpi__left_out_ticket') }} where measure = '{{ measure }}') as left_out
    on left_out.record_key = tickets.ticket_key
where
    {{ is_ticket_counted('tickets.removed_kind') }}
    and {{ condition }}
    and (counted.ticket_key is null) = (left_out.record_key is null)
{{ 'union all' if not loop.last }}
{% endfor %}
