{#- What tags of tickets mean, as the company says it (tag_conventions). Not here: where a vendor keeps its tags (its mapping). -#}

{#- A CTE body: the conventions of a system in one row, of empty lists where the company has none. Longer prefixes come first. -#}
{%- macro tag_conventions_of(system) -%}
    select
        coalesce(list(tag) filter (meaning = 'complaint'), []) as complaint_tags,
        coalesce(list(rtrim(tag, '*') order by length(tag) desc, tag) filter (meaning = 'topic'), []) as topic_prefixes
    from {{ ref('tag_conventions') }}
    where system = '{{ system }}'
{%- endmacro -%}

{#- The topic of the first tag that has one; `conventions` is the relation of that row. -#}
{%- macro topic_of_tags(tags) -%}
    list_extract(
            list_filter(
                list_transform(
                    {{ tags }},
                    lambda tag: list_extract(list_transform(
                        list_filter(conventions.topic_prefixes, lambda prefix: starts_with(tag, prefix)),
                        lambda prefix: substr(tag, length(prefix) + 1)
                    ), 1)
                ),
                lambda topic: topic is not null
            ),
            1
        )
{%- endmacro -%}
