{#-
    Days after which the time of a breakdown may not be cut. What lives here: which weeks and days of a month hold enough people of
    everything that can be told apart in it: of every shown member, and of the hidden ones together. Not here: who is hidden
    (int_kpi__member_month), which windows that leaves (int_kpi__told_cell).
-#}
{{ config(
    touched_key=['measure', 'month_start'],
    touches=['dimension', 'date_day'],
    touched_by="{{ touched_kpi_months() }}"
) }}

-- depends_on: {{ ref('kpis') }}
{%- set month = ['measure', 'dimension', 'month_start'] %}
{%- set piece = month + ['kind', 'starts_on', 'part'] %}
{%- set week_start = 'cast(' ~ dbt.date_trunc('week', 'days.date_day') ~ ' as date)' %}

with night as (
    select as_of from {{ night() }}
),

parts as (
    select
        {{ columns_of('members', month) }},
        members.member,
        case when members.is_hidden then '' else members.member end as part
    from {{ ref('int_kpi__member_month') }} as members
    where {{ is_touched(['members.measure', 'members.month_start']) }}
),

days as (
    select
        measure,
        dimension,
        member,
        {{ month_of('date_day') }} as month_start,
        date_day,
        records,
        people_bits
    from {{ ref('int_kpi__day') }}
    where not is_state and date_day <= (select as_of from night) and {{ is_touched(['measure', month_of('date_day')]) }}
),

pieces as (
    {%- for kind, starts_on in {'week': week_start, 'day': 'days.date_day'}.items() %}
    select
        {{ columns_of('parts', month) }},
        '{{ kind }}' as kind,
        {{ starts_on }} as starts_on,
        parts.part,
        sum(days.records) as records,
        {{ bits_of_people('days.people_bits') }} as people_bits
    from days
    inner join parts on {{ equal_columns('parts', 'days', month + ['member']) }}
    group by {{ columns_of('parts', month) }}, {{ starts_on }}, parts.part
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

unsure as (
    select {{ piece | join(', ') }}
    from pieces
    where records >= {{ k_privacy() }} and not {{ surely_people('people_bits', k_privacy()) }}
),

records as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'respondent'] + kpi_dimensions(),
        'not is_state and date_day <= (select as_of from night) and (measure, ' ~ month_of('date_day') ~ ') in (select measure, month_start from unsure)'
    ) }}
),

placed as (
    {{ placed_kpi_records('records', ['measure', 'date_day', 'respondent'], whole=false) }}
),

respondents as (
    select distinct {{ columns_of('unsure', piece) }}, days.respondent
    from placed as days
    inner join parts
        on {{ equal_columns('parts', 'days', ['measure', 'dimension', 'member']) }}
        and parts.month_start = {{ month_of('days.date_day') }}
    inner join unsure
        on {{ equal_columns('unsure', 'parts', month + ['part']) }}
        and unsure.starts_on = case unsure.kind when 'week' then {{ week_start }} else days.date_day end
),

crowded as (
    select {{ piece | join(', ') }} from pieces where {{ surely_people('people_bits', k_privacy()) }}
    union all
    select {{ piece | join(', ') }} from respondents
    group by {{ piece | join(', ') }}
    having count(*) >= {{ k_privacy() }}
),

part_counts as (
    select {{ month | join(', ') }}, count(distinct part) as parts
    from parts
    group by {{ month | join(', ') }}
),

safe as (
    select {{ columns_of('crowded', month + ['kind', 'starts_on']) }}
    from crowded
    inner join part_counts on {{ equal_columns('part_counts', 'crowded', month) }}
    group by {{ columns_of('crowded', month + ['kind', 'starts_on']) }}, part_counts.parts
    having count(*) = part_counts.parts
)

{#- Neither a month's last day, nor one with something safe on either side. #}
select {{ columns_of('part_counts', month) }}, days.date_day
from part_counts
cross join night
inner join {{ ref('dim_date') }} as days
    on days.date_day between part_counts.month_start and {{ month_end('part_counts.month_start') }}
{%- for kind, starts_on, size in [('week', week_start, 7), ('day', 'days.date_day', 1)] %}
{%- for side, days in [('before', 0), ('after', size)] %}
left join safe as {{ kind }}_{{ side }}
    on {{ kind }}_{{ side }}.kind = '{{ kind }}'
    and {{ equal_columns(kind ~ '_' ~ side, 'part_counts', month) }}
    and {{ kind }}_{{ side }}.starts_on = {{ plus_days(starts_on, days) }}
{%- endfor %}
{%- endfor %}
where
    days.date_day < least({{ month_end('part_counts.month_start') }}, night.as_of)
    and not (
        (day_before.measure is not null or ({{ iso_weekday('days.date_day') }} = 7 and week_before.measure is not null))
        and (day_after.measure is not null or ({{ iso_weekday('days.date_day') }} = 7 and week_after.measure is not null))
    )
