-- A value is what its counts say, a hidden row shows nothing, and an interval has its ends in order.
select kpi_daily_key
from {{ ref('mart_kpi_daily') }}
where
    (is_suppressed and coalesce(numerator, denominator, n, value, ci_low, ci_high, previous_value, difference, difference_low) is not null)
    or (is_suppressed and dimension = 'all' and kpi <> 'enps')
    or (not is_suppressed and n is null)
    or (not is_suppressed and value is null and denominator > 0)
    or (method in ('adjusted_wald', 'wilson') and abs(value - 100.0 * numerator / denominator) > 0.0001)
    or (method in ('adjusted_wald', 'wilson', 'mean', 'order_statistics') and denominator <> n)
    or (method in ('adjusted_wald', 'wilson') and abs(numerator) > denominator)
    or ci_low > ci_high
    or difference_low > difference_high
