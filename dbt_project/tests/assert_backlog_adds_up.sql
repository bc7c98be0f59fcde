-- opening + created + reopened - solved - removed = closing, and a day opens with what the day before left.
with days as (
    select
        date_key,
        channel,
        opening,
        created,
        reopened,
        solved,
        removed,
        closing,
        lag(closing, 1, 0) over (partition by channel order by date_key) as left_before
    from {{ ref('fct_ticket_backlog_daily') }}
)

select date_key, channel
from days
where opening + created + reopened - solved - removed <> closing or opening <> left_before or closing < 0
