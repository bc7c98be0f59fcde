{#-
    A CTE body: Over which days each customer stands in logo retention. A customer is active for 365 days from each counted order. On
    a day, the base is whoever was active 90 days earlier (responses), the kept ones are those still active (positives).
    Orders of unknown customers cannot be followed, so they are not in it.
-#}
{%- macro retention_spans() %}
    {%- set spell_days = active_days() | int -%}
    {%- set compared_days = 90 %}

    with order_days as (
        select distinct
            customer_key,
            {{ date_of_key('ordered_date_key') }} as ordered_on
        from {{ ref('fct_order') }}
        where is_counted and customer_key <> -1
    ),

    marked as (
        select
            customer_key,
            ordered_on,
            case
                when ordered_on <= {{ plus_days('lag(ordered_on) over (partition by customer_key order by ordered_on)', spell_days) }} then 0
                else 1
            end as starts_spell
        from order_days
    ),

    numbered as (
        select
            customer_key,
            ordered_on,
            sum(starts_spell) over (partition by customer_key order by ordered_on rows unbounded preceding) as spell
        from marked
    ),

    spells as (
        select
            customer_key,
            min(ordered_on) as active_from,
            {{ plus_days('max(ordered_on)', spell_days - 1) }} as active_to
        from numbered
        group by customer_key, spell
    ),

    base_spells as (
        select
            customer_key,
            {{ plus_days('active_from', compared_days) }} as from_date,
            {{ plus_days('active_to', compared_days) }} as to_date,
            0 as positives,
            1 as responses
        from spells
    ),

    kept as (
        select
            base_spells.customer_key,
            greatest(base_spells.from_date, spells.active_from) as from_date,
            least(base_spells.to_date, spells.active_to) as to_date,
            1 as positives,
            0 as responses
        from base_spells
        inner join spells
            on spells.customer_key = base_spells.customer_key
            and spells.active_from <= base_spells.to_date
            and spells.active_to >= base_spells.from_date
    ),

    spans as (
        select customer_key, from_date, to_date, positives, responses from base_spells
        union all
        select customer_key, from_date, to_date, positives, responses from kept
    )

    select
        'logo_retention' as kpi,
        periods.period,
        spans.customer_key as respondent,
        cast(null as varchar) as channel,
        coalesce(customers.country, 'unknown') as country,
        spans.from_date,
        spans.to_date,
        spans.positives,
        0 as negatives,
        spans.responses
    from spans
    inner join {{ ref('kpi_periods') }} as periods on periods.kpi = 'logo_retention'
    left join {{ ref('dim_customer') }} as customers on customers.customer_key = spans.customer_key
{%- endmacro -%}
