{#-
    Unsolved tickets day by day, with what moved them: opening + created + reopened - solved - removed = closing. Not here:
    the KPI `backlog` (mart_kpi_daily), which counts the same transitions.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['date_key'],
    touched_by="
        select dates.date_key
        from {{ ref('dim_date') }} as dates
        cross join {{ night() }} as night
        where dates.date_day between
            least(
                coalesce(night.previous_as_of, night.as_of),
                night.as_of,
                coalesce((select {{ date_of_key('min(created_date_key)') }} from {{ touched('fct_ticket') }} where created_date_key > 0), night.as_of)
            )
            and greatest(coalesce(night.previous_as_of, night.as_of), night.as_of)
        union select date_key from {{ this }} where date_day > (select as_of from {{ night() }})
    "
) }}

with night as (
    select as_of from {{ night() }}
),

flows as (
    select
        tickets.channel,
        {{ date_of_key('transitions.date_key') }} as date_day,
        sum(case when transitions.transition = 'created' then 1 else 0 end) as created,
        sum(case when transitions.transition = 'reopened' then 1 else 0 end) as reopened,
        sum(case when transitions.transition = 'solved' then 1 else 0 end) as solved,
        sum(case when transitions.transition = 'removed' then 1 else 0 end) as removed,
        sum(transitions.unsolved_change) as change
    from {{ ref('fct_ticket_transition') }} as transitions
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = transitions.ticket_key
    group by tickets.channel, transitions.date_key
),

channels as (
    select channel, min(date_day) as first_day from flows group by channel
),

channel_days as (
    select channels.channel, dates.date_key, dates.date_day
    from channels
    inner join {{ ref('dim_date') }} as dates on dates.date_day >= channels.first_day
    cross join night
    where dates.date_day <= night.as_of
),

running as (
    select
        channel_days.channel,
        channel_days.date_key,
        channel_days.date_day,
        coalesce(flows.created, 0) as created,
        coalesce(flows.reopened, 0) as reopened,
        coalesce(flows.solved, 0) as solved,
        coalesce(flows.removed, 0) as removed,
        coalesce(flows.change, 0) as change,
        sum(coalesce(flows.change, 0)) over (partition by channel_days.channel order by channel_days.date_day rows unbounded preceding) as closing
    from channel_days
    left join flows on flows.channel = channel_days.channel and flows.date_day = channel_days.date_day
),

final as (
    select
        {{ surrogate_key(['date_key', 'channel']) }} as ticket_backlog_daily_key,
        date_key,
        date_day,
        channel,
        cast(closing - change as integer) as opening,
        cast(created as integer) as created,
        cast(reopened as integer) as reopened,
        cast(solved as integer) as solved,
        cast(removed as integer) as removed,
        cast(closing as integer) as closing
    from running
    where {{ is_touched(['date_key']) }}
)

select * from final
