{#-
    Of those active a year before, how many had left by the end of a month. What lives here: these counts, by the segment of the year
    before, or loyal segments could lose nobody. Not here: how long those who are here will stay (fct_customer_month).
-#}
{{ config(
    touched_key=['month_start'],
    touches=['segment'],
    touched_by="
        with moved as (
            select month_start from {{ touched('int_customer_month__standing') }}
            union
            select month_start from {{ touched('int_customer_month__segment') }}
        )
        select month_start from moved
        union
        select " ~ plus_months('month_start', 12) ~ " from moved
    "
) }}

select
    after.month_start,
    segments.segment,
    count(*) as could_have_left,
    count(case when not after.is_active then 1 end) as left_in_a_year
from {{ ref('int_customer_month__standing') }} as after
inner join {{ ref('int_customer_month__standing') }} as before
    on before.customer_key = after.customer_key
    and before.month_start = {{ plus_months('after.month_start', -12) }}
inner join {{ ref('int_customer_month__segment') }} as segments
    on segments.customer_key = before.customer_key
    and segments.month_start = before.month_start
where before.is_active and {{ is_touched(['after.month_start']) }}
group by after.month_start, segments.segment
