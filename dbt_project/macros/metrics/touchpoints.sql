{#-
    From events to touchpoints. What lives here: how the rules of the seed touchpoint_rules are read. Not here: the rules.
-#}

{#- A channel as this company names it: the seed channels, any unknown word 'other', none 'unknown'. Needs the seed joined as `alias`. -#}
{%- macro known_channel(raw_channel, alias) -%}
    case when {{ raw_channel }} is null then 'unknown' else coalesce({{ alias }}.channel, 'other') end
{%- endmacro -%}

{#-
    A CTE body: for each system, object, event and channel seen in the CTE `events`, the touchpoint_key of the most specific
    rule. A rule that names the system beats one that names the channel; `*` is any. No rule: no row.
-#}
{%- macro touchpoint_map(events) -%}
    select system, object, event, channel, touchpoint_key
    from (
        select
            seen.system,
            seen.object,
            seen.event,
            seen.channel,
            {{ surrogate_key(['rules.touchpoint']) }} as touchpoint_key,
            row_number() over (
                partition by seen.system, seen.object, seen.event, seen.channel
                order by case when rules.system = '*' then 1 else 0 end, case when rules.channel = '*' then 1 else 0 end
            ) as rank
        from (select distinct system, object, event, channel from {{ events }}) as seen
        inner join {{ ref('touchpoint_rules') }} as rules
            on rules.object = seen.object
            and rules.event = seen.event
            and rules.system in (seen.system, '*')
            and rules.channel in (seen.channel, '*')
    ) as ranked
    where rank = 1
{%- endmacro -%}
