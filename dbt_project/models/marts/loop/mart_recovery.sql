{#-
    What becomes of customers we failed, month by month. What lives here: those never failed, won back and not won back side by side;
    cases somebody took care of beside cases nobody did; which of it may be shown. Not here: single cases (fct_closed_loop_case), who is in
    which group (int_recovery__customer), counts (int_recovery__cell).

    None of it says that care causes anything. Many who were disappointed are not the next time, whatever is done: that is why
    the cases nobody touched stand beside the others. Who was cared for was not drawn by lot.

    A month is told once everybody in it has had the 60 days to be won back. What became of them is looked at from the month's end on,
    in all groups alike, and their satisfaction only after those 60 days, or it would repeat what made the group.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['month_start'],
    touched_by="select month_start from {{ touched('int_recovery__cell') }}"
) }}

{%- set cell = ['month_start', 'comparison', 'metric', 'split_by', 'split'] %}
{%- set figure = cell + [
    'member', 'is_matured', 'is_suppressed', 'method', 'is_low_n', 'numerator', 'denominator', 'n', 'value', 'ci_low', 'ci_high'
] %}

with cells as (
    select
        {{ cell | join(', ') }}, member, is_matured, n, customers, hits
    from {{ ref('int_recovery__cell') }}
    where {{ is_touched(['month_start']) }}
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
    select {{ figure | join(', ') }} from shares
    union all
    select {{ figure | join(', ') }} from differences
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
