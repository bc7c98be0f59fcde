{#-
    What the records of a day add up to, member by member: what every window is made of. What lives here: sums of one day, as whole
    numbers, so that adding them up in any order makes the same; durations as sorted lists. Days after the business date are here
    too, for they do not depend on it. Not here: windows (int_kpi__counted_cell, int_kpi__timed_cell).
-#}
{{ config(
    touched_key=['measure', 'date_day'],
    touches=['dimension', 'member', 'is_state'],
    touched_by="
        select measure, date_day from ({{ moved_kpi_records() }}) as records where date_day is not null
        union
        select measure, date_day from {{ touched('int_kpi__presence') }}
    "
) }}

{%- set key = ['measure', 'dimension', 'member', 'date_day', 'superseded_on', 'is_state'] %}

with measures as (
    {{ kpi_measures() }}
),

all_records as (
    {{ all_kpi_records(
        ['measure', 'date_day', 'superseded_on', 'is_state', 'respondent', 'positives', 'negatives', 'responses', 'total', 'minutes']
        + kpi_dimensions(),
        'date_day is not null and ' ~ is_touched(['measure', 'date_day'])
    ) }}
),

records as (
    select
        all_records.measure,
        all_records.date_day,
        case when not all_records.is_state then all_records.superseded_on end as superseded_on,
        all_records.is_state,
        all_records.positives,
        all_records.negatives,
        all_records.responses,
        coalesce(cast(round(all_records.total * measures.units_per_one) as decimal(19, 0)), 0) as units,
        all_records.minutes,
        measures.has_quantiles,
        {{ person_bit('all_records.respondent') }} as person_bit,
        {{ columns_of('all_records', kpi_dimensions()) }}
    from all_records
    inner join measures on measures.measure = all_records.measure
),

placed as (
    {{ placed_kpi_records('records', [
        'measure', 'date_day', 'superseded_on', 'is_state', 'positives', 'negatives', 'responses', 'units', 'minutes', 'has_quantiles',
        'person_bit'
    ]) }}
),

added as (
    select
        {{ key | join(', ') }},
        count(*) as records,
        {{ bits_of_people('person_bit') }} as people_bits,
        cast(sum(positives) as bigint) as positives,
        cast(sum(negatives) as bigint) as negatives,
        cast(sum(responses) as bigint) as responses,
        {{ sum_of_units('units') }} as total,
        {{ sum_of_squares('units') }} as squares,
        {{ sorted_values('minutes', where='has_quantiles') }} as sorted_minutes
    from placed
    group by {{ key | join(', ') }}
),

people as (
    select measure, dimension, member, date_day, cast(sum(people) as bigint) as people
    from {{ ref('int_kpi__presence') }}
    where {{ is_touched(['measure', 'date_day']) }}
    group by measure, dimension, member, date_day
)

select
    {{ columns_of('added', key) }},
    added.records,
    added.people_bits,
    added.positives,
    added.negatives,
    added.responses,
    added.total,
    added.squares,
    coalesce(people.people, 0) as people,
    added.sorted_minutes
from added
left join people on added.is_state and {{ equal_columns('people', 'added', ['measure', 'dimension', 'member', 'date_day']) }}
