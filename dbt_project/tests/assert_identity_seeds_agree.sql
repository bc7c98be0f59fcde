-- What people decided does not contradict itself: no pair is kept apart that merges join. The rules stand on the levels the
-- graph knows, and the first of them where they say what one customer is.
with overrides as (
    {{ known_overrides() }}
)

select 'kept apart and merged' as problem, cast(overrides.node_a as varchar) as subject
from overrides
inner join {{ ref('int_identity__component') }} as one on one.node_key = overrides.node_a
inner join {{ ref('int_identity__component') }} as other on other.node_key = overrides.node_b
where overrides.action = 'keep_apart' and one.level_1 = other.level_1
union all
select 'unknown action', action from {{ ref('identity_overrides') }} where coalesce(action not in ('merge', 'keep_apart'), true)
union all
select 'without author or reason', source_a || ' ' || record_a from {{ ref('identity_overrides') }} where author is null or reason is null
union all
select 'levels are not 1 to {{ identity_levels() }}', cast(count(*) as varchar)
from {{ ref('identity_rules') }}
where rule_order is not null
having
    count(*) <> {{ identity_levels() }} or count(distinct rule_order) <> {{ identity_levels() }}
    or min(rule_order) <> 1 or max(rule_order) <> {{ identity_levels() }}
union all
select 'moved', rule
from {{ ref('identity_rules') }}
where rule_order <> case rule when 'manual_merge' then 1 when 'vendor_merge' then 2 when 'email_and_name' then 3 when 'phone_name_and_account' then 4 end
union all
select 'unknown kind', kind
from {{ ref('identity_exclusions') }}
where kind not in ('role_account', 'placeholder', 'public_domain', 'email', 'phone')
