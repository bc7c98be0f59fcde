{#-
    What channels are compared by. What lives here: which records and which periods a night moves. Not here: the records
    (int_channel_consistency__record), values (int_channel_consistency__value).
-#}

{#- KPIs of waits, compared by their median, and the kind of record that says how long each was. -#}
{%- macro channel_durations() -%}
    {{ return({'first_reply_minutes': 'first_reply', 'full_resolution_minutes': 'solution'}) }}
{%- endmacro -%}

{#- Condition: two relations of channels are about the same KPI and period; the last 365 days have no month. -#}
{%- macro is_same_channel_group(left, right) -%}
    {{ equal_columns(left, right, ['kpi', 'period']) }} and {{ left }}.month_start is not distinct from {{ right }}.month_start
{%- endmacro -%}

{#- Condition: the KPI is a median of waits. -#}
{%- macro is_channel_duration(kpi) -%}
    {{ kpi }} in ('{{ channel_durations() | join("', '") }}')
{%- endmacro -%}

{#-
    touched_by of the records: what moved, the answers about a ticket or an order that moved, whose channel they speak of, and all
    contacts with a customer whose preferred channel changed.
-#}
{%- macro touched_channel_records() -%}
    with moved_customers as (
        select customer_key from {{ touched('dim_customer') }}
        group by customer_key
        having count(distinct coalesce(preferred_channel, '')) > 1
    )
    select 'answer' as object, answer_key as record_key from {{ touched('fct_survey_answer') }}
    {%- for fact, key in [('fct_ticket', 'ticket_key'), ('fct_order', 'order_key')] %}
    union
    select 'answer', answer_key from {{ ref('fct_survey_answer') }}
    where {{ key }} <> -1 and {{ key }} in (select {{ key }} from {{ touched(fact) }})
    {%- endfor %}
    {%- for object in channel_durations().values() %}
    union select '{{ object }}', ticket_key from {{ touched('fct_ticket') }}
    {%- endfor %}
    union select 'journey', journey_key from {{ touched('fct_journey') }} where journey = 'support'
    union select 'contact', event_key from {{ touched('fct_journey_event') }}
    union
    select 'contact', event_key from {{ ref('fct_journey_event') }}
    where direction = 'outbound' and customer_key in (select customer_key from moved_customers)
{%- endmacro -%}

{#-
    touched_by of the counts: the months of records that came, went or changed, or are no more dated after the business date; the last
    365 days where one of these lies in them, or leaves them.
-#}
{%- macro touched_channel_values() -%}
    with passing as (
        {{ passing_time() }}
    ),
    moved as (
        select kpi, month_start from {{ touched('int_channel_consistency__record') }}
        union
        select records.kpi, records.month_start
        from {{ ref('int_channel_consistency__record') }} as records
        inner join passing on {{ turns_days_old('records.date_day', 0) }}
    )
    select kpi, 'month' as period, month_start from moved
    union
    select moved.kpi, 'last_365_days', cast(null as date)
    from moved
    inner join passing on {{ month_end('moved.month_start') }} > {{ plus_days('passing.after_day', -365) }}
    union
    select records.kpi, 'last_365_days', null
    from {{ ref('int_channel_consistency__record') }} as records
    inner join passing on {{ turns_days_old('records.date_day', 365) }}
{%- endmacro -%}

{#- Aggregate: the values of several sorted lists, ascending. -#}
{%- macro sorted_values_of_lists(lists) -%}
    {{ return(adapter.dispatch('sorted_values_of_lists')(lists)) }}
{%- endmacro -%}

{%- macro duckdb__sorted_values_of_lists(lists) -%}
    list_sort(flatten(list({{ lists }})))
{%- endmacro -%}
