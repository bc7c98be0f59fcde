{#-
    What a journey was like for its customer: contacts, switches of channel, hand-offs, and how it felt at its best, its worst and its end. Not
    here: how far it came (int_journey__step_time). Scores of different scales are never blended: each score comes with its scale.
-#}
{{ config(
    touched_key=['journey_key'],
    touched_by="
        select journey_key from {{ touched('fct_journey_event') }} where journey_key <> -1
        union
        select journey_key from {{ ref('fct_journey_event') }}
        where object = 'ticket' and journey_key <> -1 and source_ref in (select ticket_key from {{ touched('fct_ticket') }})
    "
) }}

with events as (
    {{ events_of_journeys(['object', 'source_ref', 'touchpoint_key', 'seq_no', 'channel', 'direction', 'score_scale', 'score_norm']) }}
),

contacts as (
    select
        journey_key,
        cast(count(*) as integer) as n_contacts,
        cast(count(distinct case when channel <> 'unknown' then channel end) as integer) as n_channels,
        cast(sum(case when channel <> previous_channel and channel <> 'unknown' and previous_channel <> 'unknown' then 1 else 0 end) as integer)
            as n_switches
    from (
        select
            journey_key,
            channel,
            lag(channel) over (partition by journey_key order by seq_no) as previous_channel
        from events
        where direction = 'inbound' and role in ('lead', 'anchor')
    ) as compared
    group by journey_key
),

{#- A person who answers after a machine has taken over from it. -#}
hand_overs as (
    select
        journey_tickets.journey_key,
        cast(sum(
            coalesce(tickets.reassignments, 0) + case when tickets.first_reply_at > tickets.first_automated_reply_at then 1 else 0 end
        ) as integer) as n_handoffs
    from (select distinct journey_key, source_ref from events where object = 'ticket') as journey_tickets
    inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = journey_tickets.source_ref
    group by journey_tickets.journey_key
),

scores as (
    select
        journey_key,
        {% for name in ['peak', 'trough', 'end'] -%}
        max(case when {{ name }}_place = 1 then score_norm end) as {{ name }}_score,
        max(case when {{ name }}_place = 1 then touchpoint_key end) as {{ name }}_touchpoint_key,
        max(case when {{ name }}_place = 1 then score_scale end) as {{ name }}_scale{{ ',' if not loop.last }}
        {% endfor -%}
    from (
        select
            journey_key,
            score_norm,
            touchpoint_key,
            score_scale,
            row_number() over (partition by journey_key order by score_norm desc, seq_no) as peak_place,
            row_number() over (partition by journey_key order by score_norm, seq_no) as trough_place,
            row_number() over (partition by journey_key order by seq_no desc) as end_place
        from events
        where role = 'answer' and score_norm is not null
    ) as ranked
    group by journey_key
)

select
    journeys.journey_key,
    coalesce(contacts.n_contacts, 0) as n_contacts,
    coalesce(contacts.n_channels, 0) as n_channels,
    coalesce(contacts.n_switches, 0) as n_switches,
    coalesce(hand_overs.n_handoffs, 0) as n_handoffs,
    {% for name in ['peak', 'trough', 'end'] -%}
    scores.{{ name }}_score,
    coalesce(scores.{{ name }}_touchpoint_key, -1) as {{ name }}_touchpoint_key,
    scores.{{ name }}_scale{{ ',' if not loop.last }}
    {% endfor -%}
from (select distinct journey_key from events) as journeys
left join contacts on contacts.journey_key = journeys.journey_key
left join hand_overs on hand_overs.journey_key = journeys.journey_key
left join scores on scores.journey_key = journeys.journey_key
