-- No customer has more records than one person has, merged ones counted as one; nor records that a person keeps apart; nor
-- a key that is not one of its records.
with overrides as (
    {{ known_overrides() }}
)

select 'too many records' as problem, customer_key
from {{ ref('map_customer_identity') }}
where customer_key <> -1 and unmerged_records > {{ largest_cluster() }}
union all
select 'kept apart, yet one', one.customer_key
from overrides
inner join {{ ref('map_customer_identity') }} as one on one.contact_key = overrides.node_a
inner join {{ ref('map_customer_identity') }} as other on other.contact_key = overrides.node_b
where overrides.action = 'keep_apart' and one.customer_key = other.customer_key and one.customer_key <> -1
union all
select 'a key that is nobody''s', records.customer_key
from {{ ref('map_customer_identity') }} as records
left join {{ ref('map_customer_identity') }} as oldest on oldest.contact_key = records.customer_key
where records.customer_key <> -1 and oldest.customer_key is distinct from records.customer_key
