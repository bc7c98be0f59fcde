{#-
    What may tie records to one person. What lives here: the spelling and the bounds of e-mail addresses. Not here: which
    record belongs to whom (int_customer__resolved).
-#}

{#-
    An e-mail address in its one spelling, or NULL where it cannot name a person: no address, a role's address, a
    placeholder. Dots and +tags stay, because they are significant at most providers.
-#}
{%- macro personal_email(column) -%}
    {{ return(adapter.dispatch('personal_email')(column)) }}
{%- endmacro -%}

{%- macro duckdb__personal_email(column) -%}
    {%- set bare = "regexp_replace(nfc_normalize(" ~ column ~ "), '^.*<([^<>]*)>\\s*$', '\\1')" -%}
    {%- set spelled = "lower(regexp_replace(" ~ bare ~ ", '^\\s*(mailto:)?\\s*|\\s+$', '', 'gi'))" -%}
    case
        when {{ spelled }} is null then null
        when not regexp_full_match({{ spelled }}, '[^@\s]+@[^@\s]+\.[^@\s.]+') then null
        when regexp_matches({{ spelled }}, '^(accounts?|accounting|admin|administrator|billing|careers|contact|enquiries|finance|hello|help|helpdesk|hr|info|invoices?|jobs|mail|marketing|no-?reply|do-?not-?reply|office|orders?|postmaster|privacy|reception|sales|security|service|shop|support|team|webmaster)(\+[^@]*)?@') then null
        when regexp_matches({{ spelled }}, '^(none|na|n\.a|n/a|null|nil|unknown|nobody|noemail|no-email|nomail|notprovided|not-provided|missing|test|x+|a)@') then null
        else {{ spelled }}
    end
{%- endmacro -%}
