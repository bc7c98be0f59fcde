{#-
    How long what a case waits for may take. What lives here: the days, and instants in hours. Not here: how soon somebody must
    have answered (seed loop_targets).
-#}

{#- Days in which a call or a letter of ours is taken for the answer to a low score; later it is about something else. -#}
{%- macro contact_days() -%} 7 {%- endmacro -%}

{#- Days in which the customer must be satisfied again for a case to be recovered. -#}
{%- macro recovery_days() -%} 60 {%- endmacro -%}

{#- `instant` and `hours` hours, whatever the clocks do in between. -#}
{%- macro after_hours(instant, hours) -%}
    {{ return(adapter.dispatch('after_hours')(instant, hours)) }}
{%- endmacro -%}

{%- macro duckdb__after_hours(instant, hours) -%}
    {{ instant }} + to_hours({{ hours }})
{%- endmacro -%}

{#- What happened at `instant` and up to `days` days after `opened_at`. -#}
{%- macro is_within_days(instant, opened_at, days) -%}
    ({{ instant }} >= {{ opened_at }} and {{ instant }} <= {{ after_days(opened_at, days) }})
{%- endmacro -%}
