-- Whatever was accepted is in its fact, counted or excluded with a reason, and a fact has nothing else.
{% for fact, key, origin, origin_key in [
    ('fct_order', 'order_key', 'int_order__unioned', 'order_key'),
    ('fct_ticket', 'ticket_key', 'int_ticket__unioned', 'ticket_key'),
    ('fct_survey_answer', 'answer_key', 'int_survey_answer__unioned', 'survey_answer_key'),
] %}
select '{{ fact }}' as fact, coalesce(fact.{{ key }}, origin.{{ origin_key }}) as record_key
from {{ ref(fact) }} as fact
full outer join {{ ref(origin) }} as origin on origin.{{ origin_key }} = fact.{{ key }}
where fact.{{ key }} is null or origin.{{ origin_key }} is null
{{ 'union all' if not loop.last }}
{% endfor %}
