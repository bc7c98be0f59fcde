{#-
    Each channel, all of them, and for each channel the others, KPI by KPI and period by period. What lives here: counts, values, their
    intervals and their spread. Not here: which records are compared (int_channel_consistency__record), what may be shown and what
    differs (mart_channel_consistency), the formulas of the values (macros/kpi).

    The last 365 days begin on another day every night. They are one period here, without a first day.
-#}
{{ config(
    touched_key=['kpi', 'period', 'month_start'],
    touched_by="{{ touched_channel_values() }}"
) }}

{%- set group_columns = ['kpi', 'period', 'month_start'] -%}
{%- set cell_columns = group_columns + ['channel'] -%}
{%- set measures = ['respondent', 'positives', 'negatives', 'level', 'floor_value', 'is_beyond_floor'] %}

with night as (
    select as_of from {{ night() }}
),

placed as (
    {%- for period, month_start, first_day in [
        ('month', 'records.month_start', 'records.date_day'),
        ('last_365_days', 'cast(null as date)', plus_days('night.as_of', -364))
    ] %}
    select
        records.kpi,
        '{{ period }}' as period,
        {{ month_start }} as month_start,
        records.channel,
        {{ columns_of('records', measures) }}
    from {{ ref('int_channel_consistency__record') }} as records
    inner join night on records.date_day between {{ first_day }} and night.as_of
    where {{ is_touched(['records.kpi', "'" ~ period ~ "'", month_start]) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

own as (
    select
        {{ group_columns | join(', ') }},
        case when grouping(channel) = 1 then 'all' else channel end as channel,
        count(*) as n,
        count(distinct respondent) as customers,
        sum(positives) as positives,
        sum(negatives) as negatives,
        {{ sorted_values('level') }} as levels,
        max(floor_value) as floor_value,
        sum(case when is_beyond_floor then 1 else 0 end) as beyond_floor
    from placed
    group by grouping sets (({{ cell_columns | join(', ') }}), ({{ group_columns | join(', ') }}))
),

{#- The waits of all other channels together. Of shares only counts are asked, and those of others are all less one's own. -#}
waits_of_others as (
    select
        {{ columns_of('own', cell_columns) }},
        {{ sorted_values_of_lists('others.levels') }} as levels
    from own
    inner join own as others
        on {{ is_same_channel_group('others', 'own') }}
        and others.channel not in (own.channel, 'all')
    where own.channel <> 'all' and {{ is_channel_duration('own.kpi') }}
    group by {{ columns_of('own', cell_columns) }}
),

counted as (
    select
        {{ cell_columns | join(', ') }}, n, customers, positives, negatives, levels, floor_value, beyond_floor, 'own' as part
    from own
    union all
    select
        {{ columns_of('own', cell_columns) }},
        whole.n - own.n,
        null,
        whole.positives - own.positives,
        whole.negatives - own.negatives,
        waits_of_others.levels,
        null,
        null,
        'others'
    from own
    inner join own as whole on {{ is_same_channel_group('whole', 'own') }} and whole.channel = 'all' and whole.n > own.n
    left join waits_of_others on {{ is_same_channel_group('waits_of_others', 'own') }} and waits_of_others.channel = own.channel
),

valued as (
    select
        kpi,
        period,
        month_start,
        channel,
        part,
        n,
        customers,
        case
            when kpi = 'nps_transactional' then cast(positives - negatives as double)
            when not {{ is_channel_duration('kpi') }} then cast(positives as double)
        end as numerator,
        case
            when kpi = 'nps_transactional' then {{ nps_value('positives', 'negatives', 'n') }}
            when {{ is_channel_duration('kpi') }} then {{ quantile_value('levels', 'n', 0.5) }}
            else {{ percent_value('positives', 'n') }}
        end as value,
        {%- for name, sign in [('ci_low', '-'), ('ci_high', '+')] %}
        case
            when kpi = 'nps_transactional' then {{ nps_interval_end('positives', 'negatives', 'n', sign) }}
            when {{ is_channel_duration('kpi') }} then {{ quantile_interval_end('levels', 'n', 0.5, sign) }}
            else {{ wilson_end('positives', 'n', sign) }}
        end as {{ name }},
        {%- endfor %}
        {%- for name, of_nps, of_shares in [
            ('estimate', nps_estimate('positives', 'negatives', 'n'), share_estimate('positives', 'n')),
            ('margin', nps_margin('positives', 'negatives', 'n'), share_margin('positives', 'n'))
        ] %}
        case
            when kpi = 'nps_transactional' then {{ of_nps }}
            when not {{ is_channel_duration('kpi') }} then {{ of_shares }}
        end as {{ name }},
        {%- endfor %}
        {%- for name, q in [('p10', 0.1), ('p50', 0.5), ('p90', 0.9)] %}
        case when kpi not in ('journeys_with_switch', 'preferred_channel_match') then {{ quantile_value('levels', 'n', q) }} end as {{ name }},
        {%- endfor %}
        floor_value,
        case when floor_value is not null then cast(beyond_floor as double) / n end as share_below_floor
    from counted
)

select * from valued
