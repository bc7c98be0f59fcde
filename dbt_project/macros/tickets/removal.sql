{#-
    Tickets that went away. What lives here: why one is gone, and whether what it was still counts. Not here: when it left the
    backlog (fct_ticket_transition).
-#}

{#- Why a ticket is gone, or NULL. Reads the columns of int_ticket__unioned. -#}
{%- macro ticket_removed_kind() -%}
    case
        when merged_into_ticket_id is not null then 'merged'
        when is_deleted or status = 'deleted' then coalesce(deletion_kind, 'soft')
    end
{%- endmacro -%}

{#-
    Whether a ticket counts. One that was deleted (spam, a mistake) or merged into another was no request of its own; one that
    the desk purged when its time was over was, and months that are over keep it.
-#}
{%- macro is_ticket_counted(removed_kind) -%}
    coalesce({{ removed_kind }} = 'retention_purge', true)
{%- endmacro -%}
