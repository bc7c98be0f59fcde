{#-
    How many are in each figure of recovery, and of how many it is true. What lives here: the customers of a group and the cases
    somebody took care of, counted in all and by what they are split by. Not here: who is in which group (int_recovery__customer), what
    may be shown, shares and differences (mart_recovery).

    Touched is who was answered or whose ticket was solved before the answer that tells.
-#}
{{ config(
    touched_key=['month_start'],
    touched_by="{{ touched_recovery_cells() }}"
) }}

{%- set cell = ['month_start', 'comparison', 'metric', 'split_by', 'split', 'member', 'is_matured'] %}

with night as (
    select as_of from {{ night() }}
),

cases as (
    select
        cases.customer_key,
        cases.trigger,
        cases.failure_no,
        {{ month_of(date_of_key('cases.opened_date_key')) }} as month_start,
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
    from {{ ref('int_recovery__customer') }}
    where {{ condition }} and {{ is_touched(['month_start']) }}{{ ' and (is_satisfied_later is not null or not is_matured_later)' if metric == 'satisfied_later' }}
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
)

select
    {{ cell | join(', ') }},
    count(*) as n,
    count(distinct customer_key) as customers,
    cast(sum(case when is_hit then 1 else 0 end) as bigint) as hits
from units
group by {{ cell | join(', ') }}
