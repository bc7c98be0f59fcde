{#-
    Cells too small to show. What lives here: which parts of which cells are hidden, so that none comes back as a total
    minus the others. Not here: what the cells say (models/marts).

    All are CTEs, to be put between others. A cell has key columns and, per part of its figures, the number of people the part
    is of. A part of 1 to 4 people is hidden. The member 'all' is the total of the other members.
-#}

{#- Cells with members along one axis: `hidden_cells` has the columns `parent` and `member`, and hidden_<part>. -#}
{%- macro hidden_cells_ctes(cells, parent, member, part) -%}
{%- set columns = parent + [member, part] -%}
small_cells as (
    select {{ columns | join(', ') }}, {{ part }} > 0 and {{ part }} < {{ k_privacy() }} as hidden from {{ cells }}
),

{{ hide_another('small_cells', 'hidden_by_two', columns, parent, member, part) }},

hidden_cells as (
    select {{ columns | join(', ') }}, hidden as hidden_{{ part }} from hidden_by_two
)
{%- endmacro -%}

{#-
    Cells with members along two axes, `across` and `down`, and several parts: `hidden_cells` has all columns and
    hidden_<part>. Parts come in order: what hides one hides those after it. For the first part, where one member down is hidden
    alone, the next smallest is hidden too; for the others the total is, since there are few and each matters more.
-#}
{%- macro hidden_table_ctes(cells, parent, across, down, parts) -%}
{%- for part in parts %}
{%- set done = [] -%}
{%- for before in parts[:loop.index0] -%}{%- do done.append('hidden_' ~ before) -%}{%- endfor -%}
{%- set columns = parent + [across, down] + parts + done -%}
{%- set row = parent + [down] -%}
{%- set column = parent + [across] -%}
small_{{ part }} as (
    select
        {{ columns | join(', ') }},
        {% if done %}{{ done | last }} or {% endif %}({{ part }} > 0 and {{ part }} < {{ k_privacy() }}) as hidden
    from {{ cells if loop.first else 'hidden_by_' ~ parts[loop.index0 - 1] }}
),
{% if loop.first %}
{{ hide_another('small_' ~ part, 'down_' ~ part, columns, column, down, part) }},

{{ hide_with_total('down_' ~ part, 'begun_' ~ part, columns, row, across) }},
{% endif %}
{{ hide_another(('begun_' if loop.first else 'small_') ~ part, 'across_' ~ part, columns, row, across, part) }},

totals_{{ part }} as (
    select
        {{ columns | join(', ') }},
        hidden or ({{ down }} = 'all' and sum(case when hidden and {{ down }} <> 'all' then 1 else 0 end) over (partition by {{ column | join(', ') }}) = 1)
            as hidden
    from across_{{ part }}
),

{{ hide_with_total('totals_' ~ part, 'spread_' ~ part, columns, row, across) }},

{{ hide_another('spread_' ~ part, 'ended_' ~ part, columns, row, across, part) }},

{{ 'hidden_cells' if loop.last else 'hidden_by_' ~ part }} as (
    select {{ columns | join(', ') }}, hidden as hidden_{{ part }} from ended_{{ part }}
){{ ',' if not loop.last }}
{% endfor %}
{%- endmacro -%}

{#- Where one member is hidden alone, the next smallest is hidden with it. -#}
{%- macro hide_another(source, name, columns, parent, member, part) -%}
{%- set can_be_next = member ~ " <> 'all' and not hidden and " ~ part ~ ' > 0' -%}
ranked_for_{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden,
        {{ can_be_next }} as can_be_next,
        sum(case when hidden and {{ member }} <> 'all' then 1 else 0 end) over (partition by {{ parent | join(', ') }}) as hidden_members,
        row_number() over (partition by {{ parent | join(', ') }}, {{ can_be_next }} order by {{ part }}, {{ member }}) as size_rank
    from {{ source }}
),

{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden or (can_be_next and hidden_members = 1 and size_rank = 1) as hidden
    from ranked_for_{{ name }}
)
{%- endmacro -%}

{#- Where the total is hidden, so are its members, which add up to it. -#}
{%- macro hide_with_total(source, name, columns, parent, member) -%}
{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden or max(case when hidden and {{ member }} = 'all' then 1 else 0 end) over (partition by {{ parent | join(', ') }}) = 1 as hidden
    from {{ source }}
)
{%- endmacro -%}
