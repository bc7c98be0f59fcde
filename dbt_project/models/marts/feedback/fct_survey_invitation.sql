{#-
    Who was asked, and how far they came. What lives here: what came of an invitation and of the letters that remind of it. Not here: which
    letters are invitations (int_survey_invitation__round), what was answered (fct_survey_answer), response rates (mart_survey_funnel).

    People are counted, not letters: a reminder is no invitation, and what came of it is what came of the invitation it reminds of.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['invitation_key'],
    touches=['date_key'],
    touched_by="
        with moved as (
            select thread_key from {{ touched('int_survey_invitation__round') }}
            union
            select thread_key from {{ ref('int_survey_invitation__round') }}
            where invitation_key in (select survey_invitation_key from {{ touched('int_survey_invitation__links') }})
        )
        select invitation_key from {{ touched('int_survey_invitation__round') }}
        union
        select invitation_key from {{ ref('int_survey_invitation__round') }} where thread_key in (select thread_key from moved)
    "
) }}

with letters as (
    select
        letters.*,
        links.customer_key,
        links.ticket_key,
        links.order_key,
        links.is_employee,
        {#- What came of an anonymous answer's invitation would tell whose the answer is. #}
        letters.is_anonymous or links.is_employee as is_nobodys
    from {{ ref('int_survey_invitation__round') }} as letters
    inner join {{ ref('int_survey_invitation__links') }} as links on links.survey_invitation_key = letters.invitation_key
    where {{ is_touched(['letters.invitation_key']) }}
),

{#- What came of the letters of a round together; it came back only if all of them did. -#}
outcomes as (
    select
        thread_key,
        round_no,
        {{ dbt.bool_or('is_delivered') }} as is_delivered,
        {{ dbt.bool_or('is_nobodys') }} as is_nobodys,
        min(opened_at) as opened_at,
        min(started_at) as started_at,
        min(completed_at) as completed_at,
        min(opted_out_at) as opted_out_at
    from letters
    where round_no is not null
    group by thread_key, round_no
),

{#- A reminder keeps what came of itself; an invitation has what came of all its letters. -#}
told as (
    select
        letters.invitation_key,
        coalesce(outcomes.is_nobodys, false) as is_nobodys,
        {%- set has_round = 'outcomes.round_no is not null and letters.exclusion_reason is null' %}
        case when {{ has_round }} then outcomes.is_delivered else letters.is_delivered end as is_delivered,
        case when {{ has_round }} and outcomes.is_delivered then null else letters.bounced_at end as bounced_at,
        {%- for moment in ['opened_at', 'started_at', 'completed_at', 'opted_out_at'] %}
        case when {{ has_round }} then outcomes.{{ moment }} else letters.{{ moment }} end as {{ moment }}{{ ',' if not loop.last }}
        {%- endfor %}
    from letters
    left join outcomes on outcomes.thread_key = letters.thread_key and outcomes.round_no = letters.round_no
),

final as (
    select
        letters.invitation_key,
        letters.survey_key,
        letters.survey_id,
        letters.system,
        {#- What came of a reminder would tell whose an anonymous answer is, as well as what came of the invitation. #}
        case when told.is_nobodys then -1 else letters.customer_key end as customer_key,
        case when told.is_nobodys then -1 else letters.ticket_key end as ticket_key,
        case when told.is_nobodys then -1 else letters.order_key end as order_key,
        letters.is_employee,
        {{ known_channel('letters.channel', 'channels') }} as channel,
        {{ local_date_key('letters.invited_at') }} as date_key,
        letters.sent_at,
        {{ local_date_key('letters.sent_at') }} as sent_date_key,
        told.bounced_at,
        told.opened_at,
        told.started_at,
        told.completed_at,
        told.opted_out_at,
        letters.is_sampled_out,
        told.is_delivered,
        told.is_delivered and told.completed_at is not null as is_completed,
        told.is_delivered and told.started_at is not null and told.completed_at is null as is_partial,
        letters.exclusion_reason is null as is_counted,
        letters.exclusion_reason
    from letters
    inner join told on told.invitation_key = letters.invitation_key
    left join {{ ref('channels') }} as channels on channels.raw_channel = lower(letters.channel)
)

select * from final
