{#-
    How many of those asked answered, by survey, channel and month of the invitation. What lives here: counts, rates, and which
    cells are too small to show. Not here: which invitations count (fct_survey_invitation), the formulas (macros/kpi/voice.sql).

    'all' surveys are those of customers; a survey of employees stands by itself. Channels over all surveys are shown only
    where every survey shows them, so what is shown is never more than the tree of surveys and their channels.

    Longer than 150 lines: which cell is shown depends on every other of its month, so that all are judged in one place.
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

{%- set survey_columns = ['month_start', 'is_employee', 'survey_member'] %}
{%- set least = smallest_group('is_employee') %}
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
        {{ survey_columns | join(', ') }},
        people,
        {{ is_small('people', least) }} as hidden
    from cells
    where channel = 'all'
),

{{ hide_another('small_surveys', 'surveys', survey_columns + ['people'], ['month_start', 'is_employee'], 'survey_member', 'people', least) }},

small_channels as (
    select
        {% for column in survey_columns %}cells.{{ column }}, {% endfor %}
        cells.channel,
        cells.people,
        surveys.hidden as is_below_hidden,
        surveys.hidden or {{ is_small('cells.people', smallest_group('cells.is_employee')) }} as hidden
    from cells
    inner join surveys on {{ equal_columns('surveys', 'cells', survey_columns) }}
    where cells.survey_member <> 'all' and cells.channel <> 'all'
),

{{ hide_another(
    'small_channels', 'channels', survey_columns + ['channel', 'people', 'is_below_hidden'], survey_columns, 'channel', 'people', least
) }},

{#- Hidden surveys make one pool, whose channels may be one; the pool of a survey that is shown always has two. -#}
pools as (
    select
        month_start,
        channel,
        min(channel) over pool <> max(channel) over pool as is_cut
    from channels
    where hidden and not is_employee
    window pool as (partition by month_start, case when is_below_hidden then 'all' else survey_member end)
),

cut_channels as (
    select distinct month_start, channel from pools where is_cut
),

{#- Channels over all surveys of customers. -#}
small_columns as (
    select
        cells.month_start,
        cells.channel,
        cells.people,
        {{ is_small('cells.people') }} or cut_channels.channel is not null or (cells.channel = 'all' and surveys.hidden) as hidden
    from cells
    inner join surveys on {{ equal_columns('surveys', 'cells', survey_columns) }}
    left join cut_channels on cut_channels.month_start = cells.month_start and cut_channels.channel = cells.channel
    where cells.survey_member = 'all'
),

{{ hide_another('small_columns', 'all_channels', ['month_start', 'channel', 'people'], ['month_start'], 'channel', 'people') }},

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
            when cells.survey_member = 'all' then all_channels.hidden
            else channels.hidden
        end as is_suppressed
    from cells
    inner join surveys
        on surveys.month_start = cells.month_start
        and surveys.is_employee = cells.is_employee
        and surveys.survey_member = cells.survey_member
    left join channels on {{ equal_columns('channels', 'cells', survey_columns + ['channel']) }}
    left join all_channels on all_channels.month_start = cells.month_start and all_channels.channel = cells.channel
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
