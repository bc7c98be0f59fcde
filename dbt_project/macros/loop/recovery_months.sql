{#-
    Which months of mart_recovery a night moves, and when they can be told. What lives here: its touched_by, its windows. Not here: what
    is counted (mart_recovery).
-#}

{#- Days after a month's end in which what became of its customers is looked at. -#}
{%- macro later_days() -%} 180 {%- endmacro -%}

{#- Whether everybody who was failed in a month has had the days to be won back, by a day's end; the day more is for clock changes. -#}
{%- macro is_judged(month_start, as_of) -%}
    {{ plus_days(month_end(month_start), recovery_days() | int + 1) }} <= {{ as_of }}
{%- endmacro -%}

{#-
    A case moves its own month and all later ones, in which its customer is no longer among those never failed. An order or an
    answer moves the months whose later days it lies in. The business date brings months that can be told by now.
-#}
{%- macro touched_recovery_months() -%}
    with night as (
        select as_of, coalesce(previous_as_of, as_of) as previous_as_of from {{ night() }}
    ),
    moved_cases as (
        select opened_date_key from {{ touched('fct_closed_loop_case') }}
        union
        select opened_date_key from {{ ref('fct_closed_loop_case') }}
        where next_answer_key <> -1 and next_answer_key in (select answer_key from {{ touched('fct_survey_answer') }})
    ),
    bounds as (
        select
            least(
                coalesce((select {{ date_of_key('min(opened_date_key)') }} from moved_cases), as_of),
                {{ plus_days('least(as_of, previous_as_of)', '-' ~ (recovery_days() | int + 1)) }}
            ) as first_day,
            {{ plus_days('greatest(as_of, previous_as_of)', '-' ~ (recovery_days() | int + 1)) }} as last_day
        from night
    )
    select month_start from (
        {{ months_between('bounds', 'first_day', 'last_day') }}
    ) as judged_anew
    union
    select month_start from {{ touched('fct_customer_month') }}
    {%- for months in range(1, 7) %}
    union
    select {{ plus_months(month_of(date_of_key('ordered_date_key')), -months) }} from {{ touched('fct_order') }}
    where customer_key <> -1 and ordered_date_key > 0
    union
    select {{ plus_months(month_of(date_of_key('answered_date_key')), -months) }} from {{ touched('fct_survey_answer') }}
    where customer_key <> -1 and answered_date_key > 0
    {%- endfor %}
    union
    select cells.month_start from {{ this }} as cells
    cross join night
    where
        not {{ is_judged('cells.month_start', 'night.as_of') }}
        {%- for metric, days in [('retained_90', 90), ('retained_180', 180), ('satisfied_later', later_days())] %}
        or (
            cells.metric = '{{ metric }}'
            and cells.is_matured <> ({{ plus_days(month_end('cells.month_start'), days) }} <= night.as_of)
        )
        {%- endfor %}
{%- endmacro -%}
