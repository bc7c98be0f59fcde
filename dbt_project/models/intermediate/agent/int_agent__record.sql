{{ config(materialized='view', incremental_strategy=none) }}

{#-
    What counts how for teams and agents. What lives here: the records of each measure, minutes for durations, hit (0 or 1) for shares.
    Not here: the measures themselves (fct_ticket, fct_survey_answer), which figures may be shown (int_agent__cell).

    A ticket counts for the team and the agent in charge of it now, a rating for the agent who was in charge when it was given.
-#}
with tickets as (
    select
        coalesce(team, 'none') as team,
        agent_key,
        first_reply_date_key,
        first_solved_date_key,
        last_solved_date_key,
        first_reply_minutes,
        full_resolution_minutes,
        is_customer_initiated,
        is_reopened,
        is_fcr,
        is_one_touch,
        is_escalated,
        is_first_tier_resolution
    from {{ ref('fct_ticket') }}
    where {{ is_ticket_counted('removed_kind') }}
)

select 'first_reply' as measure, first_reply_date_key as date_key, team, agent_key, first_reply_minutes as minutes, cast(null as integer) as hit
from tickets
where is_customer_initiated and first_reply_minutes is not null
union all
select 'full_resolution', last_solved_date_key, team, agent_key, full_resolution_minutes, null
from tickets
where full_resolution_minutes is not null
union all
select 'solved', first_solved_date_key, team, agent_key, null, null
from tickets
where first_solved_date_key > 0
{%- for measure, flag in [
    ('reopen_rate', 'is_reopened'), ('fcr_rate', 'is_fcr'), ('one_touch_rate', 'is_one_touch'),
    ('escalation_rate', 'is_escalated'), ('first_tier_rate', 'is_first_tier_resolution')
] %}
union all
select '{{ measure }}', first_solved_date_key, team, agent_key, null, case when {{ flag }} then 1 else 0 end
from tickets
where first_solved_date_key > 0 and {{ flag }} is not null
{%- endfor %}
union all
select
    'csat',
    answers.answered_date_key,
    coalesce(tickets.team, 'none'),
    answers.agent_key,
    null,
    case when answers.is_positive then 1 else 0 end
from {{ ref('fct_survey_answer') }} as answers
inner join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
where answers.metric = 'csat' and answers.is_counted
