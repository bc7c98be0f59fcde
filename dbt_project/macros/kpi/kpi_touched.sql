{#-
    Which days of which KPIs a night moves. What lives here: the touched_by of mart_kpi_daily. Not here: the KPIs.

    A record moves the days its window reaches: `kpi_periods.lookback_days` from its own day on, both where it stood and
    where it stands now. A customer who changes country moves the days of all their records. The days between the
    business dates of the last night and this one are new (or gone, when the business date steps back).
-#}
{%- macro touched_kpi_days() -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    moved_customers as (
        select customer_key from {{ touched('dim_customer') }} group by customer_key having count(distinct coalesce(country, '')) > 1
    ),
    moved as (
        select 'fct_survey_answer' as source_fact, answered_date_key as date_key from {{ touched('fct_survey_answer') }}
        union
        select 'fct_survey_answer', answered_date_key from {{ ref('fct_survey_answer') }} where customer_key in (select customer_key from moved_customers)
        union
        select 'fct_order', ordered_date_key from {{ touched('fct_order') }}
        union
        select 'fct_order', ordered_date_key from {{ ref('fct_order') }} where customer_key in (select customer_key from moved_customers)
        {%- for relation, condition in [
            (touched('fct_ticket'), 'true'),
            (ref('fct_ticket'), 'customer_key in (select customer_key from moved_customers)')
        ] %}
        union
        select 'fct_ticket', first_reply_date_key from {{ relation }} where {{ condition }}
        union
        select 'fct_ticket', last_solved_date_key from {{ relation }} where {{ condition }}
        union
        select 'fct_ticket_transition', created_date_key from {{ relation }} where {{ condition }}
        {%- endfor %}
    ),
    reached as (
        select
            periods.kpi,
            moved.date_key as from_key,
            {{ date_of_key('moved.date_key') }} as from_date,
            {{ plus_days(date_of_key('moved.date_key'), 'periods.lookback_days - 1') }} as to_date
        from moved
        inner join {{ ref('kpis') }} as kpis on kpis.source_fact = moved.source_fact
        inner join {{ ref('kpi_periods') }} as periods on periods.kpi = kpis.kpi
        where moved.date_key > 0
    )
    select reached.kpi, dates.date_key
    from reached
    inner join {{ ref('dim_date') }} as dates
        on dates.date_day between reached.from_date and coalesce(reached.to_date, cast('9999-12-31' as date))
    cross join night
    where dates.date_day <= night.as_of
    union
    select kpis.kpi, dates.date_key
    from {{ ref('dim_date') }} as dates
    inner join night on dates.date_day between least(night.previous_as_of, night.as_of) and greatest(night.previous_as_of, night.as_of)
    cross join {{ ref('kpis') }} as kpis
    union
    select kpi_days.kpi, kpi_days.date_key
    from {{ this }} as kpi_days
    cross join night
    left join ({{ first_kpi_days() }}) as first_days on first_days.kpi = kpi_days.kpi
    where
        kpi_days.date_day > night.as_of
        or kpi_days.is_complete_window is distinct from ({{ is_complete_window('kpi_days.date_day', 'kpi_days.window_days', 'first_days.first_day') }})
{%- endmacro -%}

{#- A select statement: the first day the table of each KPI knows. -#}
{%- macro first_kpi_days() -%}
    select kpis.kpi, {{ date_of_key('facts.first_key') }} as first_day
    from (
        select 'fct_survey_answer' as source_fact, min(answered_date_key) as first_key from {{ ref('fct_survey_answer') }} where answered_date_key > 0
        union all
        select 'fct_order', min(ordered_date_key) from {{ ref('fct_order') }} where ordered_date_key > 0
        union all
        select 'fct_ticket', min(created_date_key) from {{ ref('fct_ticket') }} where created_date_key > 0
        union all
        select 'fct_ticket_transition', min(created_date_key) from {{ ref('fct_ticket') }} where created_date_key > 0
    ) as facts
    inner join {{ ref('kpis') }} as kpis on kpis.source_fact = facts.source_fact
{%- endmacro -%}

{#- Whether the whole window that ends on a day lies after the first day of the records: a younger window is only partly filled. -#}
{%- macro is_complete_window(day, window_days, first_day) -%}
    coalesce({{ plus_days(day, '1 - ' ~ window_days) }} >= {{ first_day }}, false)
{%- endmacro -%}
