{#-
    What each item of feedback is about. What lives here: matching by rule, and the share of an item each of its themes has.
    Not here: the rules (seed theme_rules), the words (private).

    Themes share an item equally. Where a theme and one below it both match, the one below says more and stands alone. What
    no rule knows is unthemed (-1), so that coverage can be measured.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['feedback_key'],
    touched_by="select feedback_key from {{ touched('int_feedback__words') }}"
) }}

-- depends_on: {{ ref('theme_rules') }}
{%- set rules = theme_rules() %}
with words as (
    select
        feedback_key,
        language,
        words
    from {{ ref('int_feedback__words') }}
    where {{ is_touched(['feedback_key']) }}
),

matched as (
    {{ matched_themes('words', rules) }}
),

known as (
    select
        matched.feedback_key,
        matched.theme,
        matched.rule_version,
        themes.parent_theme
    from matched
    inner join {{ ref('themes') }} as themes on themes.theme = matched.theme
),

specific as (
    select
        known.feedback_key,
        known.theme,
        known.rule_version
    from known
    where not exists (
        select 1 from known as below
        where below.feedback_key = known.feedback_key and below.parent_theme = known.theme
    )
),

final as (
    select
        feedback_key,
        {{ surrogate_key(['theme']) }} as theme_key,
        1.0 / cast(count(*) over (partition by feedback_key) as double) as weight,
        'rule' as method,
        rule_version
    from specific
    union all
    select
        feedback_key,
        -1,
        cast(1 as double),
        'rule',
        {{ rules | map(attribute='rule_version') | max if rules else 0 }}
    from words
    where feedback_key not in (select feedback_key from specific)
)

select * from final
