{#-
    The periods of the journey marts: months and the last 365 days. What lives here: what hidden months hide of these days. Not here: what
    is counted in them (models/marts/journey), which of them a night moves (what each is made of).
-#}

{#-
    A CTE, `name`: `source`, in which the last 365 days also hide what any month within them hides, which would come back as
    these less the other months. `key` names a cell of a period. `stored` is a select of the key and period_start of the hidden
    months in the mart itself, for the months this night does not work out again.
-#}
{%- macro hide_with_months(source, name, columns, key, stored) -%}
months_of_{{ name }} as (
    select {{ key | join(', ') }}, period_start from {{ source }} where period = 'month' and hidden
    {%- if is_incremental() %}
    union all
    select {{ key | join(', ') }}, period_start from ({{ stored }}) as stored where not {{ is_touched(["'month'", 'stored.period_start']) }}
    {%- endif %}
),

{{ name }} as (
    select
        {{ columns | join(', ') }},
        hidden or (
            period <> 'month'
            and exists (
                select 1 from months_of_{{ name }} as months
                where
                    {{ equal_columns('months', 'cells', key) }}
                    and months.period_start between cells.period_start and {{ plus_days('cells.period_start', 364) }}
            )
        ) as hidden
    from {{ source }} as cells
)
{%- endmacro -%}
