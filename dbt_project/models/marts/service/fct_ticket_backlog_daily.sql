{#-
    Unsolved tickets day by day, with what moved them: opening + created + reopened - solved - removed = closing. What lives
    here: flows, what they leave, and how old it is, by the channel, team and priority a ticket has now. Not here: the KPI
    `backlog` (mart_kpi_daily), which counts the same transitions; expected volumes (mart_ticket_volume_daily).

    Everything before the first day to be worked out is one sum, so a night costs as much as the days it moves. A day of
    which nothing is to be told (nothing left, nothing moved) has no row.

    Longer than 150 lines: the sum from which a night goes on is one running total, which steps of their own would add up anew.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['date_key'],
    derived_alone=false,
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

{%- set cell = 'channel, team, priority' %}
{%- set flows = ['created', 'reopened', 'solved', 'removed'] %}
{%- set bands = backlog_age_bands() %}

with targets as (
    select
        dates.date_key,
        dates.date_day
    from {{ ref('dim_date') }} as dates
    cross join {{ night() }} as night
    where dates.date_day <= night.as_of and {{ is_touched(['dates.date_key']) }}
),

first_target as (
    select min(date_day) as date_day from targets
),

transitions as (
    select
        tickets.channel,
        coalesce(tickets.team, 'none') as team,
        coalesce(tickets.priority, 'none') as priority,
        transitions.transition,
        transitions.unsolved_change,
        {{ date_of_key('tickets.created_date_key') }} as created_on,
        {{ date_of_key('transitions.date_key') }} as date_day,
        {{ date_of_key('lead(transitions.date_key) over (partition by transitions.ticket_key order by transitions.transition_no)') }} as next_day
    from {{ ref('fct_ticket_transition') }} as transitions
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = transitions.ticket_key
),

{#- Where an unsolved ticket reaches the age of a band, it is one more of that age or older; where it is solved, one less. -#}
changes as (
    select
        {{ cell }},
        date_day,
        {%- for flow in flows %}
        case when transition = '{{ flow }}' then 1 else 0 end as {{ flow }},
        {%- endfor %}
        unsolved_change as change
        {%- for band, first_age in bands[1:] %},
        0 as {{ band }}
        {%- endfor %}
    from transitions
    {%- for band, first_age in bands[1:] %}
    {%- set reached_on = 'greatest(date_day, ' ~ plus_days('created_on', first_age) ~ ')' %}
    {%- for day, sign in [(reached_on, 1), ('next_day', -1)] %}
    union all
    select
        {{ cell }},
        {{ day }},
        0, 0, 0, 0, 0
        {%- for other, _ in bands[1:] %}, {{ sign if other == band else 0 }}{% endfor %}
    from transitions
    where unsolved_change = 1 and (next_day is null or next_day > {{ reached_on }}){{ ' and next_day is not null' if sign == -1 }}
    {%- endfor %}
    {%- endfor %}
),

{#- The day before the first target stands for all days before it. -#}
daily_changes as (
    select
        {%- for column in cell.split(', ') %}
        changes.{{ column }},
        {%- endfor %}
        case when changes.date_day < first_target.date_day then {{ plus_days('first_target.date_day', -1) }} else changes.date_day end as date_day
        {%- for column in flows + ['change'] + bands[1:] | map(attribute=0) | list %},
        sum(changes.{{ column }}) as {{ column }}
        {%- endfor %}
    from changes
    cross join first_target
    group by changes.channel, changes.team, changes.priority, 4
),

cells as (
    select
        {{ cell }},
        min(date_day) as first_day
    from daily_changes
    group by {{ cell }}
),

cell_days as (
    select
        {%- for column in cell.split(', ') %}
        cells.{{ column }},
        {%- endfor %}
        targets.date_key,
        targets.date_day
    from cells
    inner join targets on targets.date_day >= cells.first_day
    union all
    select
        {{ cell }},
        -1,
        {{ plus_days('first_target.date_day', -1) }}
    from cells
    cross join first_target
    where first_day < first_target.date_day
),

running as (
    select
        {%- for column in cell.split(', ') %}
        cell_days.{{ column }},
        {%- endfor %}
        cell_days.date_key,
        cell_days.date_day
        {%- for flow in flows + ['change'] %},
        coalesce(daily_changes.{{ flow }}, 0) as {{ flow }}
        {%- endfor %},
        sum(coalesce(daily_changes.change, 0)) over so_far as closing
        {%- for band, _ in bands[1:] %},
        sum(coalesce(daily_changes.{{ band }}, 0)) over so_far as {{ band }}_or_older
        {%- endfor %}
    from cell_days
    left join daily_changes
        on daily_changes.channel = cell_days.channel
        and daily_changes.team = cell_days.team
        and daily_changes.priority = cell_days.priority
        and daily_changes.date_day = cell_days.date_day
    window so_far as (
        partition by cell_days.channel, cell_days.team, cell_days.priority
        order by cell_days.date_day
        rows unbounded preceding
    )
),

final as (
    select
        {{ surrogate_key(['date_key', 'channel', 'team', 'priority']) }} as ticket_backlog_daily_key,
        date_key,
        date_day,
        {{ cell }},
        cast(closing - change as integer) as opening,
        {%- for flow in flows %}
        cast({{ flow }} as integer) as {{ flow }},
        {%- endfor %}
        cast(closing as integer) as closing
        {%- for band, _ in bands %},
        cast({{ 'closing' if loop.first else band ~ '_or_older' }}{{ ' - ' ~ bands[loop.index][0] ~ '_or_older' if not loop.last }} as integer) as {{ band }}
        {%- endfor %}
    from running
    where
        date_key > 0
        and (closing <> 0 or change <> 0 or created <> 0 or reopened <> 0 or solved <> 0 or removed <> 0)
)

select * from final
