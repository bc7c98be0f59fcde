{#-
    How many records found their customer, day by day and over the last 28 days, and what was usual before. What lives here: the
    rates, and which of them are of too few people. Not here: the records behind them (int_data_health__matching), what the rates
    are held against (mart_data_health).

    Streams of few records a day show only over many days whether they find anybody. In steps of ten, or the difference of two
    days would show a day that is hidden; that none was found says nothing of anybody.
-#}
{{ config(
    touched_key=['date_day'],
    touches=['measure'],
    touched_by="{{ touched_match_days() }}"
) }}

with night as (
    select as_of from {{ night() }}
),

{#- Days of too few customers are not shown, and no median is made of them. #}
matching as (
    select
        {{ date_of_key('date_key') }} as date_day,
        object,
        source,
        records,
        linkable,
        matched,
        named,
        found,
        few_people,
        people < {{ k_privacy() }} as is_hidden,
        round({{ percent_value('matched', 'linkable') }}, 4) as value
    from {{ ref('int_data_health__matching') }}
),

match_days as (
    select
        matching.date_day,
        matching.object,
        matching.source,
        matching.records,
        matching.linkable,
        matching.matched,
        matching.is_hidden,
        matching.value
    from matching
    cross join night
    where matching.date_day <= night.as_of and {{ is_touched(['matching.date_day']) }}
),

windows as (
    select
        match_days.date_day,
        match_days.object,
        match_days.source,
        cast(sum(window_days.named) as bigint) as named,
        cast(sum(window_days.found) as bigint) as found
    from match_days
    inner join matching as window_days
        on window_days.object = match_days.object
        and window_days.source = match_days.source
        and window_days.date_day between {{ plus_days('match_days.date_day', '1 - ' ~ match_days()) }} and match_days.date_day
    group by match_days.date_day, match_days.object, match_days.source
),

window_people as (
    select date_day, object, source, count(distinct person) as people
    from (
        select match_days.date_day, match_days.object, match_days.source, unnest(window_days.few_people) as person
        from match_days
        inner join matching as window_days
            on window_days.object = match_days.object
            and window_days.source = match_days.source
            and window_days.date_day between {{ plus_days('match_days.date_day', '1 - ' ~ match_days()) }} and match_days.date_day
    ) as listed
    group by date_day, object, source
),

usual as (
    select
        date_day,
        object,
        source,
        known_days,
        cast({{ quantile_value('sorted_values', 'known_days', 0.5) }} as double) as median
    from (
        select
            match_days.date_day,
            match_days.object,
            match_days.source,
            count(*) as known_days,
            {{ sorted_values('earlier.value') }} as sorted_values
        from match_days
        inner join matching as earlier
            on earlier.object = match_days.object
            and earlier.source = match_days.source
            and earlier.date_day between {{ plus_days('match_days.date_day', '-' ~ match_days()) }} and {{ plus_days('match_days.date_day', -1) }}
        where earlier.value is not null and not earlier.is_hidden
        group by match_days.date_day, match_days.object, match_days.source
    ) as listed
)

select
    match_days.date_day,
    match_days.source,
    match_days.object as stream,
    'match_rate' as measure,
    cast(match_days.value as double) as value,
    cast(match_days.matched as double) as numerator,
    cast(match_days.linkable as double) as denominator,
    cast(match_days.records as bigint) as n,
    case when usual.known_days >= {{ match_least_days() }} and match_days.linkable > 0 then usual.median end as usual,
    match_days.is_hidden
from match_days
left join usual
    on usual.date_day = match_days.date_day
    and usual.object = match_days.object
    and usual.source = match_days.source
union all
select
    windows.date_day,
    windows.source,
    windows.object,
    'named_found_28',
    cast(10.0 * ceil(10.0 * windows.found / windows.named) as double),
    null,
    null,
    windows.named,
    null,
    windows.found > 0 and window_people.people < {{ k_privacy() }}
from windows
inner join window_people
    on window_people.date_day = windows.date_day
    and window_people.object = windows.object
    and window_people.source = windows.source
where windows.named > 0
