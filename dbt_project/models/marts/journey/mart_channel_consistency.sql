{#-
    The same service on every channel, or not: each KPI per channel beside all channels and the others. What lives here:
    values, their intervals and their spread per KPI, channel and period. Not here: the formulas of the values (macros/kpi),
    the daily scorecard (mart_kpi_daily).

    The channel is that of the contact: a survey about a phone call that was sent by e-mail speaks of the phone. A channel
    differs when the interval of its difference from all others together excludes 0.

    Longer than 150 lines: answers, waits, switches and contacts of ours become records of one shape, so that one rule
    values and hides them all.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['period', 'period_start'],
    touched_by="{{ touched_channel_periods() }}"
) }}

{%- set group_columns = ['kpi', 'period', 'period_start'] -%}
{%- set cell_columns = group_columns + ['channel'] -%}
{%- set durations = {
    'first_reply_minutes': ('first_reply_date_key', 'answer', 'tickets.is_customer_initiated'),
    'full_resolution_minutes': ('last_solved_date_key', 'solution', 'true'),
} %}

with period_days as (
    {{ period_days() }}
),

answers as (
    select
        case when answers.metric = 'nps' then 'nps_transactional' else answers.metric end as kpi,
        coalesce(nullif(tickets.channel, 'unknown'), nullif(orders.channel, 'unknown'), answers.channel) as channel,
        answers.answered_date_key as date_key,
        case when answers.customer_key = -1 then -1 - answers.answer_key else answers.customer_key end as respondent,
        case when answers.answer_class in ('promoter', 'positive') then 1 else 0 end as positives,
        case when answers.answer_class in ('detractor', 'negative') then 1 else 0 end as negatives,
        answers.score_norm
    from {{ ref('fct_survey_answer') }} as answers
    left join {{ ref('fct_ticket') }} as tickets on tickets.ticket_key = answers.ticket_key
    left join {{ ref('fct_order') }} as orders on orders.order_key = answers.order_key
    where
        answers.is_counted
        and (answers.metric in ('csat', 'ces') or (answers.metric = 'nps' and answers.survey_kind <> 'relational'))
        and answers.answered_date_key in (select date_key from period_days)
),

{#- How long a step of a request for help may take is the level no wait should pass. -#}
limits as (
    select
        step,
        max(cast(target_minutes as double)) as limit_minutes
    from {{ ref('dim_journey_step') }}
    where journey = 'support'
    group by step
),

records as (
    select
        kpi, channel, date_key, respondent, positives, negatives, score_norm as level,
        cast({{ score_floor() }} as double) as floor_value,
        score_norm <= {{ score_floor() }} as is_beyond_floor
    from answers
    {%- for kpi, (day, step, condition) in durations.items() %}
    union all
    select
        '{{ kpi }}', tickets.channel, tickets.{{ day }},
        case when tickets.customer_key = -1 then -1 - tickets.ticket_key else tickets.customer_key end,
        0, 0, tickets.{{ kpi }}, limits.limit_minutes, coalesce(tickets.{{ kpi }} > limits.limit_minutes, false)
    from {{ ref('fct_ticket') }} as tickets
    left join limits on limits.step = '{{ step }}'
    where
        {{ is_ticket_counted('tickets.removed_kind') }}
        and tickets.{{ kpi }} is not null
        and {{ condition }}
        and tickets.{{ day }} in (select date_key from period_days)
    {%- endfor %}
    union all
    select
        'journeys_with_switch', first_channel, start_date_key,
        case when customer_key = -1 then -1 - journey_key else customer_key end,
        case when n_switches > 0 then 1 else 0 end, 0, null, null, false
    from {{ ref('fct_journey') }}
    where journey = 'support' and is_matured and start_date_key in (select date_key from period_days)
    union all
    select
        'preferred_channel_match', events.channel, events.date_key, events.customer_key,
        case when events.channel = customers.preferred_channel then 1 else 0 end, 0, null, null, false
    from {{ ref('fct_journey_event') }} as events
    inner join {{ ref('dim_customer') }} as customers on customers.customer_key = events.customer_key
    where
        events.direction = 'outbound'
        and (events.object = 'activity' or events.event = 'created_by_us')
        and events.channel not in ('unknown', 'other')
        and customers.preferred_channel is not null
        and events.date_key in (select date_key from period_days)
),

placed as (
    select
        records.kpi,
        period_days.period,
        period_days.period_start,
        records.channel,
        records.respondent,
        records.positives,
        records.negatives,
        records.level,
        records.floor_value,
        records.is_beyond_floor
    from records
    inner join period_days on period_days.date_key = records.date_key
),

channels as (
    select distinct kpi, period, period_start, channel from placed
),

{#- Each channel, all of them, and for each channel the others. -#}
groups as (
    select kpi, period, period_start, channel, 'own' as part, respondent, positives, negatives, level, floor_value, is_beyond_floor from placed
    union all
    select kpi, period, period_start, 'all', 'own', respondent, positives, negatives, level, floor_value, is_beyond_floor from placed
    union all
    select
        placed.kpi, placed.period, placed.period_start, channels.channel, 'others', placed.respondent,
        placed.positives, placed.negatives, placed.level, placed.floor_value, placed.is_beyond_floor
    from placed
    inner join channels on {{ equal_columns('channels', 'placed', group_columns) }} and channels.channel <> placed.channel
),

counted as (
    select
        kpi,
        period,
        period_start,
        channel,
        part,
        count(*) as n,
        count(distinct respondent) as customers,
        sum(positives) as positives,
        sum(negatives) as negatives,
        {{ sorted_values('level') }} as levels,
        max(floor_value) as floor_value,
        sum(case when is_beyond_floor then 1 else 0 end) as beyond_floor
    from groups
    group by kpi, period, period_start, channel, part
),

valued as (
    select
        kpi,
        period,
        period_start,
        channel,
        part,
        n,
        customers,
        case
            when kpi = 'nps_transactional' then cast(positives - negatives as double)
            when kpi not in ('first_reply_minutes', 'full_resolution_minutes') then cast(positives as double)
        end as numerator,
        case
            when kpi = 'nps_transactional' then {{ nps_value('positives', 'negatives', 'n') }}
            when kpi in ('first_reply_minutes', 'full_resolution_minutes') then {{ quantile_value('levels', 'n', 0.5) }}
            else {{ percent_value('positives', 'n') }}
        end as value,
        {%- for name, sign in [('ci_low', '-'), ('ci_high', '+')] %}
        case
            when kpi = 'nps_transactional' then {{ nps_interval_end('positives', 'negatives', 'n', sign) }}
            when kpi in ('first_reply_minutes', 'full_resolution_minutes') then {{ quantile_interval_end('levels', 'n', 0.5, sign) }}
            else {{ wilson_end('positives', 'n', sign) }}
        end as {{ name }},
        {%- endfor %}
        {%- for name, of_nps, of_shares in [
            ('estimate', nps_estimate('positives', 'negatives', 'n'), share_estimate('positives', 'n')),
            ('margin', nps_margin('positives', 'negatives', 'n'), share_margin('positives', 'n'))
        ] %}
        case
            when kpi = 'nps_transactional' then {{ of_nps }}
            when kpi not in ('first_reply_minutes', 'full_resolution_minutes') then {{ of_shares }}
        end as {{ name }},
        {%- endfor %}
        {%- for name, q in [('p10', 0.1), ('p50', 0.5), ('p90', 0.9)] %}
        case when kpi not in ('journeys_with_switch', 'preferred_channel_match') then {{ quantile_value('levels', 'n', q) }} end as {{ name }},
        {%- endfor %}
        floor_value,
        case when floor_value is not null then cast(beyond_floor as double) / n end as share_below_floor
    from counted
),

cells as (
    select {{ cell_columns | join(', ') }}, customers, {{ is_small('customers') }} as hidden from valued where part = 'own'
),

{{ hide_another('cells', 'hidden_in_periods', cell_columns + ['customers'], group_columns, 'channel', 'customers') }},

{{ hide_with_months('hidden_in_periods', 'cells_and_months', cell_columns + ['customers'], ['kpi', 'channel'],
    'select kpi, channel, period_start from ' ~ this ~ " where period = 'month' and is_suppressed") }},

{{ hide_another('cells_and_months', 'hidden_cells', cell_columns + ['customers'], group_columns, 'channel', 'customers') }},

differences as (
    select
        own.kpi,
        own.period,
        own.period_start,
        own.channel,
        {%- for name, sign in [('low', '-'), ('high', '+')] %}
        case
            when own.kpi in ('first_reply_minutes', 'full_resolution_minutes') then {{ quantile_difference_end('own', 'others', sign) }}
            else {{ difference_end('own', 'others', sign) }}
        end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from valued as own
    inner join valued as others on {{ equal_columns('others', 'own', group_columns) }} and others.channel = own.channel
    where own.part = 'own' and others.part = 'others'
),

final as (
    select
        own.kpi,
        own.channel,
        own.period,
        own.period_start,
        {%- for column, measure in [
            ('numerator', 'own.numerator'),
            ('denominator', 'cast(own.n as double)'),
            ('n', 'own.n'),
            ('customers', 'own.customers'),
            ('value', 'round(own.value, 4)'),
            ('ci_low', 'round(own.ci_low, 4)'),
            ('ci_high', 'round(own.ci_high, 4)')
        ] %}
        case when not cells.hidden then {{ measure }} end as {{ column }},
        {%- endfor %}
        case when not whole_cells.hidden then round(whole.value, 4) end as all_value,
        case when not cells.hidden and own.channel <> 'all' then round(own.value - whole.value, 4) end as difference,
        case when not cells.hidden and own.channel <> 'all' then
            coalesce(differences.low > 0 or differences.high < 0, false)
        end as is_different,
        {%- for measure in ['p10', 'p50', 'p90'] %}
        case when not cells.hidden then round(own.{{ measure }}, 4) end as {{ measure }},
        {%- endfor %}
        own.floor_value,
        case when not cells.hidden then round(own.share_below_floor, 4) end as share_below_floor,
        cells.hidden as is_suppressed,
        own.n < {{ n_low() }} as is_low_n
    from valued as own
    inner join hidden_cells as cells on {{ equal_columns('cells', 'own', group_columns) }} and cells.channel = own.channel
    inner join valued as whole on {{ equal_columns('whole', 'own', group_columns) }} and whole.channel = 'all' and whole.part = 'own'
    inner join hidden_cells as whole_cells on {{ equal_columns('whole_cells', 'own', group_columns) }} and whole_cells.channel = 'all'
    left join differences on {{ equal_columns('differences', 'own', group_columns) }} and differences.channel = own.channel
    where own.part = 'own'
)

select * from final
