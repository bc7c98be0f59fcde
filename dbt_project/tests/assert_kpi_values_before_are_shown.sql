-- A value one period before is the value of a row that is shown: what is hidden is not told one period later.
select compared.kpi_daily_key
from {{ ref('mart_kpi_daily') }} as compared
left join {{ ref('mart_kpi_daily') }} as earlier
    on {{ equal_columns('earlier', 'compared', ['kpi', 'period', 'dimension', 'member']) }}
    and earlier.date_day = {{ kpi_previous_day('compared.period', 'compared.date_day') }}
where
    coalesce(compared.previous_value, compared.difference, compared.difference_low, compared.difference_high) is not null
    and (earlier.is_suppressed is distinct from false or earlier.value is distinct from compared.previous_value)
