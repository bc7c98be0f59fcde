{#-
    How long people take to go on, cell by cell of the journey map. What lives here: the median and the ninth decile of the minutes
    to the next step. Not here: whose minutes (int_journey_map__customer, int_journey_map__journey), counts (int_journey_map__flow).

    A quantile cannot be kept up by adding, so a cell in which a time came or went is put in order again.
-#}
{{ config(
    touched_key=map_cell(),
    touched_by="{{ touched_map_times() }}"
) }}

{%- set place = map_cell()[:-1] | join(', ') %}

with went_on as (
    {{ seconds_to_go_on(ref('int_journey_map__customer'), ref('int_journey_map__journey')) }}
),

at_touched_places as (
    select * from went_on where {{ is_at_touched_place('went_on') }}
),

in_all as (
    select
        {{ place }},
        case when grouping(segment) = 1 then 'all' else segment end as segment,
        {{ quantiles_of('seconds', [0.5, 0.9]) }} as seconds
    from at_touched_places
    group by grouping sets (({{ place }}), ({{ place }}, segment))
),

final as (
    select
        {{ place }}, segment,
        {#- Rounded, for the last bits are the processor's: between whole seconds lie tenths at most. #}
        round({{ order_statistic('seconds', 1) }}, 3) / 60.0 as minutes_p50,
        round({{ order_statistic('seconds', 2) }}, 3) / 60.0 as minutes_p90
    from in_all
    where {{ is_touched(map_cell()) }}
)

select * from final
