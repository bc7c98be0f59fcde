{#-
    Who serves: team, tier and training, and since when. What lives here: what the extracts say of agents over time, without
    anything that names them. Not here: how they serve (mart_service_scorecard).

    What is first known of an agent is taken to have been so from the beginning. An agent of whom only tickets or answers tell has
    one row, not described.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['agent_key'],
    touched_by="
        select agent_key from {{ touched('int_agent__validity') }}
        union select agent_key from {{ touched('int_agent__unioned') }}
        union
        select {{ surrogate_key(['source', 'assignee_id']) }} from {{ ref('int_ticket__unioned') }}
        where ticket_key in (select ticket_key from {{ touched('int_ticket__unioned') }})
        union
        select {{ surrogate_key(['source', 'agent_id']) }} from {{ ref('int_survey_answer__unioned') }}
        where survey_answer_key in (select survey_answer_key from {{ touched('int_survey_answer__unioned') }})
        union select agent_key from {{ this }} where not is_described
    "
) }}

with validities as (
    select
        agent_key,
        system,
        team,
        tier,
        trained_on,
        told_at,
        validity_no,
        valid_to
    from {{ ref('int_agent__validity') }}
    where {{ is_touched(['agent_key']) }}
),

mentioned as (
    select
        {{ surrogate_key(['source', 'agent_id']) }} as agent_key,
        min(system) as system
    from (
        select distinct source, system, assignee_id as agent_id from {{ ref('int_ticket__unioned') }} where assignee_id is not null
        union
        select distinct source, system, agent_id from {{ ref('int_survey_answer__unioned') }} where agent_id is not null
    ) as mentions
    group by 1
),

undescribed as (
    select mentioned.agent_key, mentioned.system
    from mentioned
    left join validities on validities.agent_key = mentioned.agent_key
    where validities.agent_key is null and {{ is_touched(['mentioned.agent_key']) }}
),

final as (
    select
        {{ surrogate_key(['validities.agent_key', 'validities.validity_no']) }} as agent_validity_key,
        validities.agent_key,
        validities.system,
        validities.team,
        validities.tier,
        validities.trained_on,
        coalesce(agents.is_automated, false) as is_automated,
        true as is_described,
        coalesce(agents.is_deleted, true) as is_deleted,
        case when validities.validity_no > 1 then validities.told_at end as valid_from,
        validities.valid_to,
        validities.valid_to is null as is_current
    from validities
    left join {{ ref('int_agent__unioned') }} as agents on agents.agent_key = validities.agent_key
    union all
    select
        {{ surrogate_key(['agent_key', '1']) }},
        agent_key, system, null, null, null, null, false, null, null, null, true
    from undescribed
    union all
    select
        cast(-1 as bigint), cast(-1 as bigint), 'unknown', null, null, null, null, false, null, null, null, true
    where {{ is_touched(['cast(-1 as bigint)']) }}
)

select * from final
