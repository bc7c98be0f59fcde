-- Before anything is hidden, the members of a dimension add up to the whole: no record is lost, none counted twice.
with sums as (
    select
        kpi,
        date_day,
        period,
        dimension,
        sum(numerator) as numerator,
        sum(abs(numerator)) as magnitude,
        sum(denominator) as denominator,
        sum(n) as n
    from {{ ref('int_kpi__cell') }}
    group by kpi, date_day, period, dimension
)

select members.kpi, members.date_day, members.period, members.dimension
from sums as members
inner join sums as whole
    on whole.kpi = members.kpi
    and whole.date_day = members.date_day
    and whole.period = members.period
    and whole.dimension = 'all'
where
    members.dimension <> 'all'
    and (
        -- Figures are doubles, which hold 15 digits of the largest that is added.
        abs(coalesce(members.numerator, 0) - coalesce(whole.numerator, 0)) > greatest(0.01, coalesce(members.magnitude, 0) * 1e-12)
        or members.denominator is distinct from whole.denominator
        or members.n <> whole.n
    )
