{#-
    How healthy the data behind the numbers is, day by day. What lives here: every measure of the seed health_thresholds, held
    against its bounds. Not here: what the gate asks of an extract (quality/), the audit of the finished marts (a version's
    manifest has its outcome: it judges this mart too).

    Everything but the log of definitions and what people approved follows from the batches and the business date, so a late extract mends the days it was
    missing on. A day says what is known of it now, not what was known then.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['date_day', 'area'],
    touched_by="{{ touched_health_days() }}"
) }}

-- depends_on: {{ ref('int_data_health__matching') }}
with night as (
    select as_of from {{ night() }}
),

batches as (
    select
        source,
        stream,
        extract_date,
        rows,
        quarantined,
        records,
        checks_passed,
        checks_warned,
        checks_failed,
        checks_passed + checks_warned + checks_failed as checks_run,
        {{ local_date('newest_at') }} as newest_on
    from {{ source('night', 'batches') }}
),

{#- What is known of a stream from one of its extracts to the day before the next. #}
spells as (
    select
        source,
        stream,
        extract_date,
        lead(extract_date) over (partition by source, stream order by extract_date) as next_extract_date,
        min(extract_date) over (partition by source, stream) as first_extract_date,
        max(newest_on) over running as newest_on,
        count(*) over running as extracts,
        cast(sum(quarantined) over running as bigint) as quarantined_open
    from batches
    window running as (partition by source, stream order by extract_date rows unbounded preceding)
),

bounds as (
    select
        min(batches.extract_date) as first_day,
        max(night.as_of) as last_day
    from batches
    cross join night
),

days as (
    {{ days_between('bounds', 'first_day', 'last_day') }}
),

{#- The areas made of batches move together. #}
stream_days as (
    select
        days.date_day,
        spells.source,
        spells.stream,
        spells.extract_date,
        spells.first_extract_date,
        spells.newest_on,
        spells.extracts,
        spells.quarantined_open
    from days
    inner join spells
        on spells.extract_date <= days.date_day
        and (spells.next_extract_date > days.date_day or spells.next_extract_date is null)
    where {{ is_touched(['days.date_day', "'freshness'"]) }}
),

touched_batches as (
    select
        extract_date as date_day,
        source,
        stream,
        rows,
        quarantined,
        rows + quarantined as judged,
        records,
        checks_passed,
        checks_warned,
        checks_failed,
        checks_run
    from batches
    cross join night
    where extract_date <= night.as_of and {{ is_touched(['extract_date', "'freshness'"]) }}
),

{%- for window_days in [28, 90] %}

missing_{{ window_days }} as (
    select
        stream_days.date_day,
        stream_days.source,
        stream_days.stream,
        least({{ dbt.datediff('stream_days.first_extract_date', 'stream_days.date_day', 'day') }} + 1, {{ window_days }}) as expected,
        stream_days.extracts - coalesce(spells.extracts, 0) as present
    from stream_days
    left join spells
        on spells.source = stream_days.source
        and spells.stream = stream_days.stream
        and spells.extract_date <= {{ plus_days('stream_days.date_day', -window_days) }}
        and (spells.next_extract_date > {{ plus_days('stream_days.date_day', -window_days) }} or spells.next_extract_date is null)
),
{%- endfor %}

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
    where matching.date_day <= night.as_of and {{ is_touched(['matching.date_day', "'match_rate'"]) }}
),

{#-
    Streams of few records a day show only over many days whether they find anybody. In steps of ten, or the difference of two
    days would show a day that is hidden; that none was found says nothing of anybody.
#}
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

named_found as (
    select
        windows.date_day,
        windows.object,
        windows.source,
        windows.named,
        10.0 * ceil(10.0 * windows.found / windows.named) as value,
        windows.found > 0 and window_people.people < {{ k_privacy() }} as is_hidden
    from windows
    inner join window_people
        on window_people.date_day = windows.date_day
        and window_people.object = windows.object
        and window_people.source = windows.source
    where windows.named > 0
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
),

utilisation as (
    select
        month_start,
        source_type,
        items,
        linked,
        themed,
        responded,
        actioned,
        used,
        is_suppressed
    from {{ ref('mart_feedback_utilisation') }}
    where {{ is_touched(['month_start', "'feedback_utilisation'"]) }}
),

definitions as (
    select
        as_of,
        kind,
        name,
        change,
        count(*) as changes
    from {{ source('night', 'definition_changes') }}
    where {{ is_touched(['as_of', "'definition'"]) }}
    group by as_of, kind, name, change
),

approvals as (
    select
        extract_date,
        source,
        stream,
        count(*) as approvals,
        {{ dbt.listagg("approved_by || ' on ' || approved_on || ' (' || checks || '): ' || because", "'; '", 'order by approved_on, checks, approved_by, because') }} as said
    from {{ source('night', 'approvals') }}
    where {{ is_touched(['extract_date', "'approval'"]) }}
    group by extract_date, source, stream
),

{#- Every figure in one shape. `usual` is the median it is held against, where there is one. #}
measured as (
    {%- set figures = [
        ('stream_days', 'days_since_extract', dbt.datediff('extract_date', 'date_day', 'day'), 'null', 'null', 'extracts', 'true'),
        ('stream_days', 'days_since_newest_record', 'greatest(' ~ dbt.datediff('newest_on', 'date_day', 'day') ~ ', 0)', 'null', 'null', 'extracts', 'newest_on is not null'),
        ('missing_28', 'missing_extracts_28', 'expected - present', 'expected - present', 'expected', 'expected', 'true'),
        ('missing_90', 'missing_extracts_90', 'expected - present', 'expected - present', 'expected', 'expected', 'true'),
        ('stream_days', 'quarantined_open', 'quarantined_open', 'null', 'null', 'extracts', 'true'),
        ('touched_batches', 'landed_records', 'records', 'null', 'null', 'records', 'records is not null'),
        ('touched_batches', 'accepted_rows', 'rows', 'rows', 'judged', 'judged', 'true'),
        ('touched_batches', 'quarantined_share', percent_value('quarantined', 'judged'), 'quarantined', 'judged', 'judged', 'true'),
        ('touched_batches', 'checks_passed', percent_value('checks_passed', 'checks_run'), 'checks_passed', 'checks_run', 'checks_run', 'checks_run is not null'),
        ('touched_batches', 'checks_warned', 'checks_warned', 'checks_warned', 'checks_run', 'checks_run', 'checks_run is not null'),
        ('touched_batches', 'checks_failed', 'checks_failed', 'checks_failed', 'checks_run', 'checks_run', 'checks_run is not null'),
    ] %}
    {%- for relation, measure, value, numerator, denominator, n, condition in figures %}
    select
        date_day,
        source,
        stream,
        '{{ measure }}' as measure,
        cast({{ value }} as double) as value,
        cast({{ numerator }} as double) as numerator,
        cast({{ denominator }} as double) as denominator,
        cast({{ n }} as bigint) as n,
        cast(null as double) as usual,
        false as is_hidden
    from {{ relation }}
    where {{ condition }}
    union all
    {%- endfor %}
    select
        match_days.date_day,
        match_days.source,
        match_days.object,
        'match_rate',
        match_days.value,
        cast(match_days.matched as double),
        cast(match_days.linkable as double),
        match_days.records,
        case when usual.known_days >= {{ match_least_days() }} and match_days.linkable > 0 then usual.median end,
        match_days.is_hidden
    from match_days
    left join usual
        on usual.date_day = match_days.date_day
        and usual.object = match_days.object
        and usual.source = match_days.source
    union all
    select
        date_day,
        source,
        object,
        'named_found_28',
        cast(value as double),
        cast(null as double),
        cast(null as double),
        named,
        cast(null as double),
        is_hidden
    from named_found
    union all
    {%- for part in ['linked', 'themed', 'responded', 'actioned', 'used'] %}
    select
        month_start,
        'feedback',
        source_type,
        'feedback_{{ part }}',
        cast({{ percent_value(part, 'items') }} as double),
        cast({{ part }} as double),
        cast(items as double),
        items,
        cast(null as double),
        is_suppressed
    from utilisation
    union all
    {%- endfor %}
    select
        extract_date,
        source,
        stream,
        'approved',
        cast(approvals as double),
        cast(null as double),
        cast(null as double),
        approvals,
        cast(null as double),
        false
    from approvals
    union all
    select
        as_of,
        kind,
        name,
        'definition_' || change,
        cast(changes as double),
        cast(null as double),
        cast(null as double),
        changes,
        cast(null as double),
        false
    from definitions
),

held as (
    select
        measured.date_day,
        thresholds.area,
        measured.source,
        measured.stream,
        measured.measure,
        thresholds.unit,
        thresholds.wording,
        thresholds.advice,
        thresholds.direction,
        measured.is_hidden,
        case when not measured.is_hidden then round(measured.value, 4) end as value,
        case when not measured.is_hidden then measured.numerator end as numerator,
        case when not measured.is_hidden then measured.denominator end as denominator,
        case when not measured.is_hidden then measured.n end as n,
        case when not measured.is_hidden then measured.usual end as usual,
        {#- One row of three is no third of the rows, but none of three is none: worth a look. #}
        {%- for bound in ['warn', 'fail'] %}
        case
            when
                thresholds.direction <> 'near_median'
                and (
                    thresholds.unit <> 'percent'
                    or measured.n >= {{ n_low() }}
                    {%- if bound == 'warn' %}
                    or (thresholds.direction = 'higher_is_better' and measured.value = 0)
                    {%- endif %}
                )
                then thresholds.{{ bound }}
        end as {{ bound }},
        {%- endfor %}
        case when not measured.is_hidden then round({{ match_band('measured.usual', 'measured.denominator', 'thresholds.warn') }}, 4) end as warn_band,
        case when not measured.is_hidden then round({{ match_band('measured.usual', 'measured.denominator', 'thresholds.fail') }}, 4) end as fail_band
    from measured
    inner join {{ ref('health_thresholds') }} as thresholds on thresholds.measure = measured.measure
),

{#- A rate that rises is good news: a source that knows the people was added, or people are known by now. #}
judged as (
    select
        date_day,
        area,
        source,
        stream,
        measure,
        wording,
        advice,
        unit,
        value,
        numerator,
        denominator,
        n,
        is_hidden,
        case when usual is not null then greatest(round(usual - warn_band, 4), 0) else warn end as threshold,
        case
            when value is null or coalesce(usual, warn, fail) is null then 'info'
            when usual - value > fail_band or {{ is_past('value', 'fail', 'direction') }} then 'fail'
            when usual - value > warn_band or {{ is_past('value', 'warn', 'direction') }} then 'warn'
            else 'ok'
        end as status
    from held
),

final as (
    select
        {{ surrogate_key(['judged.date_day', 'judged.area', 'judged.source', 'judged.stream', 'judged.measure']) }} as data_health_key,
        judged.date_day,
        judged.area,
        judged.source,
        judged.stream,
        judged.measure,
        judged.value,
        judged.unit,
        judged.numerator,
        judged.denominator,
        judged.n,
        judged.threshold,
        judged.status,
        judged.wording || ' of ' || judged.source || '/' || judged.stream || ': ' || case
            when approvals.said is not null then approvals.said
            when warned.warned <> '' then warned.warned
            when judged.is_hidden then 'hidden, too few people'
            when judged.value is null then 'nothing to measure'
            when judged.status = 'ok' then 'as it should be'
            when judged.status = 'warn' then 'worth a look'
            when judged.status = 'fail' then 'not as it should be'
            else 'for information'
        end || case when status in ('warn', 'fail') and advice is not null then ': ' || advice else '' end || '.' as message
    from judged
    left join {{ source('night', 'batches') }} as warned
        on judged.measure = 'checks_warned'
        and warned.extract_date = judged.date_day
        and warned.source = judged.source
        and warned.stream = judged.stream
    left join approvals
        on judged.measure = 'approved'
        and approvals.extract_date = judged.date_day
        and approvals.source = judged.source
        and approvals.stream = judged.stream
    union all
    select
        {{ surrogate_key(['left_out.month_start', "'left_out'", 'left_out.source', 'left_out.stream', 'left_out.part', 'left_out.reason']) }},
        left_out.month_start,
        thresholds.area,
        left_out.source,
        left_out.stream,
        left_out.reason || case when left_out.part <> '' then ': ' || left_out.part else '' end,
        round(left_out.largest_share, 4),
        thresholds.unit,
        cast(null as double),
        cast(null as double),
        left_out.records,
        thresholds.warn,
        case when {{ is_past('left_out.largest_share', 'thresholds.warn', 'thresholds.direction') }} then 'warn' else 'info' end,
        left_out.message
    from {{ ref('int_data_health__left_out') }} as left_out
    inner join {{ ref('health_thresholds') }} as thresholds on thresholds.area = 'left_out'
    where {{ is_touched(['left_out.month_start', "'left_out'"]) }}
)

select * from final
