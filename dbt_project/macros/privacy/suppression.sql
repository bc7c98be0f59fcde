{#-
    Cells too small to show. What lives here: how many people a cell needs, and which cells are hidden so that none of fewer
    comes back by adding and subtracting the others. Not here: what the cells say (models/marts).

    One principle: what is hidden lies in pools, each of at least two cells and k people, and a cell is shown only where it
    consists of whole pools and cells shown by themselves. Whatever is added to or subtracted from what is shown then consists
    of whole pools and shown cells too, so nothing finer than these can be worked out.
      - Members of one total: a cell of 1 to k-1 people is hidden, and the smallest of the others with it. That is a pool.
      - A tree (team, agent): what is hidden hides what is below it, so the pool above is whole below too.
      - Two axes: pools are made along one of them; a total of the other axis is shown only where it cuts no pool.
      - Periods within a longer one: pools are made in each; the longer period is shown only where each of them is.
    A relation of cells has a boolean column `hidden`: what must be hidden whatever the others are. 'all' is the total of its
    siblings.
-#}

{#- Fewest distinct customers a cell may show. -#}
{%- macro k_privacy() -%} 5 {%- endmacro -%}

{#- Fewest tickets (or answers) a figure about an agent or a team may rest on. -#}
{%- macro k_agents() -%} 10 {%- endmacro -%}

{#- Fewest people of a cell that is shown: customers, and employees, who know one another. -#}
{%- macro smallest_group(is_employee) -%}
    case when {{ is_employee }} then {{ k_agents() }} else {{ k_privacy() }} end
{%- endmacro -%}

{#- Somebody is in the cell, but too few. -#}
{%- macro is_small(people, least=k_privacy()) -%}
    ({{ people }} > 0 and {{ people }} < {{ least }})
{%- endmacro -%}

{#-
    A CTE, `name`: the `columns` of `source` and `hidden`, in which the hidden members of each parent have company. Where any
    is hidden, the smallest of the others is hidden too, unless two are hidden already, one of them large enough to cover the
    others. A total whose only member is hidden is hidden with it: it says the same.

    `people` is the column with their number. `least` is k. `apart` says that nobody is in two siblings: their people can be
    added, so several small ones cover one another.
-#}
{%- macro hide_another(source, name, columns, parent, member, people, least=k_privacy(), apart=false) -%}
{%- set siblings = parent | join(', ') -%}
{%- set is_member = member ~ " <> 'all' and " ~ people ~ ' > 0' -%}
counted_for_{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden,
        {{ is_member }} as is_member,
        max(case when hidden then 1 else 0 end) over (partition by {{ siblings }}) = 1 as hides_any,
        sum(case when {{ is_member }} and hidden then 1 else 0 end) over (partition by {{ siblings }}) as hidden_members,
        sum(case when {{ is_member }} then 1 else 0 end) over (partition by {{ siblings }}) as members,
        max(case when {{ member }} = 'all' and hidden then 1 else 0 end) over (partition by {{ siblings }}) as hidden_totals,
        coalesce({{ 'sum' if apart else 'max' }}(case when {{ is_member }} and hidden then {{ people }} end) over (partition by {{ siblings }}), 0) as cover,
        row_number() over (partition by {{ siblings }}, {{ is_member }} and not hidden order by {{ people }}, {{ member }}) as size_rank
    from {{ source }}
),

{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden
        or (is_member and hides_any and size_rank = 1 and not (hidden_members + hidden_totals >= 2 and cover >= {{ least }}))
        or ({{ member }} = 'all' and members = 1 and hidden_members = 1) as hidden
    from counted_for_{{ name }}
)
{%- endmacro -%}

{#-
    CTEs, the last of them `name`: cells along two axes, `down` and `across`, both with totals, as `columns` and `hidden`.
    Pools are made along `across` for each member down (where the total of a member down is hidden, all such make one pool); a
    total over `down` is hidden where it would cut one. Nobody is in two members across.
-#}
{%- macro hide_in_table(source, name, parent, down, across, people) -%}
{%- set columns = parent + [down, across, people] -%}
totals_of_{{ name }} as (
    select {{ columns | join(', ') }}, hidden from {{ source }} where {{ across }} = 'all'
),

{{ hide_another('totals_of_' ~ name, 'down_' ~ name, columns, parent, down, people) }},

below_{{ name }} as (
    select
        {% for column in columns %}cells.{{ column }}, {% endfor %}
        totals.hidden as in_hidden_total,
        cells.hidden or (cells.{{ across }} = 'all' and totals.hidden) as hidden
    from {{ source }} as cells
    inner join down_{{ name }} as totals on {{ equal_columns('totals', 'cells', parent + [down]) }}
    where cells.{{ down }} <> 'all'
),

{{ hide_another('below_' ~ name, 'across_' ~ name, columns + ['in_hidden_total'], parent + [down], across, people) }},

{#- Pools of more than one member across; one that lies within a single member is whole in that member's total. -#}
pools_of_{{ name }} as (
    select
        {{ parent | join(', ') }},
        {{ across }},
        min({{ across }}) over pool <> max({{ across }}) over pool as is_cut
    from across_{{ name }}
    where hidden and {{ across }} <> 'all' and {{ people }} > 0
    window pool as (partition by {{ parent | join(', ') }}, case when in_hidden_total then 'all' else {{ down }} end)
),

cut_{{ name }} as (
    select distinct {{ (parent + [across]) | join(', ') }} from pools_of_{{ name }} where is_cut
),

edge_{{ name }} as (
    select
        {% for column in columns %}cells.{{ column }}, {% endfor %}
        cells.hidden or cut.{{ across }} is not null or (cells.{{ across }} = 'all' and totals.hidden) as hidden
    from {{ source }} as cells
    left join cut_{{ name }} as cut on {{ equal_columns('cut', 'cells', parent + [across]) }}
    left join down_{{ name }} as totals on {{ equal_columns('totals', 'cells', parent + [down]) }}
    where cells.{{ down }} = 'all'
),

{{ hide_another('edge_' ~ name, 'ended_' ~ name, columns, parent, across, people, apart=true) }},

{{ name }} as (
    select {{ columns | join(', ') }}, hidden from across_{{ name }}
    union all
    select {{ columns | join(', ') }}, hidden from ended_{{ name }}
)
{%- endmacro -%}
