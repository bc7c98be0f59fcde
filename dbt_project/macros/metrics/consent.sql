{#-
    Who was written to, and who may be. What lives here: when a letter reminds of another. Not here: what the CRM
    says of consent (dim_customer), who left surveys (int_customer__opt_out).
-#}

{#- Within how many days of another letter about the same a survey's letter reminds of it, where the source does not say. -#}
{%- macro reminder_days() -%} 14 {%- endmacro -%}
