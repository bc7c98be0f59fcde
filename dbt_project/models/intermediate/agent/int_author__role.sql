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
        {{ new_versions('contact', ['source', 'contact_id']) }}
        union
        select source, agent_id from {{ ref('int_agent__version') }}
        where agent_id in (select agent_id from ({{ new_versions('agent', ['agent_id']) }}) as told)
    "
) }}

{%- set newest_first = '_extract_date desc, _file desc nulls last, _row desc nulls last' %}

with rosters as (
    {{ newest_versions('int_agent__version', ['source', 'agent_id'], ['is_automated'], where='is_roster') }}
),

{#- A help desk does not say which of its agents are bots; a roster may, by the same id. -#}
bots as (
    select source, agent_id
    from rosters
    where is_automated and not is_vanished
),

listed as (
    select
        source,
        agent_id,
        min(_version_at) as told_at
    from {{ ref('int_agent__version') }}
    where is_roster and _op = 'upsert'
    group by source, agent_id
),

{#- At one instant a roster of agents says more than a list of contacts, and the version delivered last more than others. -#}
told as (
    select
        source,
        contact_id as author_id,
        system,
        role,
        is_staff_for_good is not null as is_of_desk,
        _version_at as told_at,
        row_number() over (partition by source, contact_id, _version_at order by {{ newest_first }}) as recency
    from {{ ref('int_contact__version') }}
    where
        _op = 'upsert'
        and role is not null
        and (is_staff_for_good is not null or (source, contact_id) not in (select source, agent_id from listed))
        and {{ is_touched(['source', 'contact_id']) }}
    union all by name
    select
        source,
        agent_id as author_id,
        'roster' as system,
        'agent' as role,
        false as is_of_desk,
        told_at,
        1 as recency
    from listed
    where {{ is_touched(['source', 'agent_id']) }}
),

{#- Of a user whom a roster lists, the help desk's own versions tell the role: the roster tells only that they are a machine. -#}
roles as (
    select
        source,
        author_id,
        system,
        role,
        is_of_desk,
        told_at,
        min(told_at) over (partition by source, author_id) as first_told_at,
        lag(role) over (partition by source, author_id order by told_at, system) is distinct from role as is_change
    from told
    where recency = 1
),

numbered as (
    select
        source,
        author_id,
        role,
        is_of_desk,
        told_at,
        first_told_at,
        cast(row_number() over (partition by source, author_id order by told_at, system) as integer) as role_no,
        lead(told_at) over (partition by source, author_id order by told_at, system) as valid_to
    from roles
    where is_change
)

select
    numbered.source,
    numbered.author_id,
    numbered.role_no,
    case
        when numbered.role = 'agent' and exists (
            select 1 from bots
            where bots.agent_id = numbered.author_id and (bots.source = numbered.source or numbered.is_of_desk)
        ) then 'bot'
        else numbered.role
    end as role,
    numbered.first_told_at,
    case when numbered.role_no > 1 then numbered.told_at end as valid_from,
    numbered.valid_to
from numbered
