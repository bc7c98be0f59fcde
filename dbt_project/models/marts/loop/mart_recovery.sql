{#-
    What becomes of customers we failed, month by month. What lives here: those never failed, won back and not won back side by side;
    cases somebody took care of beside cases nobody did. Not here: single cases (fct_closed_loop_case).

    None of it says that care causes anything. Many who were disappointed are not the next time, whatever is done: that is why
    the cases nobody touched stand beside the others. Who was cared for was not drawn by lot.

    A month is told once everybody in it has had the 60 days to be won back. Groups are of customers active at its end, by their
    last failure in it; what became of them is looked at from the month's end on, in all groups alike, and their satisfaction only
    after those 60 days, or it would repeat what made the group. Touched is who was answered or whose ticket was solved
    before the answer that tells. Customers nobody knows cannot be followed.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="{{ touched_recovery_months() }}"
) }}

{%- set cell = ['month_start', 'comparison', 'metric', 'split_by', 'split'] %}

with night as (
    select as_of from {{ night() }}
),

cases as (
    select
        cases.case_key,
        cases.customer_key,
        cases.trigger,
        cases.failure_no,
        {{ month_of(date_of_key('cases.opened_date_key')) }} as month_start,
        {{ date_of_key('cases.opened_date_key') }} as opened_on,
        cases.opened_at,
        cases.responded_at,
        cases.addressed_at,
        cases.is_recovered,
        cases.next_answer_key,
        {#- Where nobody said anything, the days that were given them. #}
        coalesce(cases.recovered_at, answers.answered_at, {{ after_days('cases.opened_at', recovery_days()) }}) as told_at
    from {{ ref('fct_closed_loop_case') }} as cases
    left join {{ ref('fct_survey_answer') }} as answers on answers.answer_key = cases.next_answer_key
    where cases.customer_key <> -1
),

first_failures as (
    select customer_key, min(opened_on) as first_failed_on
    from cases
    group by customer_key
),

{#- Before the first case nobody was asked, so nobody is known never to have been failed. -#}
first_month as (
    select min(month_start) as month_start from cases
),

{#- Of a failure that is several cases, every one must be recovered. -#}
last_failures as (
    select customer_key, month_start, failure_no, min(case when is_recovered then 1 else 0 end) = 1 as is_recovered
    from (
        select
            customer_key,
            month_start,
            failure_no,
            is_recovered,
            max(failure_no) over (partition by customer_key, month_start) as last_failure_no
        from cases
        where {{ is_touched(['month_start']) }}
    ) as numbered
    where failure_no = last_failure_no
    group by customer_key, month_start, failure_no
),

customers as (
    select
        months.customer_key,
        months.month_start,
        {{ month_end('months.month_start') }} as month_end,
        months.recency_days,
        case
            when first_failures.first_failed_on is null or first_failures.first_failed_on > {{ month_end('months.month_start') }} then 'never_failed'
            when last_failures.is_recovered then 'failed_recovered'
            when not last_failures.is_recovered then 'failed_not_recovered'
        end as member,
        case when last_failures.failure_no = 1 then '1' when last_failures.failure_no > 1 then '2+' end as failures,
        night.as_of
    from {{ ref('fct_customer_month') }} as months
    inner join night on {{ is_judged('months.month_start', 'night.as_of') }}
    inner join first_month on first_month.month_start <= months.month_start
    left join first_failures on first_failures.customer_key = months.customer_key
    left join last_failures
        on last_failures.customer_key = months.customer_key
        and last_failures.month_start = months.month_start
    where months.is_active and {{ is_touched(['months.month_start']) }}
),

next_orders as (
    select customers.customer_key, customers.month_start, min(orders.ordered_on) as ordered_on
    from customers
    inner join (
        select customer_key, {{ date_of_key('ordered_date_key') }} as ordered_on from {{ ref('fct_order') }} where is_counted
    ) as orders
        on orders.customer_key = customers.customer_key
        and orders.ordered_on > customers.month_end
        and orders.ordered_on <= {{ plus_days('customers.month_end', later_days()) }}
    where customers.member is not null
    group by customers.customer_key, customers.month_start
),

later_answers as (
    select customer_key, month_start, is_low
    from (
        select
            customers.customer_key,
            customers.month_start,
            answers.is_low,
            row_number() over (
                partition by customers.customer_key, customers.month_start
                order by answers.answered_at, answers.is_low desc, answers.answer_key
            ) as place
        from customers
        inner join (
            select
                words.customer_key,
                words.answer_key,
                words.answered_at,
                {{ date_of_key('words.answered_date_key') }} as answered_on,
                {{ is_low_class('words.answer_class') }} as is_low
            from {{ ref('fct_survey_answer') }} as words
            where {{ is_customers_word('words') }}
        ) as answers
            on answers.customer_key = customers.customer_key
            and answers.answered_on > {{ plus_days('customers.month_end', recovery_days()) }}
            and answers.answered_on <= {{ plus_days('customers.month_end', later_days()) }}
        where customers.member is not null
    ) as ranked
    where place = 1
),

followed_customers as (
    select
        customers.month_start,
        customers.member,
        customers.failures,
        customers.customer_key,
        {%- for days in [90, 180] %}
        {{ is_active_on(plus_days('customers.month_end', '-customers.recency_days'), plus_days('customers.month_end', days)) }}
            or coalesce(next_orders.ordered_on <= {{ plus_days('customers.month_end', days) }}, false) as is_retained_{{ days }},
        {{ plus_days('customers.month_end', days) }} <= customers.as_of as is_matured_{{ days }},
        {%- endfor %}
        not later_answers.is_low as is_satisfied_later,
        {{ plus_days('customers.month_end', later_days()) }} <= customers.as_of as is_matured_later
    from customers
    left join next_orders
        on next_orders.customer_key = customers.customer_key
        and next_orders.month_start = customers.month_start
    left join later_answers
        on later_answers.customer_key = customers.customer_key
        and later_answers.month_start = customers.month_start
    where customers.member is not null
),

followed_cases as (
    select
        cases.month_start,
        case
            when cases.responded_at <= cases.told_at or cases.addressed_at <= cases.told_at then 'touched'
            else 'untouched'
        end as member,
        cases.trigger,
        case when cases.failure_no = 1 then '1' else '2+' end as failures,
        cases.customer_key,
        cases.is_recovered,
        cases.next_answer_key <> -1 as is_answered
    from cases
    inner join night on {{ is_judged('cases.month_start', 'night.as_of') }}
    where {{ is_touched(['cases.month_start']) }}
),

{#- One row per figure somebody is in; `is_hit` is what is counted. -#}
units as (
    {%- for metric, hit, matured in [
        ('customers', 'true', 'true'),
        ('retained_90', 'is_retained_90', 'is_matured_90'),
        ('retained_180', 'is_retained_180', 'is_matured_180'),
        ('satisfied_later', 'is_satisfied_later', 'is_matured_later'),
    ] %}
    {%- for split_by, split, condition in [('none', "'all'", 'true'), ('failures', 'failures', 'failures is not null')] %}
    select
        month_start, 'recovery' as comparison, '{{ metric }}' as metric, '{{ split_by }}' as split_by, {{ split }} as split,
        member, customer_key, {{ hit }} as is_hit, {{ matured }} as is_matured
    from followed_customers
    where {{ condition }}{{ ' and (is_satisfied_later is not null or not is_matured_later)' if metric == 'satisfied_later' }}
    union all
    {%- endfor %}
    {%- endfor %}
    {%- for metric, condition in [('recovered', 'true'), ('satisfied_next', 'is_answered')] %}
    {%- for split_by, split in [('none', "'all'"), ('failures', 'failures'), ('trigger', 'trigger')] %}
    {%- for member in ['member', "'all'"] %}
    select
        month_start, 'follow_up' as comparison, '{{ metric }}' as metric, '{{ split_by }}' as split_by, {{ split }} as split,
        {{ member }} as member, customer_key, is_recovered as is_hit, true as is_matured
    from followed_cases
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

cells as (
    select
        {{ cell | join(', ') }},
        member,
        is_matured,
        count(*) as n,
        count(distinct customer_key) as customers,
        sum(case when is_hit then 1 else 0 end) as hits
    from units
    group by {{ cell | join(', ') }}, member, is_matured
),

sized_cells as (
    select
        {{ cell | join(', ') }},
        member,
        customers,
        member <> 'all' and {{ is_small('customers') }} as hidden
    from cells
),

{{ hide_another('sized_cells', 'judged_cells', cell + ['member', 'customers'], cell, 'member', 'customers') }},

{#- Members add up across splits too, so a split with a hidden member is hidden whole; its people are those of its smallest member. -#}
sized_splits as (
    select
        {{ cell | join(', ') }},
        min(customers) as customers,
        max(case when hidden then 1 else 0 end) = 1 as hidden
    from judged_cells
    where split_by <> 'none'
    group by {{ cell | join(', ') }}
),

{{ hide_another('sized_splits', 'judged_splits', cell + ['customers'], cell[:4], 'split', 'customers') }},

{#- What is hidden whole hides its splits, and what is hidden among all is hidden among those who were followed or answered. -#}
judged as (
    select
        {% for column in cell %}cells.{{ column }}, {% endfor %}
        cells.member,
        cells.is_matured,
        cells.n,
        cells.hits,
        exists (
            select 1 from judged_cells as others
            where
                others.hidden
                and others.month_start = cells.month_start
                and others.comparison = cells.comparison
                and others.metric in (cells.metric, 'customers', 'recovered')
                and (
                    (others.split_by = 'none' and cells.split_by <> 'none')
                    or (others.split_by = cells.split_by and others.split = cells.split and others.member = cells.member)
                )
        )
        or exists (
            select 1 from judged_splits as others
            where
                others.hidden
                and others.month_start = cells.month_start
                and others.comparison = cells.comparison
                and others.metric in (cells.metric, 'customers', 'recovered')
                and others.split_by = cells.split_by
                and others.split = cells.split
        ) as is_hidden
    from cells
),

shares as (
    select
        {{ cell | join(', ') }},
        member,
        is_matured,
        is_hidden as is_suppressed,
        case when metric = 'customers' then 'count' else 'wilson' end as method,
        n < {{ n_low() }} as is_low_n,
        case when not is_hidden then cast(hits as double) end as numerator,
        case when not is_hidden and metric <> 'customers' then cast(n as double) end as denominator,
        case when not is_hidden then n end as n,
        case when metric = 'customers' then cast(hits as double) else {{ percent_value('hits', 'n') }} end as value,
        case when metric <> 'customers' then {{ wilson_end('hits', 'n', '-') }} end as ci_low,
        case when metric <> 'customers' then {{ wilson_end('hits', 'n', '+') }} end as ci_high
    from judged
),

differences as (
    select
        {% for column in cell %}touched.{{ column }}, {% endfor %}
        'difference' as member,
        touched.is_matured,
        touched.is_hidden or untouched.is_hidden as is_suppressed,
        'agresti_caffo' as method,
        touched.n < {{ n_low() }} or untouched.n < {{ n_low() }} as is_low_n,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when not (touched.is_hidden or untouched.is_hidden) then touched.n + untouched.n end as n,
        {{ share_difference_value('touched.hits', 'touched.n', 'untouched.hits', 'untouched.n') }} as value,
        {{ share_difference_end('touched.hits', 'touched.n', 'untouched.hits', 'untouched.n', '-') }} as ci_low,
        {{ share_difference_end('touched.hits', 'touched.n', 'untouched.hits', 'untouched.n', '+') }} as ci_high
    from judged as touched
    inner join judged as untouched on {{ equal_columns('untouched', 'touched', cell) }} and untouched.member = 'untouched'
    where touched.member = 'touched'
),

figures as (
    select
        {{ cell | join(', ') }}, member, is_matured, is_suppressed, method, is_low_n, numerator, denominator, n, value, ci_low, ci_high
    from shares
    union all
    select
        {{ cell | join(', ') }}, member, is_matured, is_suppressed, method, is_low_n, numerator, denominator, n, value, ci_low, ci_high
    from differences
),

final as (
    select
        {{ surrogate_key(cell + ['member']) }} as recovery_key,
        {{ cell | join(', ') }},
        member,
        {%- for column in ['numerator', 'denominator'] %}
        case when is_matured then {{ column }} end as {{ column }},
        {%- endfor %}
        cast(case when is_matured then n end as bigint) as n,
        {%- for column in ['value', 'ci_low', 'ci_high'] %}
        case when is_matured and not is_suppressed then round({{ column }}, 4) end as {{ column }},
        {%- endfor %}
        method,
        is_matured,
        is_suppressed,
        is_low_n
    from figures
)

select * from final
