{#-
    Which records of the KPIs a night moves because of their customers. What lives here: the days of customers that got another
    segment or country, and the stored records that lie on them. Not here: which records a fact makes (int_kpi__*).

    A record has the segment of its day and the country of today, so a customer who changes segment in June leaves what they did
    in May as it was.
-#}

{#-
    A select statement: customer_key, from_date, to_date. The touched spells are those that stood before and not now, or now and
    not before. Where two of them lie over each other, the segment of these days was another one; where none lies over one, the
    customer came or went with it.
-#}
{%- macro customer_days_moved_for_kpis() -%}
    select
        one.customer_key,
        greatest(one.from_date, other.from_date) as from_date,
        least(one.to_date, other.to_date) as to_date
    from {{ touched('int_customer__segment_spell') }} as one
    inner join {{ touched('int_customer__segment_spell') }} as other
        on other.customer_key = one.customer_key
        and other.segment > one.segment
        and other.from_date <= one.to_date
        and other.to_date >= one.from_date
    union all
    select one.customer_key, one.from_date, one.to_date
    from {{ touched('int_customer__segment_spell') }} as one
    where not exists (
        select 1 from {{ touched('int_customer__segment_spell') }} as other
        where
            other.customer_key = one.customer_key
            and other.from_date <= one.to_date
            and other.to_date >= one.from_date
            and (other.segment <> one.segment or other.from_date <> one.from_date or other.to_date <> one.to_date)
    )
{%- endmacro -%}

{#- A select statement: customer_key of those whose country is another one, or who came or went. -#}
{%- macro customers_of_another_country() -%}
    select customer_key from {{ touched('int_customer__attributes') }}
    group by customer_key
    having count(distinct coalesce(country, '')) > 1 or count(*) = 1
{%- endmacro -%}

{#-
    A select statement: `key` of the stored records of this model that their customer moves. A record that is not stored, or
    lies on another day than it will, is moved by its fact. A state lasts from the first to the last of its record's days.
-#}
{%- macro records_moved_by_customers(key, has_states=false) -%}
    select {{ key | join(', ') }} from {{ this }} where respondent in ({{ customers_of_another_country() }})
    union
    select {% for column in key %}records.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ this }} as records
    inner join ({{ customer_days_moved_for_kpis() }}) as moved
        on moved.customer_key = records.respondent
        and records.date_day between moved.from_date and moved.to_date
    {%- if has_states %}
    union
    select {% for column in key %}states.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from (
        select
            {{ key | join(', ') }},
            respondent,
            min(date_day) as from_date,
            case when sum(responses) = 0 then max(date_day) else cast('9999-12-31' as date) end as to_date
        from {{ this }}
        where is_state
        group by {{ key | join(', ') }}, respondent
    ) as states
    inner join ({{ customer_days_moved_for_kpis() }}) as moved
        on moved.customer_key = states.respondent
        and moved.from_date <= states.to_date
        and moved.to_date >= states.from_date
    {%- endif %}
{%- endmacro -%}
