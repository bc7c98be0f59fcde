"""How a figure came about: the question of `journeymart explain`, answered from a version.

What lives here: a KPI's meaning and its published figure, the records it counts by the source they came from, what it
leaves out and why, how far its sources reach. Not here: counting (dbt), printing (the command line). Of what is
hidden nothing is told but that it is.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from assets.versions.contents import literal
from storage.data_folder import marts_file, warehouse_file
from storage.engine import connect
from storage.errors import JourneymartError

# The window a figure is told over where none is named, by the basis of the KPI.
USUAL_PERIODS = {"flow": "rolling_28", "latest": "rolling_90", "stock": "day", "employee": "quarter"}

# Where the records of each family came from: `key` in the family, and a query of key and source.
_ORIGINS = """
    select 'survey_answer' as object, survey_answer_key as ref, source
    from private.intermediate.int_survey_answer__unioned
    union all select 'ticket', ticket_key, source from private.intermediate.int_ticket__unioned
    union all select 'contact', contact_key, source from private.intermediate.int_contact__unioned
    union all select 'order', order_key, source from private.intermediate.int_order__unioned
    union all select 'feedback', feedback_key, source from private.intermediate.int_feedback__unioned
    union all select 'invitation', survey_invitation_key, source
    from private.intermediate.int_survey_invitation__unioned
    union all select 'activity', activity_key, source from private.intermediate.int_activity__unioned
"""
_OF_OBJECT = "select ref as record_key, source from origins where object = '{}'"
_SEVERAL = "string_agg(distinct source, ' + ' order by source)"
_OF_FEEDBACK = (
    "select facts.{key} as record_key, origins.source from marts.main.{fact} as facts "
    "inner join origins on origins.object = facts.source_object and origins.ref = facts.source_ref"
)
_OF_EVENTS = "inner join origins on origins.object = events.object and origins.ref = events.source_ref"
FAMILIES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "int_kpi__answer": {"": ("answer_key", _OF_OBJECT.format("survey_answer"))},
    "int_kpi__ticket": {"": ("ticket_key", _OF_OBJECT.format("ticket"))},
    "int_kpi__order": {"": ("order_key", _OF_OBJECT.format("order"))},
    "int_kpi__voice": {
        "invitation": ("record_key", _OF_OBJECT.format("invitation")),
        "feedback": ("record_key", _OF_FEEDBACK.format(key="feedback_key", fact="fct_feedback")),
    },
    "int_kpi__customer": {
        "": (
            "customer_key",
            f"select customer_key as record_key, {_SEVERAL} as source "
            "from private.intermediate.map_customer_identity group by customer_key",
        )
    },
    "int_kpi__journey": {
        "journey": (
            "record_key",
            f"select events.journey_key as record_key, {_SEVERAL} as source "
            f"from marts.main.fct_journey_event as events {_OF_EVENTS} group by events.journey_key",
        ),
        "event": (
            "record_key",
            "select events.event_key as record_key, origins.source "
            f"from marts.main.fct_journey_event as events {_OF_EVENTS}",
        ),
    },
    "int_kpi__case": {"": ("case_key", _OF_FEEDBACK.format(key="case_key", fact="fct_closed_loop_case"))},
}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """Which figure is meant.

    Attributes:
        kpi: The KPI.
        day: Last day of its window; None: the newest there is.
        period: The window; None: the usual one of the KPI.
        member: Which part of the company; None: all of it.
        dimension: What it is a part by; None: the only breakdown with such a member.
    """

    kpi: str
    day: date | None = None
    period: str | None = None
    member: str | None = None
    dimension: str | None = None


@dataclass
class Explanation:
    """A figure and what it is made of.

    Attributes:
        kpi: Its name, definition, formula, unit, direction, method and who owns it, as in dim_kpi.
        figure: The published row: window, value, interval, counts, change, target. Empty: there is none, see `said`.
        counted: The records behind it by source: `records`, of shares `positives`, and, of a rate, `customers`.
        left_out: What could not count in the window: reason, source, how many, and what to do about it.
        sources: How far each source that counts, or is left out, is delivered.
        version: Which version says so, its business date, whether it is stale.
        said: What there is to say in words, above all why something is not told.
    """

    kpi: dict[str, Any]
    version: dict[str, Any]
    figure: dict[str, Any] = field(default_factory=dict)
    counted: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def explain(version: Path, place: Place, *, is_stale: bool) -> Explanation:
    """Explain one figure of a version.

    Args:
        version: Folder of the version.
        place: Which figure.
        is_stale: A source was missing when the version was made.

    Raises:
        JourneymartError: There is no such KPI, period or breakdown.
    """
    with _opened(version) as connection:
        kpi = _kpi(connection, place.kpi)
        ((as_of,),) = connection.execute("select as_of from private.night.night").fetchall()
        found = Explanation(kpi, {"version": version.resolve().name, "as_of": as_of, "is_stale": is_stale})
        row = _row(connection, kpi, place, as_of)
        if row is None:
            found.said.append(
                "There is no such row: nothing was measured in the window, or a breakdown may not be cut there, "
                "because fewer than five customers would lie on one side."
            )
            return found
        found.figure = row
        if row["is_suppressed"]:
            found.said.append(
                "Hidden: fewer than five customers (ten employees) are behind it, or it would give away such a figure. "
                "What it counts is not told either."
            )
            return found
        found.counted = _counted(connection, kpi, row)
        found.left_out = _left_out(connection, kpi, row)
        found.sources = _sources(connection, found)
        found.said += _remarks(kpi, row)
        return found


@contextmanager
def _opened(version: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, file in (("marts", marts_file(version)), ("private", warehouse_file(version))):
            connection.execute(f"attach {literal(str(file))} as {name} (read_only)")
        yield connection


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> list[dict[str, Any]]:
    answered = connection.execute(query, parameters)
    names = [column[0] for column in answered.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answered.fetchall()]


def _kpi(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    rows = _rows(
        connection,
        "select meant.kpi, meant.name, meant.definition, meant.formula, meant.unit, meant.direction, "
        "meant.timestamp_basis as counts_on, meant.basis, meant.method, meant.min_n, meant.lookback_days, "
        "meant.owner_department as owner, meant.measure, seed.counted as counts, meant.periods "
        "from marts.main.dim_kpi as meant inner join private.seeds.kpis as seed on seed.kpi = meant.kpi",
    )
    known = {row["kpi"]: row for row in rows}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)[:3]
        raise JourneymartError(f"There is no KPI '{name}': name one of dim_kpi, such as {', '.join(near)}.")
    return known[name]


def _row(
    connection: duckdb.DuckDBPyConnection, kpi: Mapping[str, Any], place: Place, as_of: date
) -> dict[str, Any] | None:
    """The published row that is meant; None where there is none.

    Raises:
        JourneymartError: The KPI has no such period or breakdown.
    """
    period = place.period or USUAL_PERIODS[kpi["basis"]]
    dimension, member = _part(connection, kpi, place)
    if period not in kpi["periods"].split(", "):
        raise JourneymartError(f"{kpi['kpi']} has no period '{period}': name one of {kpi['periods']}.")
    rows = _rows(
        connection,
        "select period, window_start, date_day, dimension, member, value, ci_low, ci_high, numerator, denominator, n, "
        "previous_value, difference, difference_low, difference_high, is_changed, target, is_target_met, benchmark, "
        "benchmark_source, is_suppressed, is_low_n, is_complete_window, is_stale from marts.main.mart_kpi_daily "
        "where kpi = ? and period = ? and dimension = ? and member = ? and date_day = coalesce(?, ("
        "    select max(date_day) from marts.main.mart_kpi_daily where kpi = ? and period = ? and date_day <= ?))",
        [kpi["kpi"], period, dimension, member, place.day, kpi["kpi"], period, as_of],
    )
    return rows[0] if rows else None


def _part(connection: duckdb.DuckDBPyConnection, kpi: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """Dimension and member that are meant.

    Raises:
        JourneymartError: No breakdown, or several, have such a member in any window.
    """
    if place.member is None and place.dimension is None:
        return "all", "all"
    told = connection.execute(
        "select distinct dimension, member from marts.main.mart_kpi_daily where kpi = ? and dimension <> 'all' "
        "and coalesce(dimension = ?, true) order by dimension, member",
        [kpi["kpi"], place.dimension],
    ).fetchall()
    meant = [(dimension, member) for dimension, member in told if member == place.member]
    if len(meant) == 1:
        return meant[0][0], meant[0][1]
    if meant:
        named = ", ".join(dimension for dimension, _ in meant)
        raise JourneymartError(f"'{place.member}' is a member of several breakdowns: add --dimension, one of {named}.")
    has = ", ".join(f"{dimension} {member}" for dimension, member in told) or "no such breakdown"
    raise JourneymartError(f"{kpi['kpi']} is told of no member '{place.member}' in any window: it has {has}.")


def _counted(
    connection: duckdb.DuckDBPyConnection, kpi: Mapping[str, Any], row: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Records by source, the largest first; together they are the counts of the row."""
    is_rate = kpi["method"] == "per_hundred"
    by_source: dict[str, Counter[str]] = {}
    for source, is_state, records, positives in _by_source(connection, kpi, row):
        counts = by_source.setdefault(source, Counter())
        if is_rate:
            counts["customers" if is_state else "records"] += records if is_state else positives
        else:
            counts["records"] += records
            counts["positives"] += records - positives if kpi["counts"] == "negatives" else positives
    columns = ["records"]
    if is_rate:
        columns.append("customers")
    elif kpi["method"] == "wilson":
        columns.append("positives")
    found = [{"source": source, **{name: counts[name] for name in columns}} for source, counts in by_source.items()]
    return sorted(
        (told for told in found if any(told[name] for name in columns)),
        key=lambda told: (-told["records"], told["source"]),
    )


def _by_source(
    connection: duckdb.DuckDBPyConnection, kpi: Mapping[str, Any], row: Mapping[str, Any]
) -> list[tuple[str, bool, int, int]]:
    """Source, whether it is a state, records and positives of what stands in the window of a row."""
    member = "true" if row["dimension"] == "all" else f"records.{row['dimension']} = $member"
    of_days = "not records.is_state and records.date_day between $first and $last"
    in_window = {
        "stock": "records.is_state and records.date_day <= $last",
        "latest": f"{of_days} and coalesce(records.superseded_on > $last, true)",
    }.get(kpi["basis"], of_days)
    if kpi["method"] == "per_hundred":
        in_window = f"(({in_window}) or (records.is_state and records.date_day <= $last))"
    parts = []
    for family, objects in FAMILIES.items():
        for name, (key, origin) in objects.items():
            of_object = f"and records.object = '{name}'" if name else ""
            parts.append(
                f"select coalesce(origin.source, '{UNKNOWN}') as source, records.is_state, records.responses, "
                f"records.positives from private.intermediate.{family} as records "
                f"left join ({origin}) as origin on origin.record_key = records.{key} "
                f"where records.measure = $measure and {in_window} and {member} {of_object}"
            )
    parameters = {"measure": kpi["measure"], "last": row["date_day"]}
    if "$first" in in_window:
        parameters["first"] = row["window_start"]
    if row["dimension"] != "all":
        parameters["member"] = row["member"]
    return connection.execute(
        f"with origins as ({_ORIGINS}) select source, is_state, cast(sum(responses) as bigint), "
        f"cast(sum(positives) as bigint) from ({' union all '.join(parts)}) as counted group by source, is_state",
        parameters,
    ).fetchall()


def _left_out(
    connection: duckdb.DuckDBPyConnection, kpi: Mapping[str, Any], row: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What could not count in the window, by reason and source; told of the company as a whole."""
    if row["dimension"] != "all":
        return []
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'private' "
        "and table_name like 'int\\_kpi\\_\\_left\\_out\\_%' escape '\\' order by table_name"
    ).fetchall()
    if not tables:
        return []
    records = " union all ".join(
        f"select measure, date_day, source, stream, reason from private.intermediate.{table}" for (table,) in tables
    )
    return _rows(
        connection,
        f"select records.reason, records.source, records.stream, count(*) as records, reasons.words, reasons.remedy "
        f"from ({records}) as records left join private.seeds.left_out_reasons as reasons using (reason) "
        "where records.measure = $measure and records.date_day between $first and $last "
        "group by all order by records desc, reason, source, stream",
        {
            "measure": kpi["measure"],
            "first": date.min + timedelta(days=1) if kpi["basis"] == "stock" else row["window_start"],
            "last": row["date_day"],
        },
    )


def _sources(connection: duckdb.DuckDBPyConnection, found: Explanation) -> list[dict[str, Any]]:
    """The newest extract of each source that has a part in the figure."""
    named = {name for told in found.counted + found.left_out for name in (told["source"] or "").split(" + ")}
    delivered = _rows(
        connection,
        "select source, max(extract_date) as delivered_through, count(distinct stream) as streams "
        "from private.night.batches group by source order by source",
    )
    return [told for told in delivered if told["source"] in named]


def _remarks(kpi: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """What a reader of the figure should know of it."""
    said = []
    if row["is_low_n"]:
        said.append(f"Few records: fewer than {kpi['min_n']}; look at the interval.")
    if not row["is_complete_window"]:
        said.append("The window is not whole: it is running, or the records do not reach back over all of it.")
    if row["is_stale"]:
        said.append("A source was missing when it was made.")
    if row["previous_value"] is None:
        said.append("Not compared with the period before: there is none, it is hidden, or one of the two is not whole.")
    return said
