{#-
    What the batches say of the health of their streams, day by day. What lives here: how old, how complete and how clean each stream
    is, and what the gate found. Not here: what these figures are held against (mart_data_health).

    A day says what is known of it now: a late extract mends the days it was missing on.
-#}
{{ config(
    touched_key=['date_day'],
    touches=['measure'],
    touched_by="{{ touched_batch_days() }}"
) }}

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
    ('touched_batches', 'texts_hidden', 'texts_hidden', 'texts_hidden', 'null', 'rows', 'texts_hidden is not null'),
] %}

with night as (
    select as_of from {{ night() }}
),

hidden_texts as (
    select batch_id, cast(sum(texts) as bigint) as texts, {{ dbt.listagg("column_name || ' ' || texts", "', '", 'order by column_name') }} as said
    from {{ source('night', 'hidden_texts') }}
    group by batch_id
),

batches as (
    select
        batches.source, batches.stream,
        batches.extract_date,
        batches.rows,
        batches.quarantined,
        batches.records,
        batches.checks_passed,
        batches.checks_warned,
        batches.checks_failed,
        batches.checks_passed + batches.checks_warned + batches.checks_failed as checks_run,
        batches.warned,
        hidden_texts.texts as texts_hidden,
        hidden_texts.said as hidden,
        {{ local_date('batches.newest_at') }} as newest_on
    from {{ source('night', 'batches') }} as batches
    left join hidden_texts on hidden_texts.batch_id = batches.batch_id
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
    select min(batches.extract_date) as first_day, max(night.as_of) as last_day
    from batches
    cross join night
),

days as (
    {{ days_between('bounds', 'first_day', 'last_day') }}
),

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
    where {{ is_touched(['days.date_day']) }}
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
        checks_run,
        warned,
        texts_hidden,
        hidden
    from batches
    cross join night
    where extract_date <= night.as_of and {{ is_touched(['extract_date']) }}
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
){{ ',' if not loop.last }}
{%- endfor %}

{% for relation, measure, value, numerator, denominator, n, condition in figures -%}
select
    date_day, source, stream,
    '{{ measure }}' as measure,
    cast({{ value }} as double) as value,
    cast({{ numerator }} as double) as numerator,
    cast({{ denominator }} as double) as denominator,
    cast({{ n }} as bigint) as n,
    {{ {'checks_warned': "nullif(warned, '')", 'texts_hidden': 'hidden'}.get(measure, 'cast(null as varchar)') }} as said
from {{ relation }}
where {{ condition }}
{{ 'union all' if not loop.last }}
{% endfor %}
