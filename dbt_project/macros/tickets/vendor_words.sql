{#- What help desks call things, in our words. Not here: channels (seed channels). -#}

{%- macro zendesk_status(status) -%}
    case when {{ status }} in ('new', 'open', 'pending', 'hold', 'solved', 'closed', 'deleted') then {{ status }} else 'other' end
{%- endmacro -%}

{%- macro salesforce_status(status, is_closed) -%}
    case
        when {{ is_closed }} then 'closed'
        when lower({{ status }}) = 'new' then 'new'
        when lower({{ status }}) in ('open', 'working', 'in progress', 'assigned', 'escalated') then 'open'
        when lower({{ status }}) in ('pending', 'waiting on customer', 'awaiting customer') then 'pending'
        when lower({{ status }}) in ('hold', 'on hold') then 'hold'
        else 'other'
    end
{%- endmacro -%}

{%- macro zendesk_priority(priority) -%}
    case when {{ priority }} in ('low', 'normal', 'high', 'urgent') then {{ priority }} when {{ priority }} is not null then 'other' end
{%- endmacro -%}

{%- macro salesforce_priority(priority) -%}
    case
        when lower({{ priority }}) in ('low', 'normal', 'high', 'urgent') then lower({{ priority }})
        when lower({{ priority }}) = 'medium' then 'normal'
        when lower({{ priority }}) = 'critical' then 'urgent'
        when {{ priority }} is not null then 'other'
    end
{%- endmacro -%}

{#- Ids of queues begin with 00G; any other owner of a case is a person. -#}
{%- macro salesforce_queue(owner_id) -%}
    case when starts_with({{ owner_id }}, '00G') then {{ owner_id }} end
{%- endmacro -%}

{%- macro salesforce_assignee(owner_id) -%}
    case when not starts_with({{ owner_id }}, '00G') then {{ owner_id }} end
{%- endmacro -%}
