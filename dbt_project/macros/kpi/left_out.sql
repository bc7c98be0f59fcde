{#-
    Records a KPI cannot count because something about them is not known. What lives here: the models that hold them, and the
    months a night moves. A new family is named here once. Not here: the records (models/intermediate/kpi/int_kpi__left_out_*), why
    and what to do (seed left_out_reasons).
-#}
{%- macro left_out_families() -%}
    {{ return(['int_kpi__left_out_answer', 'int_kpi__left_out_ticket', 'int_kpi__left_out_order']) }}
{%- endmacro -%}

{#- A CTE body: the left-out records of all families. `where` filters them; it may name their columns. -#}
{%- macro all_left_out_records(columns, where) -%}
    {%- for family in left_out_families() %}
    select {{ columns | join(', ') }} from {{ ref(family) }} where {{ where }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#-
    Measures that are states of customers made of their orders. A state is no record of a month, so what is left out of it is held
    against the month's orders of customers who are known.
-#}
{%- macro states_of_orders() -%}
    {{ return(['active', 'retention', 'repeat']) }}
{%- endmacro -%}

{#-
    touched_by of mart_kpi_left_out: measures and months. A record moves its month, whether it is left out or counted; the
    months up to the business date hold what lay after the last one.
-#}
{%- macro touched_left_out_months() -%}
    with bounds as (
        select
            least(as_of, coalesce(previous_as_of, as_of)) as first_day,
            greatest(as_of, coalesce(previous_as_of, as_of)) as last_day
        from {{ night() }}
    ),
    new_days as (
        {{ days_between('bounds', 'first_day', 'last_day') }}
    ),
    moved as (
        {%- for family in left_out_families() %}
        select measure, date_day from {{ touched(family) }}
        union
        {%- endfor %}
        select measure, date_day from ({{ moved_kpi_records() }}) as records where not is_state
    )
    select measure, {{ month_of('date_day') }} from moved where date_day is not null
    {%- for state in states_of_orders() %}
    union
    select '{{ state }}', {{ month_of('date_day') }} from moved where date_day is not null and measure = 'order_return'
    {%- endfor %}
    union
    select kpis.measure, {{ month_of('new_days.date_day') }} from {{ ref('kpis') }} as kpis cross join new_days
{%- endmacro -%}
