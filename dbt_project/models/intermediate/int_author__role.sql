{#-
    Who is a customer and who is one of us, since when. What lives here: the roles that the dated versions of users, agents and
    contacts tell. Not here: what somebody did in a role (int_ticket_event__unioned), teams and tiers (dim_agent).

    What somebody is today says nothing of what they were when they wrote: an agent who leaves was an agent. What is first told
    of somebody holds from the beginning, and `first_told_at` says from when on it is more than that. Whether an agent is a
    machine is no matter of time: the newest roster says it of all their days.
-#}
{{ config(
    touched_key=['source', 'author_id'],
    touched_by="
        {{ new_rows('stg_zendesk__users', ['_source', 'user_id']) }}
        union {{ new_rows('stg_canonical__agent', ['_source', 'agent_id']) }}
        union {{ new_rows('stg_canonical__contact', ['_source', 'contact_id']) }}
        union
        select users._source, users.user_id from {{ ref('stg_zendesk__users') }} as users
        where users.user_id in ({{ new_rows('stg_canonical__agent', ['agent_id']) }})
    "
) }}

{%- set newest_first = '_extract_date desc, _file desc nulls last, _row desc nulls last' %}

with rosters as (
    {{ newest_versions('stg_canonical__agent', ['agent_id'], ['is_automated'], where='true') }}
),

{#- The help desk does not say which of its agents are bots; a roster in the canonical extract may, by the same id. -#}
bots as (
    select _source, agent_id
    from rosters
    where is_automated and not is_vanished
),

{#- At one instant a roster of agents says more than a list of contacts, and the version delivered last more than others. -#}
told as (
    select
        _source,
        user_id as author_id,
        'zendesk' as system,
        case when role in ('agent', 'admin') then 'agent' else 'customer' end as role,
        _version_at as told_at,
        row_number() over (partition by _source, user_id, _version_at order by {{ newest_first }}) as recency
    from {{ ref('stg_zendesk__users') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'user_id']) }}
    union all
    select
        _source,
        agent_id,
        'roster',
        'agent',
        min(_version_at),
        1
    from {{ ref('stg_canonical__agent') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'agent_id']) }}
    group by _source, agent_id
    union all
    select
        _source,
        contact_id,
        'canonical',
        case when role = 'agent' then 'agent' else 'customer' end,
        _version_at,
        row_number() over (partition by _source, contact_id, _version_at order by {{ newest_first }})
    from {{ ref('stg_canonical__contact') }}
    where
        _op = 'upsert'
        and {{ is_touched(['_source', 'contact_id']) }}
        and (_source, contact_id) not in (select _source, agent_id from {{ ref('stg_canonical__agent') }} where _op = 'upsert')
),

{#- Of a user whom a roster lists, the help desk's own versions tell the role: the roster tells only that they are a machine. -#}
roles as (
    select
        _source,
        author_id,
        system,
        role,
        told_at,
        min(told_at) over (partition by _source, author_id) as first_told_at,
        lag(role) over (partition by _source, author_id order by told_at, system) is distinct from role as is_change
    from told
    where recency = 1
),

numbered as (
    select
        _source,
        author_id,
        system,
        role,
        told_at,
        first_told_at,
        cast(row_number() over (partition by _source, author_id order by told_at, system) as integer) as role_no,
        lead(told_at) over (partition by _source, author_id order by told_at, system) as valid_to
    from roles
    where is_change
)

select
    numbered._source as source,
    numbered.author_id,
    numbered.role_no,
    case
        when numbered.role = 'agent' and exists (
            select 1 from bots
            where bots.agent_id = numbered.author_id and (bots._source = numbered._source or numbered.system = 'zendesk')
        ) then 'bot'
        else numbered.role
    end as role,
    numbered.first_told_at,
    case when numbered.role_no > 1 then numbered.told_at end as valid_from,
    numbered.valid_to
from numbered
