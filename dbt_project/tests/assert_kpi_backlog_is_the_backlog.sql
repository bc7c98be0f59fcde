-- The KPI counts the same tickets as the flows: per day, the sum of what each day left, nothing where it has no row.
with flows as (
    select date_key, sum(closing) as closing
    from {{ ref('fct_ticket_backlog_daily') }}
    group by date_key
),

kpi as (
    select date_key, value
    from {{ ref('mart_kpi_daily') }}
    where kpi = 'backlog' and dimension = 'all' and period = 'day'
)

select coalesce(flows.date_key, kpi.date_key) as date_key
from flows
full outer join kpi on kpi.date_key = flows.date_key
where coalesce(flows.closing, 0) is distinct from kpi.value
