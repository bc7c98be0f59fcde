{#-
    Hiding small cells of a breakdown so that none comes back as the total minus the others. What lives here: the columns and the
    condition. Not here: the fewest customers a cell may show (k_privacy).

    Where any member is hidden, the next smallest are hidden with it until at least two are and at least k customers
    stand behind them. `members` is a condition that tells members from their total.
-#}

{#- Two columns, size_rank and smaller_n, over the siblings named by `partition`; what must be hidden comes first. -#}
{%- macro sibling_sizes(must_hide, n, partition, member, prefix='') -%}
    row_number() over (partition by {{ partition | join(', ') }} order by {{ must_hide }} desc, {{ n }}, {{ member }}) as {{ prefix }}size_rank,
    coalesce(
        sum({{ n }}) over (
            partition by {{ partition | join(', ') }}
            order by {{ must_hide }} desc, {{ n }}, {{ member }}
            rows between unbounded preceding and 1 preceding
        ),
        0
    ) as {{ prefix }}smaller_n,
    max(case when {{ must_hide }} then 1 else 0 end) over (partition by {{ partition | join(', ') }}) as {{ prefix }}hides_any
{%- endmacro -%}

{%- macro is_hidden(must_hide, is_member, prefix='') -%}
    ({{ must_hide }} or ({{ is_member }} and {{ prefix }}hides_any = 1 and ({{ prefix }}size_rank <= 2 or {{ prefix }}smaller_n < {{ k_privacy() }})))
{%- endmacro -%}
