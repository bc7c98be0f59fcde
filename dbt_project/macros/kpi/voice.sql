{#-
    What invitations and feedback make together. What lives here: response rates, how much of what customers say is used. All
    in percent. Not here: which invitations and items count (the facts).
-#}

{#-
    Response rate: completed of what was delivered, the Wilson interval by wilson_end(completed, delivered). Only invitations
    have it: whoever answers by an open link was never asked, so nobody knows how many did not answer.
-#}
{%- macro response_rate_value(completed, delivered) -%}
    {{ percent_value(completed, delivered) }}
{%- endmacro -%}

{#- Like AAPOR's response rate 1: completed of all who were to be asked, reached or not. Partial answers are not completed. -#}
{%- macro rr1_like_value(completed, invited) -%}
    {{ percent_value(completed, invited) }}
{%- endmacro -%}

{#- How much of the feedback was used: somebody answered it or acted on it. -#}
{%- macro is_used(responded_at, actioned_at) -%}
    ({{ responded_at }} is not null or {{ actioned_at }} is not null)
{%- endmacro -%}

{#- A CTE body: when what is said in a record was first answered and acted on in the cases it opened (fct_closed_loop_case). -#}
{%- macro done_about_feedback() -%}
    select source_object, source_ref, min(responded_at) as responded_at, min(addressed_at) as actioned_at
    from {{ ref('fct_closed_loop_case') }}
    group by source_object, source_ref
{%- endmacro -%}
