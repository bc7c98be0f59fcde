{#-
    What service did on a ticket, as formulas. What lives here: first contact resolution, shares of machines, the band a day's
    volume is expected in. Not here: how many tickets an agent's figure must rest on (macros/privacy), replies and milestones
    (fct_ticket), business minutes (business_time.sql), targets of the desk (service_levels.sql).
-#}

{#- Days in which no repeat contact may come for a ticket to have been solved on first contact. -#}
{%- macro fcr_days() -%} 7 {%- endmacro -%}

{#- Whether the days after the first solution are over at the end of the business date; false while it is unsolved. -#}
{%- macro is_fcr_matured(first_solved_at, as_of) -%}
    coalesce({{ after_days(first_solved_at, fcr_days()) }} <= {{ end_of_local_day(as_of) }}, false)
{%- endmacro -%}

{#-
    Solved on first contact: never reopened, and the customer's next contact about the topic (if any) came later than those
    days after the solution. A contact while the ticket was still unsolved is a repeat contact too.
-#}
{%- macro is_first_contact_resolution(first_solved_at, reopens, next_contact_at) -%}
    ({{ reopens }} = 0 and ({{ next_contact_at }} is null or {{ next_contact_at }} > {{ after_days(first_solved_at, fcr_days()) }}))
{%- endmacro -%}

{#- Days in which a customer's question must have been answered by a person. -#}
{%- macro days_to_answer() -%} 7 {%- endmacro -%}

{#- Whether nobody answered in those days; NULL where nothing is known of answers, or we began the ticket. -#}
{%- macro is_unanswered(never_answered, first_reply_at, created_at) -%}
    case
        when {{ never_answered }} is not null
            then {{ never_answered }} or {{ first_reply_at }} > {{ after_days(created_at, days_to_answer()) }}
    end
{%- endmacro -%}

{#- Who answered: human, automated, or mixed; NULL where nobody did, or nothing is known of replies. -#}
{%- macro handling_class(human_replies, automated_replies) -%}
    case
        when {{ human_replies }} > 0 and {{ automated_replies }} > 0 then 'mixed'
        when {{ human_replies }} > 0 then 'human'
        when {{ automated_replies }} > 0 then 'automated'
    end
{%- endmacro -%}

{#- Share of machines among what we said in public, 0 to 1; NULL where we said nothing. -#}
{%- macro automated_share(automated, ours) -%}
    cast({{ automated }} as double) / nullif({{ ours }}, 0)
{%- endmacro -%}

{#- Statuses in which a customer waits for us; pending waits for the customer, solved and closed for nobody. -#}
{%- macro is_waiting_status(status) -%}
    {{ status }} in ('new', 'open', 'hold')
{%- endmacro -%}

{%- macro is_known_status(status) -%}
    coalesce({{ status }} in ('new', 'open', 'hold', 'pending', 'solved', 'closed'), false)
{%- endmacro -%}

{#- Ages of unsolved tickets in whole midnights since the day of creation: the first of each band, youngest band first. -#}
{%- macro backlog_age_bands() -%}
    {{ return([('aged_0_1', 0), ('aged_1_3', 1), ('aged_3_7', 3), ('aged_7_14', 7), ('aged_14_plus', 14)]) }}
{%- endmacro -%}

{#- Weeks a day's volume is compared with, and how many of them must be known. -#}
{%- macro volume_weeks() -%} 8 {%- endmacro -%}
{%- macro volume_least_weeks() -%} 4 {%- endmacro -%}

{#-
    Half the width of the expected band: three robust standard deviations, of which one is 1.4826 times the median absolute
    deviation, but never less than the chance of a count itself (the square root of what is expected, at least one ticket).
-#}
{%- macro volume_band(expected, deviation) -%}
    3.0 * greatest(1.4826 * {{ deviation }}, sqrt(greatest({{ expected }}, 1.0)))
{%- endmacro -%}
