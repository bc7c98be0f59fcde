{#-
    What the KPIs count, in one shape. What lives here: the columns of a record, and whose segment and country it has. Not here:
    which records belong to a measure (models/intermediate/kpi/int_kpi__*), what is made of them (int_kpi__cell).

    A record has a measure, the day it counts on, who is behind it, and what it adds: positives, negatives, responses, a total
    (means and sums) or minutes (quantiles). A dimension without a value does not exist for the measure. A state that lasts
    (`is_state`) is two records, what it adds on its first day and the same taken away on the day after its last, so that
    a longer state moves only days that are yet to come.
-#}

{#- The dimensions are those of the seed kpi_dimensions: the macro that names them is written from its rows. -#}
{%- macro kpi_record_columns() -%}
    {%- set columns = {
        'superseded_on': 'date', 'is_state': 'boolean', 'positives': 'integer', 'negatives': 'integer', 'responses': 'integer',
        'total': 'decimal(28, 6)', 'minutes': 'double'
    } -%}
    {%- for dimension in kpi_dimensions() -%}{%- do columns.update({dimension: 'varchar'}) -%}{%- endfor -%}
    {{ return(columns) }}
{%- endmacro -%}

{#-
    The records of `relation`: key, measure, date_day, respondent, customer_key and the columns named in `has`; whatever else a
    record may have is empty. Without `segment` among them a record has the segment of its customer on its day. A record
    whose customer_key is NULL is no customer's at all.
-#}
{%- macro kpi_records(relation, key, has) -%}
    select
        {% for column in key %}records.{{ column }},
        {% endfor -%}
        records.measure,
        records.date_day,
        records.respondent,
        {%- for column, data_type in kpi_record_columns().items() %}
        {% if column in has -%}
        cast(records.{{ column }} as {{ data_type }})
        {%- elif column == 'segment' -%}
        case when records.customer_key is not null then coalesce(spells.segment, 'unknown') end
        {%- elif column == 'country' -%}
        case when records.customer_key is not null then coalesce(customers.country, 'unknown') end
        {%- elif column == 'is_state' -%}
        false
        {%- elif column in ['positives', 'negatives'] -%}
        cast(0 as {{ data_type }})
        {%- elif column == 'responses' -%}
        cast(1 as {{ data_type }})
        {%- else -%}
        cast(null as {{ data_type }})
        {%- endif %} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }} as records
    left join {{ ref('int_customer__attributes') }} as customers on customers.customer_key = records.customer_key
    {%- if 'segment' not in has %}
    left join {{ ref('int_customer__segment_spell') }} as spells
        on spells.customer_key = records.customer_key
        and records.date_day between spells.from_date and spells.to_date
    {%- endif %}
{%- endmacro -%}

{#-
    CTEs, to be put after others: `lasting` has the columns of `spans` (customer_key, from_date, to_date and others), cut where
    the customer's segment changes, once with sign 1 on its first day and once with sign -1 on the day after its last.
-#}
{%- macro lasting_ctes(spans, kept) -%}
cut_spans as (
    select
        {% for column in kept %}spans.{{ column }},
        {% endfor -%}
        spans.customer_key,
        coalesce(spells.segment, 'unknown') as segment,
        greatest(spans.from_date, coalesce(spells.from_date, spans.from_date)) as from_date,
        least(spans.to_date, coalesce(spells.to_date, spans.to_date)) as to_date
    from {{ spans }} as spans
    left join {{ ref('int_customer__segment_spell') }} as spells
        on spells.customer_key = spans.customer_key
        and spells.from_date <= spans.to_date
        and spells.to_date >= spans.from_date
    where spans.to_date >= spans.from_date
),

lasting as (
    select {{ kept | join(', ') }}, customer_key, segment, from_date as date_day, 1 as sign from cut_spans
    union all
    select {{ kept | join(', ') }}, customer_key, segment, {{ plus_days('to_date', 1) }}, -1
    from cut_spans
    where to_date < cast('9999-12-31' as date)
)
{%- endmacro -%}

{#- A record whose customer nobody knows is a respondent of its own. -#}
{%- macro respondent(customer_key, record_key) -%}
    case when {{ customer_key }} = -1 then -1 - {{ record_key }} else {{ customer_key }} end
{%- endmacro -%}

{#- A CTE body: the journey of each record that is an event of one; the first by name where it is part of several. -#}
{%- macro journeys_of(object, records, key) -%}
    select events.source_ref, min(events.journey) as journey
    from {{ ref('fct_journey_event') }} as events
    where events.object = '{{ object }}' and events.journey <> 'none' and events.source_ref in (select {{ key }} from {{ records }})
    group by events.source_ref
{%- endmacro -%}
