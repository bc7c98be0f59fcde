{#-
    Which members of a dimension are hidden in a month. What lives here: how many people are behind each member's records, and that a
    hidden one is not alone. Not here: what follows for windows (int_kpi__told_cell), how time may be cut (int_kpi__uncut_day).

    People are counted one by one only where somebody may be behind too few (macros/kpi/people.sql), there those of all members, of
    whom the smallest is hidden too.
-#}
{{ config(
    touched_key=['measure', 'month_start'],
    touches=['dimension'],
    touched_by="{{ touched_kpi_months() }}"
) }}

{%- set month = ['measure', 'dimension', 'month_start'] %}
{%- set month_start = month_of('date_day') %}

with night as (
    select as_of from {{ night() }}
),

measures as (
    {{ kpi_measures() }}
),

members as (
    select
        measure,
        dimension,
        {{ month_start }} as month_start,
        member,
        {{ bits_of_people('people_bits') }} as people_bits
    from {{ ref('int_kpi__day') }}
    where
        not is_state
        and dimension <> 'all'
        and date_day <= (select as_of from night)
        and measure in (select measure from measures where adds_up)
        and {{ is_touched(['measure', month_start]) }}
    group by measure, dimension, {{ month_start }}, member
),

doubtful as (
    select distinct {{ month | join(', ') }}
    from members
    where not {{ surely_people('people_bits', k_privacy()) }}
),

records as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'respondent'] + kpi_dimensions(),
        'not is_state and date_day <= (select as_of from night) and (measure, ' ~ month_start ~ ') in (select measure, month_start from doubtful)'
    ) }}
),

placed as (
    {{ placed_kpi_records('records', ['measure', 'date_day', 'respondent'], whole=false) }}
),

respondents as (
    select distinct {{ columns_of('doubtful', month) }}, placed.member, placed.respondent
    from placed
    inner join doubtful
        on {{ equal_columns('doubtful', 'placed', ['measure', 'dimension']) }}
        and doubtful.month_start = {{ month_of('placed.date_day') }}
),

counted as (
    select
        {{ month | join(', ') }},
        member,
        count(*) as people,
        count(*) < {{ k_privacy() }} as hidden
    from respondents
    group by {{ month | join(', ') }}, member
),

{{ hide_another('counted', 'judged', month + ['member', 'people'], month, 'member', 'people') }}

select
    {{ columns_of('members', month + ['member']) }},
    coalesce(judged.hidden, false) as is_hidden
from members
left join judged on {{ equal_columns('judged', 'members', month + ['member']) }}
