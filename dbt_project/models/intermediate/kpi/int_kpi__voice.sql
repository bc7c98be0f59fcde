{#-
    Invitations and feedback as records of the KPIs. What lives here: which of them belong to which measure. Not here: which
    count (fct_survey_invitation, fct_feedback), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['object', 'record_key'],
    touches=['measure', 'date_day', 'is_state', 'respondent'],
    touched_by="
        select 'invitation', invitation_key from {{ touched('fct_survey_invitation') }}
        union select 'feedback', feedback_key from {{ touched('fct_feedback') }}
        union {{ records_moved_by_customers(['object', 'record_key']) }}
        union
        select 'feedback', feedback_key from {{ ref('fct_feedback') }}
        where (source_object, source_ref) in (select source_object, source_ref from {{ touched('fct_closed_loop_case') }})
    "
) }}

with cases as (
    {{ done_about_feedback() }}
),

items as (
    select
        items.feedback_key,
        items.source_type,
        items.customer_key,
        items.touchpoint_key,
        items.channel,
        {{ date_of_key('items.date_key') }} as date_day,
        items.score_norm,
        {{ is_used('coalesce(items.responded_at, cases.responded_at)', 'coalesce(items.actioned_at, cases.actioned_at)') }} as is_used
    from {{ ref('fct_feedback') }} as items
    left join cases on cases.source_object = items.source_object and cases.source_ref = items.source_ref
    where
        items.is_counted
        and items.date_key > 0
        and items.source_type <> 'employee'
        and {{ is_touched(["'feedback'", 'items.feedback_key']) }}
),

measured as (
    select
        'invitation' as object,
        invitation_key as record_key,
        'invitation' as measure,
        customer_key,
        {{ date_of_key('date_key') }} as date_day,
        case when is_completed then 1 else 0 end as positives,
        cast(null as decimal(18, 6)) as total,
        coalesce(channel, 'unknown') as channel,
        cast(null as bigint) as touchpoint_key
    from {{ ref('fct_survey_invitation') }}
    where is_counted and is_delivered and not is_employee and date_key > 0 and {{ is_touched(["'invitation'", 'invitation_key']) }}
    union all
    select
        'feedback',
        feedback_key,
        'feedback_use',
        customer_key,
        date_day,
        case when is_used then 1 else 0 end,
        null,
        coalesce(channel, 'unknown'),
        touchpoint_key
    from items
    union all
    select
        'feedback',
        feedback_key,
        'review',
        customer_key,
        date_day,
        0,
        cast(100 * score_norm as decimal(18, 6)),
        coalesce(channel, 'unknown'),
        touchpoint_key
    from items
    where source_type = 'review' and score_norm is not null
),

named as (
    select
        measured.object,
        measured.record_key,
        measured.measure,
        measured.customer_key,
        {{ respondent('measured.customer_key', 'measured.record_key') }} as respondent,
        measured.date_day,
        measured.positives,
        measured.total,
        measured.channel,
        case when measured.touchpoint_key is not null then coalesce(touchpoints.touchpoint, 'unknown') end as touchpoint
    from measured
    left join {{ ref('dim_touchpoint') }} as touchpoints
        on touchpoints.touchpoint_key = measured.touchpoint_key and touchpoints.touchpoint_key <> -1
)

{{ kpi_records('named', ['object', 'record_key'], ['positives', 'total', 'channel', 'touchpoint']) }}
