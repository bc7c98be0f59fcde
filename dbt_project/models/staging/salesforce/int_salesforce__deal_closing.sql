{#-
    When each deal was closed for good, and when its stage of now was entered. What lives here: the delivered versions of a deal and its
    stage history, read for that. Not here: the deal itself (int_order__salesforce).
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['_source', 'opportunity_id'],
    touched_by="
        {{ new_rows('stg_salesforce__opportunity', ['_source', 'opportunity_id']) }}
        union
        select _source, opportunity_id from {{ ref('stg_salesforce__opportunity_history') }}
        where (_source, opportunity_history_id)
            in ({{ new_rows('stg_salesforce__opportunity_history', ['_source', 'opportunity_history_id']) }})
    "
) }}

with opportunities as (
    {{ newest_versions('stg_salesforce__opportunity', ['_source', 'opportunity_id'], ['stage_name']) }}
),

stage_changes as (
    {{ newest_versions('stg_salesforce__opportunity_history', ['_source', 'opportunity_history_id'], [
        'opportunity_id', 'stage_name', 'created_date', 'is_deleted'
    ], where='(_source, opportunity_history_id) in (select _source, opportunity_history_id from '
        ~ ref('stg_salesforce__opportunity_history') ~ ' where ' ~ is_touched(['_source', 'opportunity_id']) ~ ')') }}
),

{#- The stages of each deal in order, with the deal's stage now; the last run of it says when it was entered. -#}
stages as (
    select
        stage_changes._source,
        stage_changes.opportunity_id,
        stage_changes.created_date,
        stage_changes.stage_name = opportunities.stage_name as is_stage_now,
        row_number() over (
            partition by stage_changes._source, stage_changes.opportunity_id
            order by stage_changes.created_date, stage_changes.opportunity_history_id
        ) as place
    from stage_changes
    inner join opportunities
        on opportunities._source = stage_changes._source
        and opportunities.opportunity_id = stage_changes.opportunity_id
    where not coalesce(stage_changes.is_deleted, false) and not stage_changes.is_vanished
),

last_other_stages as (
    select
        _source,
        opportunity_id,
        max(case when not is_stage_now then place end) as other_place
    from stages
    group by _source, opportunity_id
),

{#- Every edit of a deal writes its stage again, so only the first row of the run counts. Nothing before it: it may be older still. -#}
stage_entries as (
    select
        stages._source,
        stages.opportunity_id,
        min(stages.created_date) as entered_at,
        last_other_stages.other_place is not null as is_entry_known
    from stages
    inner join last_other_stages
        on last_other_stages._source = stages._source
        and last_other_stages.opportunity_id = stages.opportunity_id
    where stages.place > coalesce(last_other_stages.other_place, 0)
    group by stages._source, stages.opportunity_id, last_other_stages.other_place
),

{#- The versions of a deal in the order of newest_versions(): its closing day is the one it had when it was closed for good. -#}
deal_versions as (
    select
        _source,
        opportunity_id,
        close_date,
        case when is_won then 'won' when is_closed then 'lost' else 'open' end as outcome,
        row_number() over (
            partition by _source, opportunity_id order by _version_at, _extract_date, _file nulls first, _row nulls first
        ) as place
    from {{ ref('stg_salesforce__opportunity') }}
    where _op = 'upsert' and {{ is_touched(['_source', 'opportunity_id']) }}
),

outcomes_now as (
    select
        _source,
        opportunity_id,
        outcome,
        max(case when outcome <> outcome_now then place end) over (partition by _source, opportunity_id) as other_place,
        place,
        close_date
    from (
        select
            _source,
            opportunity_id,
            outcome,
            place,
            close_date,
            last_value(outcome) over (
                partition by _source, opportunity_id order by place rows between unbounded preceding and unbounded following
            ) as outcome_now
        from deal_versions
    ) as versions
),

closing_days as (
    select _source, opportunity_id, close_date
    from outcomes_now
    where place = coalesce(other_place, 0) + 1
)

select
    opportunities._source,
    opportunities.opportunity_id,
    {{ noon_of_local_day('closing_days.close_date') }} as closed_at,
    stage_entries.entered_at,
    stage_entries.is_entry_known
from opportunities
left join closing_days
    on closing_days._source = opportunities._source
    and closing_days.opportunity_id = opportunities.opportunity_id
left join stage_entries
    on stage_entries._source = opportunities._source
    and stage_entries.opportunity_id = opportunities.opportunity_id
