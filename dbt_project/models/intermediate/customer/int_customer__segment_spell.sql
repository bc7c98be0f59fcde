{#-
    In which segment a customer was on which days. What lives here: the segment of the month before a day; in the first
    month we know of, that month's own. Not here: which segment a month has (int_customer_month__segment).

    A KPI of March thus never changes because somebody buys more in June. The last spell has no end.
-#}
{{ config(
    touched_key=['customer_key'],
    touches=['segment', 'from_date', 'to_date'],
    touched_by="
        with months as (
            select customer_key, month_start from {{ touched('int_customer_month__standing') }}
            union
            select customer_key, month_start from {{ touched('int_customer_month__segment') }}
        ),
        now_known as (
            select standings.customer_key, standings.month_start, coalesce(segments.segment, 'unknown') as segment
            from months
            inner join {{ ref('int_customer_month__standing') }} as standings
                on standings.customer_key = months.customer_key
                and standings.month_start = months.month_start
            left join {{ ref('int_customer_month__segment') }} as segments
                on segments.customer_key = months.customer_key
                and segments.month_start = months.month_start
        ),
        so_far as (
            select spells.customer_key, months.month_start, spells.segment
            from months
            inner join {{ this }} as spells
                on spells.customer_key = months.customer_key
                and spells.from_date <= " ~ plus_months('months.month_start', 1) ~ "
                and spells.to_date >= " ~ plus_months('months.month_start', 1) ~ "
                and spells.first_month <= months.month_start
        )
        select customer_key from (select * from now_known except select * from so_far) as began
        union
        select customer_key from (select * from so_far except select * from now_known) as ended
        union
        select spells.customer_key from {{ this }} as spells
        inner join now_known on now_known.customer_key = spells.customer_key and now_known.month_start < spells.first_month
    "
) }}

with months as (
    select
        customer_key,
        month_start,
        segment,
        lag(segment) over (partition by customer_key order by month_start) as segment_before,
        min(month_start) over (partition by customer_key) as first_month
    from (
        select standings.customer_key, standings.month_start, coalesce(segments.segment, 'unknown') as segment
        from {{ ref('int_customer_month__standing') }} as standings
        left join {{ ref('int_customer_month__segment') }} as segments
            on segments.customer_key = standings.customer_key
            and segments.month_start = standings.month_start
        where {{ is_touched(['standings.customer_key']) }}
    ) as told
),

beginnings as (
    select
        customer_key,
        segment,
        first_month,
        case when segment_before is null then month_start else {{ plus_months('month_start', 1) }} end as from_date
    from months
    where segment_before is null or segment <> segment_before
    union all
    select distinct customer_key, 'unknown', first_month, cast('0001-01-01' as date) from months
)

select
    customer_key,
    segment,
    first_month,
    from_date,
    coalesce(
        {{ plus_days('lead(from_date) over (partition by customer_key order by from_date)', -1) }}, cast('9999-12-31' as date)
    ) as to_date
from beginnings
