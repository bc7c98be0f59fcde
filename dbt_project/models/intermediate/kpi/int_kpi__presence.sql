{#-
    Who is behind a state, and since when. What lives here: the days on which somebody comes to be behind it, with their first record
    of a member, and on which they leave it, with their last. Not here: what the records add (int_kpi__day).
-#}
{{ config(
    touched_key=['measure', 'respondent'],
    touches=['date_day'],
    touched_by="select measure, respondent from ({{ moved_kpi_records(['measure', 'is_state', 'respondent']) }}) as records where is_state"
) }}

{%- set columns = ['measure', 'respondent', 'date_day', 'responses'] %}

with records as (
    {{ all_kpi_records(columns + kpi_dimensions(), 'is_state and date_day is not null and ' ~ is_touched(['measure', 'respondent'])) }}
),

placed as (
    {{ placed_kpi_records('records', columns) }}
),

changes as (
    select
        measure,
        respondent,
        dimension,
        member,
        date_day,
        sum(responses) as change,
        sum(sum(responses)) over (
            partition by measure, respondent, dimension, member order by date_day rows unbounded preceding
        ) as records_now
    from placed
    group by measure, respondent, dimension, member, date_day
),

comings_and_goings as (
    select
        measure,
        respondent,
        dimension,
        member,
        date_day,
        case when records_now > 0 then 1 else 0 end - case when records_now - change > 0 then 1 else 0 end as people
    from changes
)

select measure, respondent, dimension, member, date_day, people
from comings_and_goings
where people <> 0
