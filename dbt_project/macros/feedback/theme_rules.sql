{#-
    Themes by rule. What lives here: how the rules of the seed theme_rules are read and matched. Not here: the rules, what
    themes mean (dim_theme).
-#}

{#-
    The rules, those of one theme and language as one pattern: a list of theme, language, rule_version and pattern. Read from
    the seed when a model runs, because only a pattern written into the query is compiled once and not for every text.
-#}
{%- macro theme_rules() -%}
    {%- set rules = [] -%}
    {%- if execute -%}
        {%- set query -%}
            select
                theme,
                language,
                max(rule_version) as rule_version,
                {{ folded_pattern(joined_patterns('pattern')) }} as pattern
            from {{ ref('theme_rules') }}
            group by theme, language
            order by theme, language
        {%- endset -%}
        {%- for row in run_query(query).rows -%}
            {%- do rules.append({'theme': row[0], 'language': row[1], 'rule_version': row[2] | int, 'pattern': row[3]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rules) }}
{%- endmacro -%}

{#- Aggregate: patterns of which any may match. -#}
{%- macro joined_patterns(pattern) -%}
    {{ return(adapter.dispatch('joined_patterns')(pattern)) }}
{%- endmacro -%}

{%- macro duckdb__joined_patterns(pattern) -%}
    string_agg('(?:' || {{ pattern }} || ')', '|' order by {{ pattern }})
{%- endmacro -%}

{#- A pattern as folded words need it; its case stays, since \S is not \s. -#}
{%- macro folded_pattern(pattern) -%}
    {{ return(adapter.dispatch('folded_pattern')(pattern)) }}
{%- endmacro -%}

{%- macro duckdb__folded_pattern(pattern) -%}
    replace(replace(replace(strip_accents({{ pattern }}), 'ß', 'ss'), 'œ', 'oe'), 'æ', 'ae')
{%- endmacro -%}

{#-
    A CTE body: the themes whose rules match, in columns feedback_key, theme and rule_version. `words` has feedback_key,
    language (NULL: not known, so any rule may match) and words.
-#}
{%- macro matched_themes(words, rules) -%}
    {{ return(adapter.dispatch('matched_themes')(words, rules)) }}
{%- endmacro -%}

{%- macro duckdb__matched_themes(words, rules) -%}
    select
        feedback_key,
        found.theme as theme,
        max(found.rule_version) as rule_version
    from (
        select
            feedback_key,
            unnest(list_filter([
                {%- for rule in rules %}
                case
                    when
                        {{ '' if rule.language == '*' else "coalesce(language, '" ~ rule.language ~ "') = '" ~ rule.language ~ "' and " -}}
                        regexp_matches(words, '{{ rule.pattern | replace("'", "''") }}', 'i')
                        then struct_pack(theme := '{{ rule.theme }}', rule_version := {{ rule.rule_version }})
                end,
                {%- endfor %}
                cast(null as struct(theme varchar, rule_version integer))
            ], lambda rule: rule is not null)) as found
        from {{ words }}
        where words is not null
    ) as matched
    group by feedback_key, found.theme
{%- endmacro -%}
