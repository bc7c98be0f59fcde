{#-
    A CTE body: The waits behind the duration KPIs, each on the day it ended. First replies only of tickets a
    customer began; removed tickets never.
-#}
{%- macro durations_of_tickets() %}
    with tickets as (
        select
            case when tickets.customer_key = -1 then -1 - tickets.ticket_key else tickets.customer_key end as respondent,
            tickets.channel,
            coalesce(customers.country, 'unknown') as country,
            tickets.is_customer_initiated,
            tickets.first_reply_minutes,
            tickets.first_reply_date_key,
            tickets.full_resolution_minutes,
            tickets.last_solved_date_key
        from {{ ref('fct_ticket') }} as tickets
        left join {{ ref('dim_customer') }} as customers on customers.customer_key = tickets.customer_key
        where tickets.removed_kind is null
    )

    select
        'first_reply_minutes' as measure,
        {{ date_of_key('first_reply_date_key') }} as ended_on,
        respondent,
        channel,
        country,
        first_reply_minutes as minutes
    from tickets
    where first_reply_minutes is not null and is_customer_initiated
    union all
    select
        'full_resolution_minutes',
        {{ date_of_key('last_solved_date_key') }},
        respondent,
        channel,
        country,
        full_resolution_minutes
    from tickets
    where full_resolution_minutes is not null
{%- endmacro -%}
