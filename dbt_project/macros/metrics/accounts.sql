{#-
    What an account is. What lives here: company or household, size bands. Not here: hierarchies (int_account__resolved).
-#}

{#- A company rather than a household: its type says so, or, where it has none, an industry or staff does. -#}
{%- macro is_business_account(account_type, industry, employees) -%}
    case
        when {{ account_type }} is not null
            then lower({{ account_type }}) not in ('household', 'person', 'personal', 'individual', 'private', 'consumer')
        else {{ industry }} is not null or {{ employees }} is not null
    end
{%- endmacro -%}

{#- Head count in the bands of the European Union's definition of small and medium-sized companies. -#}
{%- macro size_band(employees) -%}
    case
        when {{ employees }} < 10 then '1-9'
        when {{ employees }} < 50 then '10-49'
        when {{ employees }} < 250 then '50-249'
        when {{ employees }} >= 250 then '250+'
        else 'unknown'
    end
{%- endmacro -%}
