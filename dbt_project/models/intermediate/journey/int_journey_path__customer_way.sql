{#-
    The ways of known customers in the whole journey. What lives here: which touchpoint followed which within 30 days, and how soon.
    Not here: ways within journeys (int_journey_path__journey_way), how often a way was taken (int_journey_path__cell).

    A way counts on the day of its first event. What nothing came before or after for 30 days is a start or an end; a customer whose
    30 days have not passed has no end yet. What is dated after the business date is not known yet.
-#}
{{ config(
    touched_key=['customer_key', 'month_start'],
    touches=['from_stop', 'to_stop'],
    touched_by="{{ touched_customer_ways() }}"
) }}

with night as (
    select as_of, {{ end_of_local_day('as_of') }} as ends_at from {{ night() }}
),

stops as (
    {{ stops() }}
),

{%- if is_incremental() %}

{#- The touched months of a customer and those in which something can have come 30 days before or after: a day more for summer time. -#}
near as (
    {%- for days in [-31, -15, 0, 15, 31, 46, 61] %}
    select customer_key, {{ month_of(plus_days('month_start', days)) }} as month_start from ({{ own_touched_keys() }}) as touched
    {{ 'union' if not loop.last }}
    {%- endfor %}
),
{%- endif %}

events as (
    select
        events.customer_key,
        events.event_key,
        {{ date_of_key('events.date_key') }} as date_day,
        stops.stop,
        events.occurred_at
    from {{ ref('fct_journey_event') }} as events
    inner join night on events.date_key <= {{ date_key('night.as_of') }}
    inner join stops on stops.touchpoint_key = events.touchpoint_key
    where
        events.customer_key <> -1
        {%- if is_incremental() %}
        {#- The first condition says nothing new, but tells at once of most events that they are not needed. #}
        and events.customer_key in (select customer_key from near)
        and exists (
            select 1 from near
            where near.customer_key = events.customer_key and near.month_start = {{ month_of_key('events.date_key') }}
        )
        {%- endif %}
),

lined_up as (
    select
        customer_key,
        date_day,
        stop,
        occurred_at,
        lag(occurred_at) over way as previous_at,
        lead(stop) over way as next_stop,
        lead(occurred_at) over way as next_at
    from events
    window way as (partition by customer_key order by occurred_at, event_key)
),

judged as (
    select
        lined_up.customer_key,
        lined_up.date_day,
        lined_up.stop,
        lined_up.next_stop,
        {{ seconds_between('lined_up.occurred_at', 'lined_up.next_at') }} as seconds,
        coalesce(lined_up.occurred_at > {{ after_days('lined_up.previous_at', days_between_events()) }}, true) as is_start,
        coalesce(lined_up.next_at > {{ after_days('lined_up.occurred_at', days_between_events()) }}, true) as is_end,
        {{ after_days('lined_up.occurred_at', days_between_events()) }} <= night.ends_at as can_end
    from lined_up
    cross join night
),

ways as (
    select
        customer_key,
        date_day,
        stop as from_stop,
        case when is_end then {{ stop_after_last() }} else next_stop end as to_stop,
        case when not is_end then seconds end as seconds
    from judged
    where not is_end or can_end
    union all
    select customer_key, date_day, {{ stop_before_first() }}, stop, null
    from judged
    where is_start
),

final as (
    select
        customer_key,
        date_day,
        {{ month_of('date_day') }} as month_start,
        cast(from_stop as smallint) as from_stop,
        cast(to_stop as smallint) as to_stop,
        seconds
    from ways
)

select * from final where {{ is_touched(['customer_key', 'month_start']) }}
