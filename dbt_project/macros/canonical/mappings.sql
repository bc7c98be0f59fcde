{#-
    Which systems tell of which object. Written by scripts/dbt_sources from the names of the models
    int_<object>__<system> in models/staging/<system>. Add or rename a model, not a line here.
-#}
{%- macro mappings() -%}
    {{ return({
        'account': ['canonical', 'salesforce', 'zendesk'],
        'action': ['canonical'],
        'activity': ['canonical', 'olist'],
        'agent': ['canonical', 'zendesk'],
        'contact': ['canonical', 'olist', 'salesforce', 'zendesk'],
        'feedback': ['canonical'],
        'order': ['canonical', 'olist', 'salesforce'],
        'sla_event': ['zendesk'],
        'survey_answer': ['canonical', 'olist', 'qualtrics', 'zendesk'],
        'survey_invitation': ['canonical', 'qualtrics'],
        'survey_question': ['canonical', 'olist', 'qualtrics', 'zendesk'],
        'ticket': ['canonical', 'salesforce', 'zendesk'],
        'ticket_event': ['canonical', 'salesforce', 'zendesk'],
    }) }}
{%- endmacro -%}
