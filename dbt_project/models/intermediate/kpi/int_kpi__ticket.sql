{#-
    Tickets as records of the KPIs. What lives here: which ticket belongs to which measure, on which day, and while it is
    unsolved. Not here: milestones and flags (fct_ticket), targets of the desk (fct_sla), values (int_kpi__cell).

    Longer than 150 lines: every measure of tickets is a line of one union, so that what counts, and on which day, stands in one list.
-#}
{{ config(
    touched_key=['ticket_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select ticket_key from {{ touched('fct_ticket') }}
        union select ticket_key from {{ touched('fct_ticket_transition') }}
        union select ticket_key from {{ touched('fct_sla') }}
        union select source_ref from {{ touched('fct_journey_event') }} where object = 'ticket'
        union {{ records_moved_by_customers(['ticket_key'], has_states=true) }}
    "
) }}

{%- set flags = {
    'fcr': 'is_fcr', 'one_touch': 'is_one_touch', 'reopened': 'is_reopened', 'transferred': 'transfers > 0',
    'escalated': 'is_escalated', 'first_tier': 'is_first_tier_resolution'
} %}
{%- set durations = {
    'first_reply_minutes': ('first_reply_minutes', 'first_reply_on', 'is_customer_initiated'),
    'first_reply_business_minutes': ('first_reply_business_minutes', 'first_reply_on', 'is_customer_initiated'),
    'full_resolution_minutes': ('full_resolution_minutes', 'last_solved_on', 'true'),
    'requester_wait_minutes': ('requester_wait_minutes', 'last_solved_on', 'true'),
    'first_human_minutes': ('first_human_minutes', 'first_reply_on', 'true')
} %}

with all_tickets as (
    select
        tickets.ticket_key,
        tickets.customer_key,
        {{ respondent('tickets.customer_key', 'tickets.ticket_key') }} as respondent,
        coalesce(tickets.channel, 'unknown') as channel,
        coalesce(touchpoints.touchpoint, 'unknown') as touchpoint,
        coalesce(tickets.team, 'none') as team,
        {{ date_of_key('tickets.created_date_key') }} as created_on,
        {{ date_of_key('tickets.first_reply_date_key') }} as first_reply_on,
        {{ date_of_key('tickets.first_solved_date_key') }} as first_solved_on,
        {{ date_of_key('tickets.last_solved_date_key') }} as last_solved_on,
        tickets.first_reply_minutes,
        tickets.first_reply_business_minutes,
        tickets.full_resolution_minutes,
        tickets.requester_wait_minutes,
        tickets.first_human_minutes,
        tickets.is_customer_initiated,
        tickets.is_fcr,
        tickets.is_one_touch,
        tickets.is_reopened,
        tickets.transfers,
        tickets.is_escalated,
        tickets.is_first_tier_resolution,
        tickets.handling_class,
        tickets.is_complaint,
        {{ is_unanswered('tickets.never_answered', 'tickets.first_reply_at', 'tickets.created_at') }} as is_unanswered,
        tickets.removed_kind
    from {{ ref('fct_ticket') }} as tickets
    left join {{ ref('dim_touchpoint') }} as touchpoints
        on touchpoints.touchpoint_key = tickets.touchpoint_key and touchpoints.touchpoint_key <> -1
    where {{ is_touched(['tickets.ticket_key']) }}
),

tickets as (
    select * from all_tickets where {{ is_ticket_counted('removed_kind') }}
),

event_journeys as (
    {{ journeys_of('ticket', 'all_tickets', 'ticket_key') }}
),

unsolved_spans as (
    select
        ticket_key,
        from_date,
        coalesce({{ plus_days('next_date', -1) }}, cast('9999-12-31' as date)) as to_date
    from (
        select
            ticket_key,
            unsolved_change,
            {{ date_of_key('date_key') }} as from_date,
            {{ date_of_key('lead(date_key) over (partition by ticket_key order by transition_no)') }} as next_date
        from {{ ref('fct_ticket_transition') }}
        where {{ is_touched(['ticket_key']) }}
    ) as transitions
    where unsolved_change = 1
),

spans as (
    select
        tickets.ticket_key,
        tickets.customer_key,
        unsolved_spans.from_date,
        unsolved_spans.to_date
    from unsolved_spans
    inner join all_tickets as tickets on tickets.ticket_key = unsolved_spans.ticket_key
),

{{ lasting_ctes('spans', ['ticket_key']) }},

counted as (
    {%- for measure, flag in flags.items() %}
    select ticket_key, '{{ measure }}' as measure, first_solved_on as date_day, case when {{ flag }} then 1 else 0 end as positives, 1 as responses, cast(null as double) as minutes
    from tickets
    where first_solved_on is not null and {{ flag }} is not null
    union all
    {%- endfor %}
    {%- for measure, (minutes, day, condition) in durations.items() %}
    select ticket_key, '{{ measure }}', {{ day }}, 0, 1, {{ minutes }}
    from tickets
    where {{ minutes }} is not null and {{ condition }}
    union all
    {%- endfor %}
    select ticket_key, 'machine_only', first_solved_on, case when handling_class = 'automated' then 1 else 0 end, 1, null
    from tickets
    where is_customer_initiated and first_solved_on is not null and handling_class is not null
    union all
    select ticket_key, 'unanswered', {{ plus_days('created_on', days_to_answer()) }}, case when is_unanswered then 1 else 0 end, 1, null
    from tickets
    where is_customer_initiated and is_unanswered is not null
    union all
    select ticket_key, 'complaint', created_on, case when is_complaint then 1 else 0 end, 1, null
    from tickets
    where is_customer_initiated
    union all
    select ticket_key, 'contact', created_on, 1, 0, null
    from tickets
    where is_customer_initiated
    union all
    select tickets.ticket_key, 'sla', {{ date_of_key('slas.due_date_key') }}, case when slas.outcome = 'achieved' then 1 else 0 end, 1, null
    from tickets
    inner join {{ ref('fct_sla') }} as slas on slas.ticket_key = tickets.ticket_key
    where slas.is_counted and slas.due_date_key > 0
),

measured as (
    select
        counted.ticket_key,
        counted.measure,
        counted.date_day,
        false as is_state,
        counted.positives,
        counted.responses,
        counted.minutes,
        coalesce(spells.segment, 'unknown') as segment
    from counted
    inner join tickets on tickets.ticket_key = counted.ticket_key
    left join {{ ref('int_customer__segment_spell') }} as spells
        on spells.customer_key = tickets.customer_key
        and counted.date_day between spells.from_date and spells.to_date
    union all
    select ticket_key, 'backlog', date_day, true, 0, sign, null, segment from lasting
    union all
    {#- Unsolved on no day's end, and yet a day of which the backlog is known: a desk may begin with it. #}
    select spans.ticket_key, 'backlog', spans.from_date, true, 0, 0, null, coalesce(spells.segment, 'unknown')
    from spans
    left join {{ ref('int_customer__segment_spell') }} as spells
        on spells.customer_key = spans.customer_key
        and spans.from_date between spells.from_date and spells.to_date
    where spans.to_date < spans.from_date
),

named as (
    select
        measured.ticket_key,
        measured.measure,
        measured.date_day,
        measured.is_state,
        measured.positives,
        measured.responses,
        measured.minutes,
        measured.segment,
        tickets.customer_key,
        tickets.respondent,
        case when measured.measure <> 'contact' then tickets.channel end as channel,
        case when measured.measure <> 'contact' then tickets.touchpoint end as touchpoint,
        case when measured.measure <> 'contact' then tickets.team end as team,
        case when measured.measure <> 'contact' then coalesce(event_journeys.journey, 'none') end as journey
    from measured
    inner join all_tickets as tickets on tickets.ticket_key = measured.ticket_key
    left join event_journeys on event_journeys.source_ref = measured.ticket_key
)

{{ kpi_records('named', ['ticket_key'], [
    'is_state', 'positives', 'responses', 'minutes', 'segment', 'channel', 'touchpoint', 'team', 'journey'
]) }}
