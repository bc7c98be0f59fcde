{#-
    Business minutes: how long a schedule was open between two instants. What lives here: the clock of open minutes, and
    the schedules a ticket is under while teams have it. Not here: opening hours (seeds schedule_hours, schedule_holidays),
    which durations are measured (fct_ticket).
-#}

{#- The instant of a wall-clock time `HH:MM` (24:00 is the next midnight) on a day in a time zone. -#}
{%- macro instant_of(day, wall_clock, timezone) -%}
    {{ return(adapter.dispatch('instant_of')(day, wall_clock, timezone)) }}
{%- endmacro -%}

{%- macro duckdb__instant_of(day, wall_clock, timezone) -%}
    timezone({{ timezone }}, cast({{ day }} as timestamp) + to_minutes(
        60 * cast(split_part({{ wall_clock }}, ':', 1) as integer) + cast(split_part({{ wall_clock }}, ':', 2) as integer)
    ))
{%- endmacro -%}

{#-
    A CTE body: the stretches of time each ticket spent under each schedule, in columns ticket_key, schedule, from_at and
    to_at (NULL: up to now). A ticket is under the schedule its team keeps at that time; `*` is any team without a row of
    its own, and a ticket in no team. Before its first team it is under that team's.
    `tickets` has ticket_key, team, created_at; `team_changes` has ticket_key, place (1 is the first), occurred_at, from_value,
    to_value.
-#}
{%- macro schedules_of_tickets(tickets, team_changes) -%}
    select
        held.ticket_key,
        kept.schedule,
        case when kept.from_at > held.from_at then kept.from_at else held.from_at end as from_at,
        case when kept.to_at < held.to_at or held.to_at is null then kept.to_at else held.to_at end as to_at
    from (
        select
            points.ticket_key,
            coalesce(listed.team, '*') as team,
            points.from_at,
            lead(points.from_at) over (partition by points.ticket_key order by points.from_at, points.place) as to_at
        from (
            select
                tickets.ticket_key,
                coalesce(firsts.team, tickets.team) as team,
                tickets.created_at as from_at,
                0 as place
            from {{ tickets }} as tickets
            left join (
                select ticket_key, coalesce(from_value, to_value) as team
                from {{ team_changes }}
                where place = 1
            ) as firsts on firsts.ticket_key = tickets.ticket_key
            union all
            select
                changes.ticket_key,
                changes.to_value,
                case when changes.occurred_at > tickets.created_at then changes.occurred_at else tickets.created_at end,
                changes.place
            from {{ team_changes }} as changes
            inner join {{ tickets }} as tickets on tickets.ticket_key = changes.ticket_key
        ) as points
        left join (select distinct team from {{ ref('team_schedules') }} where team <> '*') as listed on listed.team = points.team
    ) as held
    inner join (
        select
            teams.team,
            teams.schedule,
            {{ instant_of('teams.valid_from', "'00:00'", 'schedules.timezone') }} as from_at,
            lead({{ instant_of('teams.valid_from', "'00:00'", 'schedules.timezone') }}) over (
                partition by teams.team order by teams.valid_from nulls first
            ) as to_at
        from {{ ref('team_schedules') }} as teams
        inner join {{ ref('schedules') }} as schedules on schedules.schedule = teams.schedule
    ) as kept
        on kept.team = held.team
        and (kept.from_at is null or held.to_at is null or kept.from_at < held.to_at)
        and (kept.to_at is null or kept.to_at > held.from_at)
{%- endmacro -%}

{#-
    A CTE body: business minutes per ticket and measure, in columns ticket_key, measure and business_minutes. Summed over
    every schedule a ticket was under; no row where a part of the time was under none, or where an end is missing.
    `durations` has ticket_key, measure, start_at and finish_at; `schedules` is schedules_of_tickets.
-#}
{%- macro business_minutes_of(durations, schedules) -%}
    {{ return(adapter.dispatch('business_minutes_of')(durations, schedules)) }}
{%- endmacro -%}

{#- Whole seconds from one instant to another, as date_diff counts them, without its detour over a calendar (a third of the time). -#}
{%- macro duckdb__whole_seconds(start, finish) -%}
    (epoch_us({{ finish }}) // 1000000 - epoch_us({{ start }}) // 1000000)
{%- endmacro -%}

{%- macro duckdb__business_minutes_of(durations, schedules) -%}
    {%- set open_minutes = "case when {i}.opens_at is null then 0 else {i}.minutes_before + " ~ duckdb__whole_seconds('{i}.opens_at', 'least({at}, {i}.closes_at)') ~ " / 60.0 end" -%}
    select
        ticket_key,
        measure,
        {#- In whole seconds, so that the order of the pieces cannot show. #}
        cast(sum(cast(round(60 * business_minutes) as bigint)) as double) / 60.0 as business_minutes
    from (
        select
            pieces.ticket_key,
            pieces.measure,
            pieces.whole_seconds,
            {{ duckdb__whole_seconds('pieces.from_at', 'pieces.to_at') }} as seconds,
            {{ open_minutes.replace('{i}', 'last_opening').replace('{at}', 'pieces.to_at') }}
            - ({{ open_minutes.replace('{i}', 'first_opening').replace('{at}', 'pieces.from_at') }}) as business_minutes
        from (
            select
                durations.ticket_key,
                durations.measure,
                schedules.schedule,
                {{ duckdb__whole_seconds('durations.start_at', 'durations.finish_at') }} as whole_seconds,
                greatest(durations.start_at, schedules.from_at) as from_at,
                least(durations.finish_at, coalesce(schedules.to_at, durations.finish_at)) as to_at
            from {{ durations }} as durations
            inner join {{ schedules }} as schedules
                on schedules.ticket_key = durations.ticket_key
                and schedules.from_at <= durations.finish_at
                and (schedules.to_at is null or schedules.to_at > durations.start_at)
            where durations.finish_at >= durations.start_at
        ) as pieces
        asof left join {{ ref('int_business_interval') }} as first_opening
            on first_opening.schedule = pieces.schedule and first_opening.opens_at <= pieces.from_at
        asof left join {{ ref('int_business_interval') }} as last_opening
            on last_opening.schedule = pieces.schedule and last_opening.opens_at <= pieces.to_at
    ) as measured
    group by ticket_key, measure, whole_seconds
    having sum(seconds) = whole_seconds
{%- endmacro -%}
