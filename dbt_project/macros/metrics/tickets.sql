{#- Why a ticket is gone, or NULL. Reads the columns of int_ticket__unioned. -#}
{%- macro ticket_removed_kind() -%}
    case
        when merged_into_ticket_id is not null then 'merged'
        when is_deleted or status = 'deleted' then coalesce(deletion_kind, 'soft')
    end
{%- endmacro -%}
