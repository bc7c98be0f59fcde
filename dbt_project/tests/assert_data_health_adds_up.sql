-- What the extracts show is what the gate counted of all batches up to the business date; a figure without a bound has no verdict, and a sentence is
-- made of names.
select 'batches' as problem
from (
    select coalesce(sum(batches.rows), 0) as rows, coalesce(sum(batches.quarantined), 0) as quarantined
    from {{ source('night', 'batches') }} as batches
    cross join {{ night() }} as night
    where batches.extract_date <= night.as_of
) as counted
cross join (
    select
        coalesce(sum(case when measure = 'accepted_rows' then value end), 0) as rows,
        coalesce(sum(case when measure = 'quarantined_share' then numerator end), 0) as quarantined
    from {{ ref('mart_data_health') }}
) as shown
where counted.rows <> shown.rows or counted.quarantined <> shown.quarantined
union all
select 'row'
from {{ ref('mart_data_health') }}
where
    status not in ('ok', 'warn', 'fail', 'info')
    or (status in ('ok', 'warn', 'fail') and (value is null or threshold is null))
    or (area <> 'approval' and message like '%@%')
    or numerator > denominator
