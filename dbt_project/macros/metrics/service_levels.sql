{#-
    Targets the desk sets itself, on clocks that run and pause. What lives here: reading a clock, and the instant at which it
    will show a given time. Not here: which events start and stop it (fct_sla), the open minutes themselves (business_time.sql).
-#}

{#-
    A CTE body: the rows of `points` (schedule, started_at, moment and the columns named in `columns`) with `reading`: minutes
    since started_at or, where there is a schedule, minutes on its clock of open minutes.
-#}
{%- macro clock_readings(points, columns) -%}
    {{ return(adapter.dispatch('clock_readings')(points, columns)) }}
{%- endmacro -%}

{%- macro duckdb__clock_readings(points, columns) -%}
    select
        {%- for column in columns %}
        points.{{ column }},
        {%- endfor %}
        points.schedule,
        points.started_at,
        points.moment,
        case
            when points.schedule is null then date_diff('second', points.started_at, points.moment) / 60.0
            when openings.opens_at is null then 0
            else openings.minutes_before + date_diff('second', openings.opens_at, least(points.moment, openings.closes_at)) / 60.0
        end as reading
    from {{ points }} as points
    asof left join {{ ref('int_business_interval') }} as openings
        on openings.schedule = points.schedule and openings.opens_at <= points.moment
{%- endmacro -%}

{#-
    A CTE body: the rows of `readings` (schedule, started_at, moment, reading and the columns named) with `reached_at`: when the
    clock shows `reading`, not before `moment`. NULL where that lies beyond the known opening hours.
-#}
{%- macro clock_instants(readings, columns) -%}
    {{ return(adapter.dispatch('clock_instants')(readings, columns)) }}
{%- endmacro -%}

{%- macro duckdb__clock_instants(readings, columns) -%}
    select
        {%- for column in columns %}
        readings.{{ column }},
        {%- endfor %}
        case
            when readings.schedule is null then readings.started_at + to_microseconds(cast(round(readings.reading * 60000000) as bigint))
            when openings.opens_at + to_microseconds(cast(round((readings.reading - openings.minutes_before) * 60000000) as bigint)) <= openings.closes_at
                then greatest(
                    readings.moment,
                    openings.opens_at + to_microseconds(cast(round((readings.reading - openings.minutes_before) * 60000000) as bigint))
                )
        end as reached_at
    from {{ readings }} as readings
    asof left join {{ ref('int_business_interval') }} as openings
        on openings.schedule = readings.schedule and openings.minutes_before < readings.reading
{%- endmacro -%}

{#-
    What became of a target. A fulfilled one is judged by its time. An open one is breached once its time has passed, unless
    another target took its place, or the ticket was solved or went away, before.
    `given_up_at` is when a newer target took its place, `gone_at` when the ticket left; `as_of_end` ends the business date.
-#}
{%- macro sla_outcome(due_at, fulfilled_at, given_up_at, gone_at, is_paused, as_of_end) -%}
    case
        when {{ fulfilled_at }} <= {{ due_at }} or ({{ fulfilled_at }} is not null and {{ due_at }} is null) then 'achieved'
        when {{ fulfilled_at }} is not null then 'breached'
        when {{ given_up_at }} is not null and coalesce({{ due_at }} >= {{ given_up_at }}, true) and coalesce({{ gone_at }} >= {{ given_up_at }}, true)
            then 'superseded'
        when {{ gone_at }} is not null and coalesce({{ due_at }} >= {{ gone_at }}, true) then 'cancelled'
        when {{ due_at }} <= {{ as_of_end }} or {{ due_at }} < {{ given_up_at }} or {{ due_at }} < {{ gone_at }} then 'breached'
        when {{ is_paused }} then 'paused'
        else 'active'
    end
{%- endmacro -%}

{#-
    What became of a target that a desk states on the ticket (columns of int_ticket__stated_target). A ticket that is solved without
    the answer, or goes away, before it was due leaves no outcome.
-#}
{%- macro stated_outcome(stated, as_of_end) -%}
    case
        when {{ stated }}.is_breached then 'breached'
        when {{ stated }}.fulfilled_at is not null and (not {{ stated }}.is_breached or {{ stated }}.fulfilled_at <= {{ stated }}.due_at) then 'achieved'
        when {{ stated }}.fulfilled_at is not null then 'breached'
        when not {{ stated }}.is_told and {{ stated }}.is_solved and not {{ stated }}.is_breached then 'achieved'
        when not {{ stated }}.is_told then 'unknown'
        when {{ stated }}.gone_at is not null and coalesce({{ stated }}.due_at >= {{ stated }}.gone_at, true) then 'cancelled'
        when {{ stated }}.due_at <= {{ as_of_end }} and {{ stated }}.is_breached is null then 'breached'
        else 'active'
    end
{%- endmacro -%}
