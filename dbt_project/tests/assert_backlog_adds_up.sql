-- opening + created + reopened - solved - removed = closing = the sum of its ages, and a day opens with what the day before left.
-- A day that is missing left nothing.
with days as (
    select
        date_key,
        date_day,
        channel,
        opening,
        created,
        reopened,
        solved,
        removed,
        closing,
        least(aged_0_1, aged_1_3, aged_3_7, aged_7_14, aged_14_plus) as fewest,
        aged_0_1 + aged_1_3 + aged_3_7 + aged_7_14 + aged_14_plus as aged,
        lag(closing, 1, 0) over (partition by channel, team, priority order by date_key) as left_before,
        lag(date_day) over (partition by channel, team, priority order by date_key) as day_before
    from {{ ref('fct_ticket_backlog_daily') }}
)

select date_key, channel
from days
where
    opening + created + reopened - solved - removed <> closing
    or opening <> left_before
    or closing < 0
    or aged <> closing
    or fewest < 0
    or (opening <> 0 and day_before is distinct from {{ plus_days('date_day', -1) }})
