{#-
    The flow of the journey map, cell by cell. What lives here: how many entered a step, how many people they are, how many went
    on. Not here: who (int_journey_map__customer, int_journey_map__journey), how long they took (int_journey_map__time).

    Kept up by difference: what came since last night is added, what went is taken off. All are whole numbers, so the sums are
    those of all rows.
-#}
{{ config(
    touched_key=map_cell(),
    touched_by="{{ touched_map_flow() }}"
) }}

{%- set whole = map_cell()[:-1] | join(', ') -%}
{%- set cell = map_cell() | join(', ') -%}
{%- set flags = {'progressed': 'is_progressed', 'dropped': 'is_dropped', 'still_open': 'is_open'} %}

{#- In the whole journey a row is all there is of a customer in a cell. -#}
with customers as (
    select
        'customer' as journey, period_key, step_order, touchpoint_key, segment,
        {%- for count, flag in flags.items() %}
        sum(case when {{ flag }} then _weight else 0 end) as {{ count }},
        {%- endfor %}
        sum(_weight) as entered,
        sum(_weight) as customers
    from ({{ changes_of('int_journey_map__customer') }}) as changes
    group by period_key, step_order, touchpoint_key, segment
),

{#- A person may have several journeys in a cell, and counts once. -#}
people as (
    select
        {{ cell }}, respondent,
        {%- for count, flag in flags.items() %}
        sum(case when {{ flag }} then _weight else 0 end) as {{ count }},
        {%- endfor %}
        sum(_weight) as entered
    from ({{ changes_of('int_journey_map__journey') }}) as changes
    group by {{ cell }}, respondent
),

{%- if is_incremental() %}

people_now as (
    select {{ cell }}, respondent, count(*) as journeys
    from {{ ref('int_journey_map__journey') }} as journeys
    where exists (select 1 from people where {{ equal_columns('people', 'journeys', map_cell() + ['respondent']) }})
    group by {{ cell }}, respondent
),

counted_people as (
    select
        people.*,
        case when people_now.journeys > 0 then 1 else 0 end
        - case when coalesce(people_now.journeys, 0) > people.entered then 1 else 0 end as customers
    from people
    left join people_now on {{ equal_columns('people_now', 'people', map_cell() + ['respondent']) }}
),
{%- else %}

counted_people as (
    select *, 1 as customers from people
),
{%- endif %}

journeys as (
    select
        {{ cell }},
        {%- for count in flags %}
        sum({{ count }}) as {{ count }},
        {%- endfor %}
        sum(entered) as entered,
        sum(customers) as customers
    from counted_people
    group by {{ cell }}
),

added as (
    select * from customers
    union all by name
    select * from journeys
),

summed as (
    select * from added
    union all by name
    select * replace ('all' as segment) from added
    {%- if is_incremental() %}
    union all by name
    select * from {{ this }} where {{ is_touched(map_cell()) }}
    {%- endif %}
),

final as (
    select
        {{ cell }}
        {%- for count in ['entered', 'customers'] + (flags | list) %},
        cast(sum({{ count }}) as bigint) as {{ count }}
        {%- endfor %}
    from summed
    group by {{ cell }}
    having sum(entered) <> 0
)

select * from final
