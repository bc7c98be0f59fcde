{#- When tickets were solved. What lives here: the one reading of solutions. Not here: when each happened (fct_ticket_transition). -#}

{#- A CTE body: by touched ticket_key, its first and last solution, how often it came back, and when it was removed. -#}
{%- macro solutions_of_tickets() -%}
    select
        ticket_key,
        min(case when transition = 'solved' and not is_inferred then occurred_at end) as first_solved_at,
        max(case when transition = 'solved' and not is_inferred then occurred_at end) as last_solved_at,
        sum(case when transition = 'reopened' then 1 else 0 end) as reopens,
        max(case when transition = 'removed' then occurred_at end) as removed_at
    from {{ ref('fct_ticket_transition') }}
    where {{ is_touched(['ticket_key']) }}
    group by ticket_key
{%- endmacro -%}
