"""Audit: no mart lost more of its rows against the version before than what it is made of explains.

In SQL written independently of the models. Not here: who is whom (identity.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from assets.audit.result import ENOUGH_ROWS, AuditResult, audit_result, count_rows
from assets.versions.contents import identifier
from assets.versions.versions import Version

# What the marts are made of: the key of an object's records, and what decides in which of their rows a record is. The
# first of it, where it is a time, gives the record its day.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "account": ("account_key",),
    "contact": ("contact_key",),
    "agent": ("agent_key",),
    "ticket": ("ticket_key", "created_at", "solved_at", "status", "channel", "team", "priority"),
    "ticket_event": ("event_key", "occurred_at", "event_type", "to_value"),
    "order": ("order_key", "ordered_at", "status"),
    "activity": ("activity_key", "occurred_at"),
    "survey_question": ("survey_question_key",),
    "survey_invitation": ("survey_invitation_key", "sent_at"),
    "survey_answer": ("survey_answer_key", "answered_at", "score"),
    "feedback": ("feedback_key", "occurred_at"),
}

# Marts made of a few objects only; any other may be made of all.
MARTS_OF: Mapping[str, tuple[str, ...]] = {
    "fct_ticket": ("ticket",),
    "fct_ticket_transition": ("ticket", "ticket_event"),
    "fct_ticket_backlog_daily": ("ticket", "ticket_event"),
    "fct_order": ("order",),
    "fct_survey_answer": ("survey_answer",),
    "fct_survey_invitation": ("survey_invitation",),
}
_LOST, _SHRUNK, _GREW = 0.5, 0.8, 3.0


def compare_with_before(connection: duckdb.DuckDBPyConnection, before: Version | None, fingerprint: str) -> AuditResult:
    """No mart lost more of its rows against the version before than what it is made of explains.

    Sources and streams come and go, records are purged or corrected, a business date may lie before the last: a mart
    may shrink or grow as much as the records, their days or the extracts did, and some more.
    """
    if before is None:
        return AuditResult("drift", "pass", {"first version": 1})
    now = {
        name: count_rows(connection, f"marts.main.{identifier(name)}")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'marts' and schema_name = 'main'"
        ).fetchall()
    }
    is_alike = before.manifest.fingerprint == fingerprint
    changes = _changes(connection) if is_alike else {}
    lost: dict[str, int] = {}
    odd: dict[str, int] = {}
    for table in before.manifest.tables_of("marts"):
        rows = now.get(table.name, 0)
        if table.rows < ENOUGH_ROWS:
            continue
        own = [changes[name] for name in MARTS_OF.get(table.name, changes) if name in changes]
        kept, grown = min([1.0, *(each.kept for each in own)]), max([1.0, *(each.grown for each in own)])
        if table.name not in now or rows < table.rows * _LOST * kept:
            lost[f"{table.name}: rows of {table.rows} left"] = rows
        elif not table.rows * _SHRUNK * kept <= rows <= table.rows * _GREW * grown:
            odd[f"{table.name}: rows where {table.rows} were"] = rows
    if lost and is_alike:
        return audit_result("drift", lost, "marts lost most of their rows, and the accepted records do not explain it")
    found = {**lost, **odd}
    if found:
        return audit_result("drift", found, "marts have far other numbers of rows than in the version before", "warn")
    return AuditResult("drift", "pass", {"marts compared": len(now)})


@dataclass(frozen=True)
class _Change:
    """What became of an object against the version before.

    Attributes:
        kept: The share that is as it was, at most 1: of its living records or of their days, whichever is less.
        grown: How many times as many there are, of either; what was not there before explains any growth.
    """

    kept: float
    grown: float


def _changes(connection: duckdb.DuckDBPyConnection) -> dict[str, _Change]:
    """What became of each object and of the extracts."""
    then, now = (_sizes(connection, database) for database in ("before", "warehouse"))
    changes = {}
    for name, sizes in then.items():
        pairs = [(size, after) for size, after in zip(sizes, now[name], strict=True) if size or after]
        ratios = [after / size if size else math.inf for size, after in pairs]
        same = _unchanged(connection, name) / sizes[0] if name in MADE_OF and sizes[0] else 1.0
        changes[name] = _Change(min([1.0, same, *ratios]), max([1.0, *ratios]))
    return changes


def _unchanged(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Living records of the version before that are in the same rows of marts now."""
    said = ", ".join(MADE_OF[name])
    living = f"(select {said} from {{}}.intermediate.int_{name}__unioned where not is_deleted)"
    return count_rows(connection, f"({living.format('before')} intersect {living.format('warehouse')})")


def _sizes(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[int, ...]]:
    """By object: living records and the days they are of, up to the business date; of extracts their streams, too."""
    as_of = f"(select as_of from {database}.night.night)"
    sizes = {}
    for name, (_, *shape) in MADE_OF.items():
        moment = next((column for column in shape[:1] if column.endswith("_at")), None)
        days = (
            f"count(distinct {moment}::date) filter (not is_deleted and {moment}::date <= {as_of})" if moment else "0"
        )
        sizes[name] = connection.execute(
            f"select count(*) filter (not is_deleted), {days} from {database}.intermediate.int_{name}__unioned"
        ).fetchall()[0]
    sizes["extracts"] = connection.execute(
        "select count(*), count(distinct (source, stream)), count(distinct extract_date) "
        f"from {database}.night.batches where extract_date <= {as_of}"
    ).fetchall()[0]
    return sizes
