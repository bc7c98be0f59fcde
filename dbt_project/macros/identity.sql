{#-
    What may tie records to one person. What lives here: contact points in their one spelling and what bounds them, folded
    names, the keys of respondents, connected components. Not here: the rules (int_identity__same, __named, __found), which records are
    one person (int_identity__resolved), how a contact point is spelled (assets/warehouse/contact_points.py).
-#}

{#- Whether a record's source is a CRM: a role of the source, which company.yml says, whoever made the product. -#}
{%- macro is_crm(source_column) -%}
    ({{ source_column }} in (select source from {{ source('night', 'sources') }} where role = 'crm'))
{%- endmacro -%}

{#- An e-mail address in its one spelling, or NULL where it cannot name a person: no address, or one that is excluded. -#}
{%- macro personal_email(column) -%}
    (
        select addresses.spelled from {{ source('night', 'email_addresses') }} as addresses
        where addresses.raw = {{ column }} and {{ is_personal_email('addresses.spelled') }}
    )
{%- endmacro -%}

{#- Whether a spelled address names one person: seed identity_exclusions says which do not. -#}
{%- macro is_personal_email(address) -%}
    (
        split_part(split_part({{ address }}, '@', 1), '+', 1)
            not in (select value from {{ ref('identity_exclusions') }} where kind in ('role_account', 'placeholder'))
        and '@' || split_part({{ address }}, '@', 2)
            not in (select value from {{ ref('identity_exclusions') }} where kind = 'placeholder')
        and {{ address }} not in (select value from {{ ref('identity_exclusions') }} where kind = 'email')
    )
{%- endmacro -%}

{#- A name as it is compared: no case, no accents, no punctuation; NULL where nothing is left. -#}
{%- macro folded_name(first_name, last_name) -%}
    {{ return(adapter.dispatch('folded_name')(first_name, last_name)) }}
{%- endmacro -%}

{%- macro duckdb__folded_name(first_name, last_name) -%}
    {%- set plain = "translate(replace(replace(replace(strip_accents(lower(concat_ws(' ', " ~ first_name ~ ", " ~ last_name ~ "))), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'łøđı', 'lodi')" -%}
    nullif(trim(regexp_replace({{ plain }}, '[^\p{L}\p{N}]+', ' ', 'g')), '')
{%- endmacro -%}

{#-
    Names that may be one person's though they differ: one of them is unknown, or the family names agree and a given name
    is shortened to its initial. Both are folded.
-#}
{%- macro names_may_agree(one, other) -%}
    (
        {{ one }} is null or {{ other }} is null or {{ one }} = {{ other }}
        or (
            left({{ one }}, 1) = left({{ other }}, 1)
            and substr({{ one }}, strpos({{ one }}, ' ')) = substr({{ other }}, strpos({{ other }}, ' '))
            and 2 in (strpos({{ one }}, ' '), strpos({{ other }}, ' '))
        )
    )
{%- endmacro -%}

{#- The key of whoever left these marks and has no contact record for sure; -1 where there are none. -#}
{%- macro respondent_key(source_column, contact_id, address) -%}
    case
        when {{ contact_id }} is null and {{ address }} is null then -1
        else {{ surrogate_key(["'respondent'", source_column, "coalesce(" ~ contact_id ~ ", '')", "coalesce(" ~ address ~ ", '')"]) }}
    end
{%- endmacro -%}

{#- A CTE body: the manual overrides whose both records are known, by node. -#}
{%- macro known_overrides() -%}
    select
        overrides.action,
        record_a.contact_key as node_a,
        record_b.contact_key as node_b
    from {{ ref('identity_overrides') }} as overrides
    inner join {{ ref('int_contact__unioned') }} as record_a
        on record_a.source = overrides.source_a
        and record_a.contact_id in (overrides.record_a, {{ salesforce_id('overrides.record_a') }})
    inner join {{ ref('int_contact__unioned') }} as record_b
        on record_b.source = overrides.source_b
        and record_b.contact_id in (overrides.record_b, {{ salesforce_id('overrides.record_b') }})
    where record_a.contact_key <> record_b.contact_key
{%- endmacro -%}

{#-
    Two CTEs, `<name>` among them: the connected components of the graph whose edges are the rows (node_a, node_b) of
    the CTE `edges`, over paths of any length. One row per node that has an edge: node_key, and as `label` the least
    node of its component. The query must begin `with recursive`.
-#}
{%- macro connected_components(name, edges) -%}
    {{ return(adapter.dispatch('connected_components')(name, edges)) }}
{%- endmacro -%}

{%- macro duckdb__connected_components(name, edges) -%}
{{ name }}_neighbours as materialized (
    select node_a, node_b from {{ edges }} union all select node_b, node_a from {{ edges }}
),

{#- A node's row is replaced whenever a lesser label reaches it; only those that changed go on to their neighbours. #}
{{ name }} (node_key, label) using key (node_key) as (
    select node_a, min(least(node_a, node_b)) from {{ name }}_neighbours group by node_a
    union
    select reached.node_a, reached.label
    from (
        {#- In a step of its own, or DuckDB compares every label with every other before it looks who are neighbours. #}
        select neighbours.node_a, min({{ name }}.label) as label
        from {{ name }}
        inner join {{ name }}_neighbours as neighbours on neighbours.node_b = {{ name }}.node_key
        group by neighbours.node_a
    ) as reached
    inner join recurring.{{ name }} as known on known.node_key = reached.node_a
    where reached.label < known.label
)
{%- endmacro -%}

{#- The temporary table that holds the components of a level and of all before it. -#}
{%- macro identity_level_table(level) -%}
    {{ return('temp._identity_level_' ~ level) }}
{%- endmacro -%}

{#- Before int_identity__component: one level more, from the level before and the edges of its rule. -#}
{%- macro join_identity_level(level) -%}
    {%- set before = identity_level_table(level - 1) -%}
    {%- set label = 'level_' ~ (level - 1) -%}
    {%- if level == 1 %}
    create or replace temp table _identity_level_0 as
    {#- Where an engine made the component, its statements are only asked for the types of columns. #}
    select node_key, node_key as level_0 from {{ ref('int_identity__node') }}{{ ' limit 0' if engine_tables() }};
    {%- endif %}
    create or replace temp table _identity_edges as
    select distinct
        least(one.{{ label }}, other.{{ label }}) as node_a,
        greatest(one.{{ label }}, other.{{ label }}) as node_b
    from {{ ref('int_identity__evidence') }} as evidence
    inner join {{ before }} as one on one.node_key = evidence.node_a
    inner join {{ before }} as other on other.node_key = evidence.node_b
    where evidence.rule_order = {{ level }} and evidence.blocked_by is null and one.{{ label }} <> other.{{ label }};

    create or replace temp table _identity_level_{{ level }} as
    with recursive {{ connected_components('component', 'temp._identity_edges') }}
    select
        before.*,
        coalesce(component.label, before.{{ label }}) as level_{{ level }}
    from {{ before }} as before
    left join component on component.node_key = before.{{ label }}
{%- endmacro -%}

{#- How many levels the graph has: the rule_order of the last rule that joins people in seed identity_rules. -#}
{%- macro identity_levels() -%}{{ return(11) }}{%- endmacro -%}

{#- The levels at which records are one customer in the CRM already: what a person, the vendor or equal records say. -#}
{%- macro merged_level() -%}{{ return(2) }}{%- endmacro -%}
{%- macro customer_level() -%}{{ return(4) }}{%- endmacro -%}

{#- The most records, merged ones counted as one, that rules may join. -#}
{%- macro largest_cluster() -%}{{ return(10) }}{%- endmacro -%}
