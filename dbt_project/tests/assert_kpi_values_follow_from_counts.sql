-- A value is what its counts say, a hidden row shows nothing, and an interval has its ends in order.
select kpi_daily_key
from {{ ref('mart_kpi_daily') }}
where
    (is_suppressed and coalesce(numerator, denominator, n, value, ci_low, ci_high) is not null)
    or (is_suppressed and dimension = 'all')
    or (not is_suppressed and (n is null or value is null))
    or (method in ('adjusted_wald', 'wilson') and not is_suppressed and abs(value - 100.0 * numerator / denominator) > 0.0001)
    or (method <> 'count' and denominator <> n)
    or abs(numerator) > denominator
    or ci_low > ci_high
