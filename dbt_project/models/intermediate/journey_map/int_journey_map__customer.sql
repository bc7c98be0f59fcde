{#-
    The whole journey of customers, for the journey map. What lives here: a customer's first event of a period at each touchpoint
    and in each stage, and whether an event of a later stage followed in time. Not here: journeys of a kind
    (int_journey_map__journey), counts of customers (int_journey_map__flow).

    A customer has 30 days to come to a later stage and is judged on the day these are over.
-#}
{{ config(
    touched_key=['customer_key', 'period_key', 'step_order'],
    touched_by="{{ touched_map_customers() }}",
    keeps_changes=true
) }}

with night as (
    select as_of from {{ night() }}
),

{%- if is_incremental() %}

first_days as (
    select keys.customer_key, min({{ first_date_key('keys.period_key', 'night.as_of') }}) as date_key
    from ({{ own_touched_keys() }}) as keys
    cross join night
    group by keys.customer_key
),
{%- endif %}

events as (
    select
        events.customer_key,
        events.touchpoint_key,
        touchpoints.stage_order as step_order,
        events.occurred_at,
        events.date_key
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_touchpoint') }} as touchpoints on touchpoints.touchpoint_key = events.touchpoint_key
    {%- if is_incremental() %}
    inner join first_days on first_days.customer_key = events.customer_key and events.date_key >= first_days.date_key
    {%- endif %}
    cross join night
    where
        events.customer_key <> -1
        and touchpoints.touchpoint <> 'unknown'
        and events.date_key > 0
        and events.date_key <= {{ date_key('night.as_of') }}
),

{#- One way back through a customer's events finds the nearest event of a later stage for all stages. -#}
later_events as (
    select
        *,
        {%- for stage in range(1, stages_per_journey()) %}
        min(case when step_order > {{ stage }} then occurred_at end) over from_here_on as later_than_{{ stage }}{{ ',' if not loop.last }}
        {%- endfor %}
    from events
    window from_here_on as (
        partition by customer_key
        order by occurred_at desc
        range between unbounded preceding and current row
    )
),

followed as (
    select
        customer_key,
        touchpoint_key,
        step_order,
        occurred_at,
        date_key,
        case step_order
            {%- for stage in range(1, stages_per_journey()) %}
            when {{ stage }} then later_than_{{ stage }}
            {%- endfor %}
        end as next_at
    from later_events
),

{#- The later an event, the later what follows it: so the first event's is the earliest. -#}
at_touchpoints as (
    select
        customer_key,
        period_key,
        step_order,
        touchpoint_key,
        min(occurred_at) as first_at,
        min(next_at) as next_at
    from ({{ in_periods('followed', ['customer_key', 'step_order', 'touchpoint_key', 'occurred_at', 'next_at']) }}) as in_periods
    where {{ is_touched(['customer_key', 'period_key', 'step_order']) }}
    group by customer_key, period_key, step_order, touchpoint_key
),

first_events as (
    select * from at_touchpoints
    union all
    select customer_key, period_key, step_order, {{ all_touchpoints() }}, min(first_at), min(next_at)
    from at_touchpoints
    group by customer_key, period_key, step_order
),

judged as (
    select
        *,
        {{ passed_on(after_days('first_at', days_to_go_on())) }} as judged_on,
        coalesce(next_at <= {{ after_days('first_at', days_to_go_on()) }}, false) as has_next
    from first_events
),

steps as (
    select step_order, step_order = max(step_order) over () as is_last from {{ ref('dim_journey_step') }} where journey = 'customer'
),

final as (
    select
        judged.customer_key,
        judged.period_key,
        judged.step_order,
        judged.touchpoint_key,
        coalesce(customers.segment, 'unknown') as segment,
        judged.judged_on,
        judged.judged_on <= night.as_of and judged.has_next as is_progressed,
        judged.judged_on <= night.as_of and not judged.has_next and not steps.is_last as is_dropped,
        judged.judged_on > night.as_of and not judged.has_next and not steps.is_last as is_open,
        case when judged.judged_on <= night.as_of and judged.has_next then {{ whole_seconds_between('judged.first_at', 'judged.next_at') }} end as seconds
    from judged
    cross join night
    inner join steps on steps.step_order = judged.step_order
    left join {{ ref('dim_customer') }} as customers on customers.customer_key = judged.customer_key
)

select * from final
