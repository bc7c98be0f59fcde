"""Made-up marts for tests of the scorecard: the columns the page reads, the real definitions, plausible figures.

Not here: any formula of the marts. The figures only have to look like theirs: values inside their intervals, changes
that follow from them, some hidden, some of few, some that take their time.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from storage.data_folder import marts_file, warehouse_file
from tests.checkout import CHECKOUT
from tests.journey_marts import AS_OF, write_marts

SEEDS = CHECKOUT.composed_project() / "seeds"
RUN_ID = "5c02ed11-night"
VERSION = "2026-06-29-5c02ed11"
LAST_MONTH = date(2026, 5, 31)
# Nothing was ever measured of it.
SILENT = "review_score"
# The newest figure of the company is of few, is hidden, or has no whole window.
FEW, HIDDEN, SHORT = "ces", "nps_transactional", "contacts_per_100_customers"
# Nothing has been measured of it since.
LATE = "recovery_rate"
LATE_TO = date(2026, 5, 29)
# A dimension the product does not have; its members are countries.
FOREIGN = "market"

_DEFINITIONS = f"""
    create or replace table dim_kpi as
    select
        kpis.kpi, name, definition, formula, unit, decimals, direction, timestamp_basis, basis, lookback_days,
        objective, owner_department, source_fact, measure, method, cause, min_n, targets.target,
        case when kpi = 'csat' then 2025 end as benchmark_year
    from read_csv('{SEEDS / "kpis.csv"}') as kpis
    left join read_csv('{SEEDS / "kpi_targets.csv"}') as targets using (kpi)
"""

# Smooth enough to be read, different for each KPI.
_VALUE = """
    create or replace temp macro value_of(kpi, day) as
    round(40 + hash(kpi) % 30 + 6 * sin((day - date '2024-01-01') / 25.0 + hash(kpi) % 7), 4)::double
"""
_DAYS = f"""
    create or replace temp table days as
    select
        kpis.*, day::date as date_day, period, width,
        case kpis.kpi when '{FEW}' then 12 else 400 end as n,
        value_of(kpis.kpi, day::date) as value, value_of(kpis.kpi, day::date - width) as previous
    from dim_kpi as kpis
    inner join (
        values ('flow', 'rolling_28', 28), ('latest', 'rolling_90', 90), ('stock', 'day', 1), ('stock', 'month', 30),
        ('flow', 'month', 30), ('latest', 'month', 30), ('employee', 'quarter', 91)
    ) as periods (basis, period, width) using (basis)
    cross join generate_series(date '2025-03-01', date '{AS_OF}', interval 1 day) as series (day)
    where
        kpis.kpi <> '{SILENT}'
        and (period not in ('month', 'quarter') or day = last_day(day) or (day = date '{AS_OF}' and period = 'month'))
        and (period <> 'quarter' or month(day) % 3 = 0)
        and (kpis.kpi <> '{LATE}' or day <= date '{LATE_TO}')
"""
_FIGURES = f"""
    create or replace table mart_kpi_daily as
    with members as (
        select 'all' as dimension, 'all' as member, 0::double as shift, 1.0 as share
        union all
        select 'segment', unnest(['business', 'private', 'tiny']), unnest([-25::double, 5, 0]), unnest([0.4, 0.6, 0.0])
        union all
        select '{FOREIGN}', unnest(['AT', 'none']), unnest([3::double, -3]), unnest([0.5, 0.5])
        union all
        select 'touchpoint', unnest(['order_web', 'support_phone']), unnest([1::double, -1]), unnest([0.7, 0.3])
    ),
    cells as (
        select
            days.*, dimension, member, days.value + shift as cell, cast(ceil(days.n * share) as bigint) as records,
            member = 'tiny' or (days.kpi = '{HIDDEN}' and date_day > date '{AS_OF}' - 20) as hidden,
            method not in ('count', 'sum') as has_interval, days.previous + shift as before
        from days cross join members
        where dimension = 'all' or (period = 'month' and basis <> 'employee')
    ),
    told as (
        select *, if(has_interval and basis <> 'stock', cell - before, null) as moved from cells
    )
    select
        kpi, measure, date_day, period, dimension, member, hidden as is_suppressed, n < min_n as is_low_n,
        if(period like 'rolling%', date_day - width + 1, date_day) as window_start,
        kpi <> '{SHORT}' and (period <> 'month' or date_day = last_day(date_day)) as is_complete_window,
        false as is_stale,
        if(hidden, null, cell) as value,
        if(hidden or not has_interval, null, cell - 4) as ci_low,
        if(hidden or not has_interval, null, cell + 4) as ci_high,
        if(hidden, null, records) as n,
        if(hidden, null, before) as previous_value,
        if(hidden, null, cell - before) as difference,
        if(hidden, null, moved - 3) as difference_low,
        if(hidden, null, moved + 3) as difference_high,
        if(hidden, null, abs(moved) > 3) as is_changed,
        target,
        if(hidden, null, if(direction = 'higher_is_better', cell >= target, cell <= target)) as is_target_met,
        if(kpi = 'csat' and dimension = 'all', 75::double, null) as benchmark,
        if(kpi = 'csat' and dimension = 'all', 'Trade survey, 2025', null) as benchmark_source
    from told
"""
_CASES = f"""
    create or replace table fct_closed_loop_case as
    select
        1152921504606846000 + range as case_key,
        case when range % 5 = 0 then -1 else 1152921504606840000 + range end as customer_key,
        ['low_score', 'complaint', 'unanswered'][1 + range % 3] as trigger,
        if(range % 4 = 0, 'unthemed', 'late_delivery') as reason,
        'email' as channel, 'team a' as team,
        ['open', 'overdue', 'closed', 'overdue'][1 + range % 4] as outcome,
        cast(strftime(date '{AS_OF}' - cast(range as integer) - 2, '%Y%m%d') as integer) as opened_date_key,
        if(range % 8 = 0, -1, cast(strftime(date '{AS_OF}' - cast(range as integer), '%Y%m%d') as integer))
            as due_date_key,
        if(range % 8 = 0, null, cast(date '{AS_OF}' - cast(range as integer) as timestamptz)) as due_at,
        case when range % 5 <> 0 then (range * 37) % 101 end as value_rank,
        case when range % 5 <> 0 then cast(10000 - (range * 37) % 101 as decimal(18, 2)) end as value_amount,
        case when range % 5 <> 0 then 'EUR' end as value_currency
    from range(60)
"""
_RECOVERY = """
    create or replace table mart_recovery as
    select
        month_start, 'follow_up' as comparison, 'recovered' as metric, 'none' as split_by, 'all' as split, member,
        month_start < date '2026-06-01' as is_matured, month_start = date '2026-04-01' as is_suppressed,
        false as is_low_n, 50 as n,
        if(month_start = date '2026-04-01', null, value) as value,
        if(month_start = date '2026-04-01', null, value - 9) as ci_low,
        if(month_start = date '2026-04-01', null, value + 9) as ci_high
    from (values (date '2026-03-01'), (date '2026-04-01'), (date '2026-06-01')) as months (month_start)
    cross join (
        values ('touched', 52::double), ('untouched', 40), ('difference', 12), ('all', 46)
    ) as members (member, value)
"""
_HEALTH = f"""
    create or replace table mart_data_health as
    select
        date_day, area, source, stream, measure, value::double as value, unit, threshold::double as threshold,
        status,
        measure || ' of ' || source || '/' || stream || ': ' || status || '.' as message
    from (
        values
        (date '{AS_OF}', 'freshness', 'desk', 'ticket', 'days_since_extract', 3.0, 'days', 1.0, 'fail'),
        (date '{AS_OF}' - 1, 'freshness', 'desk', 'ticket', 'days_since_extract', 0.0, 'days', 1.0, 'ok'),
        (date '{AS_OF}' - 4, 'quarantine', 'crm', 'account', 'quarantined_share', 2.125, 'percent', 1.0, 'warn'),
        (date '{AS_OF}', 'freshness', 'crm', 'account', 'days_since_extract', 0.0, 'days', 1.0, 'ok'),
        (date '{AS_OF}', 'freshness', 'shop', 'order', 'days_since_extract', 0.0, 'days', 1.0, 'ok'),
        (date '{AS_OF}', 'match_rate', 'shop', 'order', 'match_rate', null, 'percent', null, 'info'),
        (date '2026-06-01', 'feedback_utilisation', 'feedback', 'review', 'feedback_used', 9, 'percent', null, 'info'),
        (date '{AS_OF}' - 3, 'definition', 'kpis', 'csat', 'definition_changed', 1.0, 'changes', null, 'info'),
        (date '{AS_OF}' - 90, 'definition', 'kpis', 'ces', 'definition_changed', 1.0, 'changes', null, 'info')
    ) as rows (date_day, area, source, stream, measure, value, unit, threshold, status)
"""
_LEFT_OUT = """
    create or replace table mart_kpi_left_out as
    select
        kpi, month_start, source, stream, if(reason = 'wordy', 'question 2', '') as part, reason, because,
        'deliver ' || stream || '_event' as remedy, records, counted
    from (
        values
        ('unanswered_rate', date '2026-06-01', 'desk', 'ticket', 'silent', 'nobody knows what was said', 40, 300),
        ('unanswered_rate', date '2025-07-01', 'desk', 'ticket', 'silent', 'nobody knows what was said', 2, 100),
        ('unanswered_rate', date '2025-06-01', 'desk', 'ticket', 'silent', 'nobody knows what was said', 500, 100),
        ('one_touch_rate', date '2026-06-01', 'desk', 'ticket', 'silent', 'nobody knows what was said', 3, 400),
        ('csat', date '2026-06-01', 'shop', 'survey_answer', 'wordy', 'the answer is in words', 1, 400)
    ) as rows (kpi, month_start, source, stream, reason, because, records, counted)
"""


def write_scorecard_marts(build: Path, *, is_empty: bool = False, is_stale: bool = False) -> Path:
    """Write what both pages read into a build folder, and the night it belongs to.

    Args:
        build: Where `marts/cx_marts.duckdb` and `warehouse/warehouse.duckdb` are to lie.
        is_empty: Whether no night has brought anything: the tables are there, the facts have no row.
        is_stale: Whether a source was missing in the night.
    """
    write_marts(build, is_empty=is_empty)
    with duckdb.connect(marts_file(build)) as connection:
        for statement in (_DEFINITIONS, _VALUE, _DAYS, _FIGURES, _CASES, _RECOVERY, _HEALTH, _LEFT_OUT):
            connection.execute(statement)
        for table in (
            ("mart_kpi_daily", "fct_closed_loop_case", "mart_recovery", "mart_data_health", "mart_kpi_left_out")
            if is_empty
            else ()
        ):
            connection.execute(f"delete from {table}")
        if is_stale:
            connection.execute(f"update mart_kpi_daily set is_stale = true where date_day = date '{AS_OF}'")
    warehouse_file(build).parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(warehouse_file(build)) as connection:
        connection.execute("create schema if not exists night")
        connection.execute(
            "create or replace table night.night as select ? as run_id, ? as as_of, 'EUR' as currency, ? as is_stale, "
            "?::date as stale_since",
            [RUN_ID, AS_OF, is_stale, AS_OF if is_stale else None],
        )
        connection.execute("create schema if not exists seeds")
        connection.execute(
            f"create or replace table seeds.kpi_dimensions as from read_csv('{SEEDS / 'kpi_dimensions.csv'}') "
            f"union all select '{FOREIGN}', 'Market', 'countries', 'Where it was sold'"
        )
    return marts_file(build)
