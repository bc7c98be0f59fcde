{#-
    The periods of the journey marts, and which of them a night moves. What lives here: months, the last 365 days, what of these
    hidden months hide, the touched_by of these marts. Not here: what is counted in them (models/marts/journey).

    A month is worked out again whole, from its own rows. The last 365 days end on another day every night, so they are
    worked out every night.
-#}

{#- A CTE body: each period to be worked out with each of its days up to the business date: period, period_start, date_key. -#}
{%- macro period_days() -%}
    select
        'month' as period,
        dates.month_start as period_start,
        dates.date_key
    from {{ ref('dim_date') }} as dates
    cross join {{ night() }} as night
    where dates.date_day <= night.as_of and {{ is_touched(["'month'", 'dates.month_start']) }}
    union all
    select
        'last_365_days',
        {{ plus_days('night.as_of', -364) }},
        dates.date_key
    from {{ ref('dim_date') }} as dates
    cross join {{ night() }} as night
    where
        dates.date_day between {{ plus_days('night.as_of', -364) }} and night.as_of
        and {{ is_touched(["'last_365_days'", plus_days('night.as_of', -364)]) }}
{%- endmacro -%}

{#-
    A CTE, `name`: `source`, in which the last 365 days also hide what any month within them hides, which would come back as
    these less the other months. `key` names a cell of a period. `stored` is a select of the key and period_start of the hidden
    months in the mart itself, for the months this night does not work out again.
-#}
{%- macro hide_with_months(source, name, columns, key, stored) -%}
months_of_{{ name }} as (
    select {{ key | join(', ') }}, period_start from {{ source }} where period = 'month' and hidden
    {%- if is_incremental() %}
    union all
    select {{ key | join(', ') }}, period_start from ({{ stored }}) as stored where not {{ is_touched(["'month'", 'stored.period_start']) }}
    {%- endif %}
),

{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden or (
            period <> 'month'
            and exists (
                select 1 from months_of_{{ name }} as months
                where
                    {{ equal_columns('months', 'cells', key) }}
                    and months.period_start between cells.period_start and {{ plus_days('cells.period_start', 364) }}
            )
        ) as hidden
    from {{ source }} as cells
)
{%- endmacro -%}

{#-
    A select statement: the periods that overlap the days from `from_day` to `to_day` of any row of the relation `spans`,
    and the last 365 days of this night and of the last.
-#}
{%- macro periods_of_spans(spans) -%}
    select 'month' as period, months.month_start as period_start
    from (
        select distinct month_start from {{ ref('dim_date') }} where date_key > 0
        union select distinct period_start from {{ this }} where period = 'month'
    ) as months
    where exists (
        select 1 from {{ spans }} as spans
        where spans.from_day < {{ dbt.dateadd('month', 1, 'months.month_start') }} and spans.to_day >= months.month_start
    )
    union
    select 'last_365_days', {{ plus_days('night.as_of', -364) }} from {{ night() }} as night
    union
    select period, period_start from {{ this }} where period = 'last_365_days'
{%- endmacro -%}

{#-
    A select statement: the days between the business dates of the last night and this one, and `days_before` more, which
    become old enough to be judged: from_day, to_day.
-#}
{%- macro days_judged_anew(days_before) -%}
    select
        {{ plus_days('least(coalesce(previous_as_of, as_of), as_of)', '-' ~ days_before) }} as from_day,
        {{ plus_days('greatest(coalesce(previous_as_of, as_of), as_of)', 0) }} as to_day
    from {{ night() }}
{%- endmacro -%}

{#-
    touched_by of mart_channel_consistency: the months of every record it counts, where it stood and where it stands, of the
    answers about a ticket or an order that moved, and of all a customer did whose preferred channel changed.
-#}
{%- macro touched_channel_periods() -%}
    with moved_customers as (
        select customer_key from {{ touched('dim_customer') }}
        group by customer_key
        having count(distinct coalesce(preferred_channel, '')) > 1
    ),
    moved_keys as (
        select answered_date_key as date_key from {{ touched('fct_survey_answer') }}
        union
        select answered_date_key from {{ ref('fct_survey_answer') }}
        where
            ticket_key in (select ticket_key from {{ touched('fct_ticket') }})
            or order_key in (select order_key from {{ touched('fct_order') }})
        union select first_reply_date_key from {{ touched('fct_ticket') }}
        union select last_solved_date_key from {{ touched('fct_ticket') }}
        union select start_date_key from {{ touched('fct_journey') }} where journey = 'support'
        union select date_key from {{ touched('fct_journey_event') }}
        union
        select date_key from {{ ref('fct_journey_event') }}
        where direction = 'outbound' and customer_key in (select customer_key from moved_customers)
    ),
    spans as (
        select
            {{ date_of_key('date_key') }} as from_day,
            {{ date_of_key('date_key') }} as to_day
        from moved_keys
        union all
        {{ days_judged_anew(0) }}
    )
    {{ periods_of_spans('spans') }}
{%- endmacro -%}
