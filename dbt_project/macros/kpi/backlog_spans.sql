{#- A CTE body: Over which days each ticket is unsolved at midnight: from the day it opens to the day before it is solved or removed. -#}
{%- macro backlog_spans() %}
    with transitions as (
        select
            ticket_key,
            unsolved_change,
            {{ date_of_key('date_key') }} as from_date,
            {{ date_of_key('lead(date_key) over (partition by ticket_key order by transition_no)') }} as next_date
        from {{ ref('fct_ticket_transition') }}
    )

    select
        'backlog' as kpi,
        periods.period,
        case when tickets.customer_key = -1 then -1 - tickets.ticket_key else tickets.customer_key end as respondent,
        tickets.channel,
        coalesce(customers.country, 'unknown') as country,
        transitions.from_date,
        coalesce({{ plus_days('transitions.next_date', -1) }}, cast('9999-12-30' as date)) as to_date,
        0 as positives,
        0 as negatives,
        1 as responses
    from transitions
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = transitions.ticket_key
    inner join {{ ref('kpi_periods') }} as periods on periods.kpi = 'backlog'
    left join {{ ref('dim_customer') }} as customers on customers.customer_key = tickets.customer_key
    where transitions.unsolved_change = 1
{%- endmacro -%}
