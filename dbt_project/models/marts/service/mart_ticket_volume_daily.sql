{#-
    How many tickets came, how many were to be expected, and the days on which far more came. Not here: what is left unsolved
    (fct_ticket_backlog_daily), what they are about.

    Expected is the median of the same weekday in the eight weeks before (four of them at least must be known), so neither a
    single outage nor a holiday among them moves it much. Tickets that went away later came all the same.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    touched_key=['date_key'],
    touched_by="
        select dates.date_key
        from {{ ref('dim_date') }} as dates
        cross join {{ night() }} as night
        where dates.date_day between
            least(
                coalesce(night.previous_as_of, night.as_of),
                night.as_of,
                coalesce((select {{ date_of_key('min(created_date_key)') }} from {{ touched('fct_ticket') }} where created_date_key > 0), night.as_of)
            )
            and greatest(coalesce(night.previous_as_of, night.as_of), night.as_of)
        union select date_key from {{ this }} where date_day > (select as_of from {{ night() }})
    "
) }}

with arrivals as (
    select
        case when grouping(channel) = 1 then 'all' else channel end as channel,
        {{ date_of_key('created_date_key') }} as date_day,
        count(*) as created
    from {{ ref('fct_ticket') }}
    where created_date_key > 0
    group by grouping sets ((created_date_key), (created_date_key, channel))
),

channels as (
    select channel, min(date_day) as first_day from arrivals group by channel
),

targets as (
    select
        channels.channel,
        channels.first_day,
        dates.date_key,
        dates.date_day
    from channels
    inner join {{ ref('dim_date') }} as dates on dates.date_day >= channels.first_day
    cross join {{ night() }} as night
    where dates.date_day <= night.as_of and {{ is_touched(['dates.date_key']) }}
),

weeks as (
    {{ day_offsets(volume_weeks()) }}
),

compared as (
    select
        targets.channel,
        targets.date_key,
        coalesce(arrivals.created, 0) as created
    from targets
    cross join weeks
    left join arrivals
        on arrivals.channel = targets.channel
        and arrivals.date_day = {{ plus_days('targets.date_day', '-7 * (weeks.offset_days + 1)') }}
    where {{ plus_days('targets.date_day', '-7 * (weeks.offset_days + 1)') }} >= targets.first_day
),

medians as (
    select
        channel,
        date_key,
        weeks_known,
        cast({{ quantile_value('sorted_created', 'weeks_known', 0.5) }} as double) as expected
    from (
        select
            channel,
            date_key,
            count(*) as weeks_known,
            {{ sorted_values('created') }} as sorted_created
        from compared
        group by channel, date_key
    ) as listed
),

deviations as (
    select
        channel,
        date_key,
        cast({{ quantile_value('sorted_deviations', 'weeks_known', 0.5) }} as double) as deviation
    from (
        select
            compared.channel,
            compared.date_key,
            count(*) as weeks_known,
            {{ sorted_values('abs(compared.created - medians.expected)') }} as sorted_deviations
        from compared
        inner join medians on medians.channel = compared.channel and medians.date_key = compared.date_key
        group by compared.channel, compared.date_key
    ) as listed
),

bands as (
    select
        targets.channel,
        targets.date_key,
        targets.date_day,
        coalesce(arrivals.created, 0) as created,
        coalesce(medians.weeks_known, 0) as weeks_known,
        case when medians.weeks_known >= {{ volume_least_weeks() }} then medians.expected end as expected,
        case when medians.weeks_known >= {{ volume_least_weeks() }} then {{ volume_band('medians.expected', 'deviations.deviation') }} end as half_width
    from targets
    left join arrivals on arrivals.channel = targets.channel and arrivals.date_day = targets.date_day
    left join medians on medians.channel = targets.channel and medians.date_key = targets.date_key
    left join deviations on deviations.channel = targets.channel and deviations.date_key = targets.date_key
),

final as (
    select
        {{ surrogate_key(['date_key', 'channel']) }} as ticket_volume_daily_key,
        date_key,
        date_day,
        channel,
        cast(created as integer) as created,
        cast(weeks_known as integer) as weeks_known,
        expected,
        round(case when expected > half_width then expected - half_width else 0 * expected end, 4) as expected_low,
        round(expected + half_width, 4) as expected_high,
        created > round(expected + half_width, 4) as is_spike
    from bands
)

select * from final
