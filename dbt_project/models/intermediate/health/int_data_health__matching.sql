{{ config(
    touched_key=['object', 'date_key'],
    touched_by="
        select source_object, date_key from {{ touched('fct_feedback') }} where date_key > 0
        union select 'survey_answer', answered_date_key from {{ touched('fct_survey_answer') }} where answered_date_key > 0
        union select 'order', ordered_date_key from {{ touched('fct_order') }} where ordered_date_key > 0
        union select 'activity', date_key from {{ touched('fct_journey_event') }} where date_key > 0
        {#- A record may name somebody else and be nobody's as before: its fact does not move. #}
        {%- for object in ['ticket', 'survey_answer', 'feedback'] %}
        union
        select source_object, date_key from {{ ref('fct_feedback') }}
        where
            date_key > 0
            and source_object = '{{ object }}'
            and source_ref in (select {{ object }}_key from {{ touched('int_' ~ object ~ '__unioned') }})
        {%- endfor %}
        union
        select 'order', ordered_date_key from {{ ref('fct_order') }}
        where ordered_date_key > 0 and order_key in (select order_key from {{ touched('int_order__unioned') }})
        union
        select 'activity', date_key from {{ ref('fct_journey_event') }}
        where
            date_key > 0
            and object = 'activity'
            and source_ref in (select activity_key from {{ touched('int_activity__unioned') }})
    "
) }}

-- depends_on: {{ ref('fct_survey_answer') }}
{#-
    How many records of each source found their customer, day by day. What lives here: which records are counted. Not here: how
    they find them (int_identity__resolved), what is too few (mart_data_health).

    An anonymous answer must not find anybody, so it is no miss either. A record that names nobody finds its customer by what
    it is about, if at all; whoever is named should be found.
-#}
{%- set person = 'case when customer_key = -1 then -1 - record_key else customer_key end' %}

with voices as (
    select
        source_object,
        source_ref,
        date_key,
        customer_key
    from {{ ref('fct_feedback') }}
    where
        date_key > 0
        and source_type <> 'employee'
        and coalesce(exclusion_reason, '') not in ('deleted', 'test', 'spam', 'duplicate')
        and {{ is_touched(['source_object', 'date_key']) }}
),

orders as (
    select
        order_key,
        ordered_date_key,
        customer_key
    from {{ ref('fct_order') }}
    where
        ordered_date_key > 0
        and coalesce(exclusion_reason, '') <> 'deleted'
        and {{ is_touched(["'order'", 'ordered_date_key']) }}
),

activities as (
    select
        source_ref,
        date_key,
        customer_key
    from {{ ref('fct_journey_event') }}
    where object = 'activity' and date_key > 0 and {{ is_touched(["'activity'", 'date_key']) }}
),

records as (
    select
        'ticket' as object, voices.date_key, origins.source, voices.source_ref as record_key, voices.customer_key, 1 as linkable,
        case when coalesce(origins.requester_id, origins.requester_email) is not null then 1 else 0 end as named
    from voices
    inner join {{ ref('int_ticket__unioned') }} as origins on origins.ticket_key = voices.source_ref
    where voices.source_object = 'ticket'
    union all
    select
        'survey_answer', voices.date_key, origins.source, voices.source_ref, voices.customer_key,
        case when origins.is_anonymous then 0 else 1 end,
        case when not origins.is_anonymous and coalesce(origins.contact_id, origins.email) is not null then 1 else 0 end
    from voices
    inner join {{ ref('int_survey_answer__unioned') }} as origins on origins.survey_answer_key = voices.source_ref
    where voices.source_object = 'survey_answer'
    union all
    select
        'feedback', voices.date_key, origins.source, voices.source_ref, voices.customer_key, 1,
        case when origins.contact_id is not null then 1 else 0 end
    from voices
    inner join {{ ref('int_feedback__unioned') }} as origins on origins.feedback_key = voices.source_ref
    where voices.source_object = 'feedback'
    union all
    select
        'order', orders.ordered_date_key, origins.source, orders.order_key, orders.customer_key, 1,
        case when origins.contact_id is not null then 1 else 0 end
    from orders
    inner join {{ ref('int_order__unioned') }} as origins on origins.order_key = orders.order_key
    union all
    select
        'activity', activities.date_key, origins.source, activities.source_ref, activities.customer_key, 1,
        case when origins.contact_id is not null then 1 else 0 end
    from activities
    inner join {{ ref('int_activity__unioned') }} as origins on origins.activity_key = activities.source_ref
)

select
    object,
    date_key,
    source,
    count(*) as records,
    cast(sum(linkable) as bigint) as linkable,
    cast(sum(case when linkable = 1 and customer_key <> -1 then 1 else 0 end) as bigint) as matched,
    cast(sum(named) as bigint) as named,
    cast(sum(case when named = 1 and customer_key <> -1 then 1 else 0 end) as bigint) as found,
    count(distinct {{ person }}) as people,
    {{ least_values(person, k_privacy()) }} as few_people
from records
group by object, date_key, source
