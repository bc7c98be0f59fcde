{{ config(incremental_strategy='append') }}

{#-
    What each night moved between customers. What lives here: the log, by the night in which we saw it; so it depends on the
    nights there were, and starts anew with a version built from nothing. Not here: who is whom now (map_customer_identity).
-#}
with
{%- if is_incremental() %}
known as (
    select contact_key, arg_max(after_key, night) as customer_key
    from {{ this }}
    group by contact_key
),
{%- endif %}

compared as (
    select
        identity.contact_key,
        {% if is_incremental() %}known.customer_key{% else %}cast(null as bigint){% endif %} as before_key,
        identity.customer_key as after_key
    from {{ ref('map_customer_identity') }} as identity
    {% if is_incremental() %}left join known on known.contact_key = identity.contact_key{% endif %}
),

{#- Whose records all went the same way, and who has records of one origin only; new records do not count. #}
origins as (
    select
        contact_key,
        before_key,
        after_key,
        min(after_key) over (partition by before_key) = max(after_key) over (partition by before_key) as is_whole,
        min(before_key) over (partition by after_key) = max(before_key) over (partition by after_key) as is_pure
    from compared
)

select
    night.night,
    night.as_of,
    origins.contact_key,
    origins.before_key,
    origins.after_key,
    case
        when coalesce(origins.before_key, -1) = -1 then 'new'
        when origins.after_key = -1 then 'left'
        when origins.is_whole then 'merged'
        when origins.is_pure then 'split'
        else 'moved'
    end as kind
from origins
cross join {{ night() }} as night
where coalesce(origins.before_key, -1) <> origins.after_key
