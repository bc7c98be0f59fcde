{#-
    Which months of recovery a night moves, and when they can be told. What lives here: the touched_by of the steps of mart_recovery,
    its windows. Not here: what is counted (int_recovery__cell).
-#}

{#- Days after a month's end in which what became of its customers is looked at. -#}
{%- macro later_days() -%} 180 {%- endmacro -%}

{#- Whether everybody who was failed in a month has had the days to be won back, by a day's end; the day more is for clock changes. -#}
{%- macro is_judged(month_start, as_of) -%}
    {{ plus_days(month_end(month_start), recovery_days() | int + 1) }} <= {{ as_of }}
{%- endmacro -%}

{#- A CTE body: at least the months that one of this night and the last can tell, and the other cannot. -#}
{%- macro months_judged_anew() -%}
    {%- set days = '-' ~ (recovery_days() | int + 1) -%}
    {{ months_between(
        night(),
        plus_days('least(as_of, coalesce(previous_as_of, as_of))', days),
        plus_days('greatest(as_of, coalesce(previous_as_of, as_of))', days)
    ) }}
{%- endmacro -%}

{#-
    touched_by of int_recovery__customer. A case moves its customer in its own month and in all later ones, in which they are no longer
    among those never failed. An order or an answer moves its customer in the months whose later days it lies in. The business date
    brings months that can be told by now, and the first case of all says from which month on anybody is known never to have been
    failed.
-#}
{%- macro touched_recovery_customers() -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),

    first_case as (
        select {{ month_of(date_of_key('min(opened_date_key)')) }} as month_start
        from {{ ref('fct_closed_loop_case') }}
        where customer_key <> -1
    ),

    first_told as (
        select min(month_start) as month_start from {{ this }}
    )

    select months.month_start, months.customer_key
    from {{ ref('fct_customer_month') }} as months
    inner join (
        select customer_key, {{ month_of(date_of_key('min(opened_date_key)')) }} as month_start
        from {{ touched('fct_closed_loop_case') }}
        where customer_key <> -1
        group by customer_key
    ) as moved on moved.customer_key = months.customer_key and moved.month_start <= months.month_start
    union
    select months.month_start, months.customer_key
    from {{ ref('fct_customer_month') }} as months
    cross join night
    cross join first_case
    cross join first_told
    where
        {{ is_judged('months.month_start', 'night.as_of') }}
        and (
            not {{ is_judged('months.month_start', 'night.previous_as_of') }}
            or months.month_start between first_case.month_start
                and coalesce({{ plus_months('first_told.month_start', -1) }}, months.month_start)
        )
    union
    select month_start, customer_key from {{ touched('fct_customer_month') }}
    {%- for months in range(1, 7) %}
    union
    select {{ plus_months(month_of(date_of_key('ordered_date_key')), -months) }}, customer_key from {{ touched('fct_order') }}
    where customer_key <> -1 and ordered_date_key > 0
    union
    select {{ plus_months(month_of(date_of_key('answered_date_key')), -months) }}, customer_key from {{ touched('fct_survey_answer') }}
    where customer_key <> -1 and answered_date_key > 0
    {%- endfor %}
    union
    select customers.month_start, customers.customer_key
    from {{ this }} as customers
    cross join night
    cross join first_case
    where
        not {{ is_judged('customers.month_start', 'night.as_of') }}
        or first_case.month_start is null
        or customers.month_start < first_case.month_start
        {%- for name, days in [('90', 90), ('180', 180), ('later', later_days())] %}
        or customers.is_matured_{{ name }} <> ({{ plus_days(month_end('customers.month_start'), days) }} <= night.as_of)
        {%- endfor %}
{%- endmacro -%}

{#- touched_by of int_recovery__cell: the months of customers and of cases that moved, and those that can be told by now. -#}
{%- macro touched_recovery_cells() -%}
    select month_start from {{ touched('int_recovery__customer') }}
    union
    select {{ month_of(date_of_key('opened_date_key')) }} from {{ touched('fct_closed_loop_case') }}
    union
    select {{ month_of(date_of_key('opened_date_key')) }} from {{ ref('fct_closed_loop_case') }}
    where next_answer_key <> -1 and next_answer_key in (select answer_key from {{ touched('fct_survey_answer') }})
    union
    select month_start from (
        {{ months_judged_anew() }}
    ) as judged_anew
    union
    select cells.month_start from {{ this }} as cells
    cross join {{ night() }} as night
    where not {{ is_judged('cells.month_start', 'night.as_of') }}
{%- endmacro -%}
