{#-
    How many of those asked answered, by survey, channel and month of the invitation. What lives here: counts, rates, and which
    cells are too small to show. Not here: which invitations count (fct_survey_invitation), the formulas (macros/kpi/voice.sql).

    'all' surveys are those of customers; a survey of employees stands by itself. Channels over all surveys are shown only
    where every survey shows them, so what is shown is never more than the tree of surveys and their channels.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="
        select {{ month_of_key('date_key') }} as month_start from {{ touched('fct_survey_invitation') }} where date_key > 0
        union
        select month_start from {{ this }}
        where survey_key in (select {{ surrogate_key(['source', 'survey_id']) }} from {{ touched('int_survey_question__unioned') }})
    "
) }}

{%- set counts = ['invited', 'sampled_out', 'delivered', 'bounced', 'opened', 'started', 'completed', 'partial', 'opted_out'] %}
with invitations as (
    select
        {{ month_of_key('date_key') }} as month_start,
        survey_key,
        is_employee,
        channel,
        case when customer_key = -1 then -1 - invitation_key else customer_key end as person,
        case when is_counted then 1 else 0 end as invited,
        case when is_counted then 0 else 1 end as sampled_out,
        case when is_counted and is_delivered then 1 else 0 end as delivered,
        case when is_counted and bounced_at is not null then 1 else 0 end as bounced,
        case when is_counted and is_delivered and opened_at is not null then 1 else 0 end as opened,
        case when is_counted and is_delivered and started_at is not null then 1 else 0 end as started,
        case when is_counted and is_completed then 1 else 0 end as completed,
        case when is_counted and is_partial then 1 else 0 end as partial,
        case when is_counted and opted_out_at is not null then 1 else 0 end as opted_out
    from {{ ref('fct_survey_invitation') }}
    where
        date_key > 0
        and (is_counted or exclusion_reason = 'sampled_out')
        and {{ is_touched([month_of_key('date_key')]) }}
),

cells as (
    select
        month_start,
        is_employee,
        coalesce(cast(survey_key as varchar), 'all') as survey_member,
        coalesce(survey_key, -1) as survey_key,
        coalesce(channel, 'all') as channel,
        {%- for count in counts %}
        cast(sum({{ count }}) as bigint) as {{ count }},
        {%- endfor %}
        count(distinct person) as people
    from invitations
    group by grouping sets (
        (month_start, is_employee),
        (month_start, is_employee, channel),
        (month_start, is_employee, survey_key),
        (month_start, is_employee, survey_key, channel)
    )
    having survey_key is not null or not is_employee
),

small_surveys as (
    select
        month_start,
        is_employee,
        survey_member,
        people,
        people < {{ smallest_group('is_employee') }} as hidden
    from cells
    where channel = 'all'
),

{{ hide_another('small_surveys', 'surveys', ['month_start', 'is_employee', 'survey_member', 'people'], ['month_start', 'is_employee'], 'survey_member', 'people') }},

small_channels as (
    select
        cells.month_start,
        cells.survey_member,
        cells.channel,
        cells.people,
        surveys.hidden or cells.people < {{ smallest_group('cells.is_employee') }} as hidden
    from cells
    inner join surveys on surveys.month_start = cells.month_start and surveys.survey_member = cells.survey_member
    where cells.survey_member <> 'all' and cells.channel <> 'all'
),

{{ hide_another('small_channels', 'channels', ['month_start', 'survey_member', 'channel', 'people'], ['month_start', 'survey_member'], 'channel', 'people') }},

hidden_channels as (
    select distinct channels.month_start, channels.channel
    from channels
    inner join surveys on surveys.month_start = channels.month_start and surveys.survey_member = channels.survey_member
    where channels.hidden and not surveys.is_employee
),

names as (
    select {{ surrogate_key(['source', 'survey_id']) }} as survey_key, min(survey_name) as survey_name
    from {{ ref('int_survey_question__unioned') }}
    group by source, survey_id
),

judged as (
    select
        cells.month_start,
        cells.survey_key,
        case when cells.survey_member = 'all' then 'all' else coalesce(names.survey_name, 'Unknown') end as survey_name,
        cells.is_employee,
        cells.channel,
        {%- for count in counts %}
        cells.{{ count }},
        {%- endfor %}
        case
            when cells.channel = 'all' then surveys.hidden
            when cells.survey_member = 'all' then surveys.hidden or hidden_channels.channel is not null
            else channels.hidden
        end as is_suppressed
    from cells
    inner join surveys
        on surveys.month_start = cells.month_start
        and surveys.is_employee = cells.is_employee
        and surveys.survey_member = cells.survey_member
    left join channels
        on channels.month_start = cells.month_start
        and channels.survey_member = cells.survey_member
        and channels.channel = cells.channel
    left join hidden_channels
        on hidden_channels.month_start = cells.month_start
        and hidden_channels.channel = cells.channel
    left join names on names.survey_key = cells.survey_key
),

final as (
    select
        month_start,
        survey_key,
        survey_name,
        channel,
        is_employee,
        {%- for count in counts %}
        case when not is_suppressed then {{ count }} end as {{ count }},
        {%- endfor %}
        case when not is_suppressed then round({{ response_rate_value('completed', 'delivered') }}, 4) end as response_rate,
        case when not is_suppressed then round({{ wilson_end('completed', 'delivered', '-') }}, 4) end as ci_low,
        case when not is_suppressed then round({{ wilson_end('completed', 'delivered', '+') }}, 4) end as ci_high,
        case when not is_suppressed then round({{ rr1_like_value('completed', 'invited') }}, 4) end as rr1_like,
        is_suppressed,
        delivered < {{ n_low() }} as is_low_n
    from judged
)

select * from final
