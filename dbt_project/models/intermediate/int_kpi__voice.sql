{#-
    Invitations and feedback as records of the KPIs. What lives here: which of them belong to which measure. Not here: which
    count (fct_survey_invitation, fct_feedback), values (int_kpi__cell).
-#}
{{ config(
    touched_key=['object', 'record_key'],
    touches=['measure', 'date_day', 'is_state'],
    touched_by="
        with moved_customers as ({{ customers_moved_for_kpis() }})
        select 'invitation', invitation_key from {{ touched('fct_survey_invitation') }}
        union
        select 'invitation', invitation_key from {{ ref('fct_survey_invitation') }}
        where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
        union
        select 'feedback', feedback_key from {{ touched('fct_feedback') }}
        union
        select 'feedback', feedback_key from {{ ref('fct_feedback') }}
        where customer_key <> -1 and customer_key in (select customer_key from moved_customers)
    "
) }}

with items as (
    select
        feedback_key,
        source_type,
        customer_key,
        touchpoint_key,
        channel,
        {{ date_of_key('date_key') }} as date_day,
        score_norm,
        {{ is_used('responded_at', 'actioned_at') }} as is_used
    from {{ ref('fct_feedback') }}
    where is_counted and date_key > 0 and source_type <> 'employee' and {{ is_touched(["'feedback'", 'feedback_key']) }}
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
