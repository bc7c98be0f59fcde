{#-
    Which months of the value marts a night moves. What lives here: their touched_by, and in it what the passing of time moves. Not
    here: the months themselves.
-#}

{#-
    Customers and months of int_customer_month__standing. An order moves its customer's months from its own on, because they add
    up; so does a customer who is known since another day.

    The passing of time moves, of the month that was running: customers of whom an order, a contract or the day they are known since came in,
    or one of whose orders left the year or the two years up to its end. Of a month that begins it moves everybody, and one
    that is yet to come goes away when the business date steps back.
-#}
{%- macro touched_standings() -%}
    with passing as (
        {{ passing_time() }}
    ),
    moved as (
        select customer_key, ordered_on as moved_on from {{ touched('int_customer_month__purchase_day') }}
        union all
        select customer_key, known_on from {{ touched('int_customer_month__customer') }}
    ),
    moved_customers as (
        select customer_key, {{ month_of('min(moved_on)') }} as first_month from moved where moved_on is not null group by customer_key
    ),
    bounds as (
        select
            least(coalesce(min(moved_customers.first_month), max(passing.after_day)), max(passing.after_day)) as first_day,
            max(passing.until_day) as last_day
        from passing
        left join moved_customers on true
    ),
    months as (
        {{ months_between('bounds', 'first_day', 'last_day') }}
    ),
    running as (
        select
            months.month_start,
            {{ state_day_no('months.month_start', 'passing.after_day') }} as after_no,
            {{ state_day_no('months.month_start', 'passing.until_day') }} as until_no
        from months
        inner join passing on months.month_start = {{ month_of('passing.after_day') }}
    )
    select moved_customers.customer_key, months.month_start
    from moved_customers
    inner join months on months.month_start >= moved_customers.first_month
    union
    select days.customer_key, running.month_start
    from running
    inner join {{ ref('int_customer_month__purchase_day') }} as days
        on {% for years in [0, 1, 2] -%}
        {{ 'or ' if not loop.first }}(
            days.day_no > running.after_no - {{ days_of_calendar(years) }} and days.day_no <= running.until_no - {{ days_of_calendar(years) }}
        )
        {% endfor -%}
    union
    select customers.customer_key, running.month_start
    from running
    cross join passing
    inner join {{ ref('int_customer_month__customer') }} as customers
        on {{ turns_days_old('customers.contract_known_on', 0) }} or {{ turns_days_old('customers.known_on', 0) }}
    union
    select customers.customer_key, months.month_start
    from months
    inner join passing on months.month_start > passing.after_day
    inner join {{ ref('int_customer_month__customer') }} as customers on {{ month_of('customers.known_on') }} <= months.month_start
    union
    select standings.customer_key, standings.month_start
    from {{ this }} as standings
    inner join {{ night() }} as night on standings.month_start > night.as_of
{%- endmacro -%}

{#-
    Customers and months of int_customer_month__contact: those of the tickets and answers that moved, or that the business date has
    reached since.
-#}
{%- macro touched_contacts() -%}
    with passing as (
        {{ passing_time() }}
    )
    {%- for fact, date_key in [('fct_ticket', 'created_date_key'), ('fct_survey_answer', 'answered_date_key')] %}
    select customer_key, {{ month_of(date_of_key(date_key)) }} from {{ touched(fact) }}
    where customer_key <> -1 and {{ date_key }} > 0
    union
    select facts.customer_key, {{ month_of(date_of_key('facts.' ~ date_key)) }}
    from {{ ref(fact) }} as facts
    inner join passing on {{ turns_days_old(date_of_key('facts.' ~ date_key), 0) }}
    where facts.customer_key <> -1
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}

{#-
    Customers and months of fct_customer_month: those of what it is made of. The latest answer stands in later months, too; how many
    leave a segment is said of everybody in it. The month that is running is told of another day every night, and so are those that
    began or ended since.
-#}
{%- macro touched_customer_months() -%}
    with passing as (
        {{ passing_time() }}
    ),
    answered as (
        select customer_key, min(month_start) as first_month from {{ touched('int_customer_month__contact') }}
        where nps_class is not null
        group by customer_key
    )
    {%- for step in ['standing', 'segment', 'rank', 'contact'] %}
    select customer_key, month_start from {{ touched('int_customer_month__' ~ step) }}
    union
    {%- endfor %}
    select standings.customer_key, standings.month_start
    from {{ ref('int_customer_month__standing') }} as standings
    cross join passing
    where
        standings.customer_key in (select customer_key from {{ touched('int_customer_month__customer') }})
        or (passing.until_day > passing.after_day and {{ month_end('standings.month_start') }} > passing.after_day)
    union
    select standings.customer_key, standings.month_start
    from {{ ref('int_customer_month__standing') }} as standings
    inner join answered on answered.customer_key = standings.customer_key and answered.first_month <= standings.month_start
    union
    select segments.customer_key, segments.month_start
    from {{ touched('int_customer_month__churn') }} as churn
    inner join {{ ref('int_customer_month__segment') }} as segments
        on segments.month_start = churn.month_start
        and segments.segment = churn.segment
    union
    select months.customer_key, months.month_start
    from {{ this }} as months
    inner join ({{ months_of_lifetimes() }}) as lifetimes on lifetimes.month_start = months.month_start
    where months.is_clv_matured <> lifetimes.is_clv_matured
{%- endmacro -%}

{#-
    Months of int_customer_value__followed: those of fct_customer_month, those a year later (revenue under contract is compared with the
    year before), those whose following 90 days saw an order move, and those
    whose 90 days have passed by now or no longer have.
-#}
{%- macro touched_followed_months() -%}
    select month_start from {{ touched('fct_customer_month') }}
    union
    select {{ plus_months('month_start', 12) }} from {{ touched('fct_customer_month') }}
    {%- for months in [1, 2, 3, 4] %}
    union
    select {{ plus_months(month_of(date_of_key('ordered_date_key')), -months) }} from {{ touched('fct_order') }}
    where customer_key <> -1 and ordered_date_key > 0
    {%- endfor %}
    union
    select cells.month_start from {{ this }} as cells
    cross join {{ night() }} as night
    where
        cells.metric in ({{ metrics_of_following_days() }})
        and cells.is_matured <> ({{ plus_days(month_end('cells.month_start'), following_days()) }} <= night.as_of)
{%- endmacro -%}

{#- Days after a month's end in which the spending of those who were asked before is watched. -#}
{%- macro following_days() -%} 90 {%- endmacro -%}

{%- macro metrics_of_following_days() -%} 'net_amount_90_days_after', 'retention_90_days_after' {%- endmacro -%}

{#-
    Months of mart_retention_cohort: those of fct_customer_month, those a year later (revenue is compared with the year
    before), and all from a month on in which a cohort itself changed.
-#}
{%- macro touched_cohort_months() -%}
    with moved as (
        select month_start, cohort_month from {{ touched('fct_customer_month') }}
    ),
    changed_cohorts as (
        select min(cohort_month) as first_day, max(night.as_of) as last_day
        from {{ night() }} as night
        left join moved on moved.cohort_month = moved.month_start
    )
    select month_start from moved
    union
    select {{ plus_months('month_start', 12) }} from moved
    union
    select month_start from (
        {{ months_between('changed_cohorts', 'coalesce(first_day, last_day)', 'last_day') }}
    ) as later
    union
    select cohorts.month_start from {{ this }} as cohorts
    cross join {{ night() }} as night
    where cohorts.month_start > night.as_of
{%- endmacro -%}
