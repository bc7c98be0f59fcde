"""What a night would make of a delivery: it is landed and judged for real, in a data folder of its own.

What lives here: landing and the gate's own judgement, and its outcome by reason, row and column. Not here: how the
file is written (text_file.py), which stream it is (columns.py), what KPIs make of it (kpi_needs.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from assets.inspect.proposal import Proposal
from assets.inspect.values import shape_of
from assets.landing.connectors.config import FileStream
from assets.landing.land import land_many
from assets.landing.records import record_texts
from quality.contract.model import Contract
from quality.contract.reading import Reading
from quality.gate.check_result import CheckResult
from quality.gate.first_look import look_at
from quality.gate.gate import Gate
from quality.gate.quarantine import ROWS
from quality.gate.verdict import Verdict
from quality.landed.extract import LandedExtract
from quality.rows.casts import cast, identifier
from quality.rows.connection import set_up
from quality.rows.delivered_as import local_dates, number_shapes
from quality.rows.formats import Misread, declared_lines, misread_dates, misread_numbers
from quality.rows.landed_text import delivered_text, read_parquet, text_columns
from quality.rows.predicates import predicates
from storage.data_folder import DataFolder
from storage.engine import connect
from storage.errors import JourneymartError

_EXAMPLES = 3
_LONGEST_VALUE = 40
# Types whose values have a digit, and what may stand there for nothing.
_OF_DIGITS = ("bigint", "double", "decimal", "date", "timestamp", "epoch_s", "epoch_ms")
_LONGEST_WORD, _MOST_WORDS = 12, 3


@dataclass(frozen=True)
class Example:
    """One row at fault: its file, its number there, and its value; of personal data the shape alone."""

    file: str | None
    row: int | None
    value: str | None


@dataclass(frozen=True)
class Reason:
    """Why rows would go to quarantine, how many, and some of them."""

    reason: str
    column: str | None
    rows: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Judged:
    """What a night would say of one extract.

    Attributes:
        refused: Why it cannot be landed; None: it can.
        blocked_by: What would block it, in words by check; empty: it would be accepted.
        warned: What would only be warned of, likewise.
        verdict: The gate's; None: it was refused, or what blocks was plain before its rows were judged.
        reasons: Why rows would go to quarantine, most rows first.
    """

    refused: str | None = None
    blocked_by: tuple[tuple[str, str], ...] = ()
    warned: tuple[tuple[str, str], ...] = ()
    verdict: Verdict | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether a night would accept it, less what goes to quarantine."""
        return self.refused is None and not self.blocked_by


NOT_JUDGED = Judged()


def landed_extract(stream: FileStream, contract: Contract, folder: DataFolder, day: date) -> LandedExtract:
    """A landed extract, to be judged as its stream is read."""
    return LandedExtract(
        stream=stream.stream,
        contract=contract,
        extract_date=day,
        timezone=stream.timezone,
        mode=stream.mode,
        partition=folder.landing_partition(stream.stream, day),
        reading=stream.reading,
    )


def land(stream: FileStream, contract: Contract, folder: DataFolder, days: Sequence[date]) -> str | None:
    """Land deliveries; why that cannot be, in words, or None."""
    try:
        landed = land_many(stream, contract, folder, days)
    except JourneymartError as error:
        return str(error)
    return None if landed else f"Nothing of {stream.stream} is delivered for {days[-1]}."


def misread(extract: LandedExtract) -> list[Proposal]:
    """Reading rules to declare for numbers and dates, by the gate's own eyes."""
    with _connected() as connection:
        found = misread_numbers(number_shapes(connection, extract), extract.reading)
        found += misread_dates(local_dates(connection, extract), extract.reading)
        by_rules: dict[tuple[Reading, ...], list[Misread]] = {}
        for each in found:
            by_rules.setdefault(each.rules, []).append(each)
        words = _words_for_nothing(connection, extract)
        return [
            *([words] if words else []),
            *(
                Proposal(
                    tuple(tuple(declared_lines(rule)) for rule in rules),
                    "; ".join(f"{each.column} {each.what}" for each in columns),
                    "certain" if len(rules) == 1 else "open",
                    tuple(each.column for each in columns),
                    _read_both_ways(connection, extract, columns[0].column, rules) if len(rules) > 1 else "",
                )
                for rules, columns in by_rules.items()
            ),
        ]


def _words_for_nothing(connection: duckdb.DuckDBPyConnection, extract: LandedExtract) -> Proposal | None:
    """Texts without a digit in columns of numbers and dates, which may stand for nothing; None: none, or many.

    Those that stand for nothing anyway are left out.
    """
    read = text_columns(connection, extract.rows_file)
    texts = {
        name: delivered_text(extract, name, read)
        for name, column in extract.contract.columns.items()
        if name in read and column.type in _OF_DIGITS and column.pii == "none"
    }
    if not texts:
        return None
    found = connection.execute(
        f"""
        select text, list(distinct name order by name), count(*) from (
            select unnest($names) as name, unnest([{", ".join(texts.values())}]) as text
            from {read_parquet(extract.rows_file)}
        )
        where length(text) <= {_LONGEST_WORD} and not regexp_matches(text, '[0-9]') group by text order by 3 desc, 1
        limit {_MOST_WORDS + 1}
        """,
        {"names": list(texts)},
    ).fetchall()
    if not found or len(found) > _MOST_WORDS:
        return None
    words = [text for text, _, _ in found]
    saw = "; ".join(f"{text!r} stands {n:,} times in {', '.join(names)}" for text, names, n in found)
    columns = tuple(dict.fromkeys(name for _, names, _ in found for name in names))
    return Proposal(((f"empty: {json.dumps(words, ensure_ascii=False)}",),), saw, "likely", columns)


def _read_both_ways(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, name: str, rules: Sequence[Reading]
) -> str:
    """A value that the rules read differently, and how each reads it; empty: there is none, or it is personal."""
    column = extract.contract.columns[name]
    if column.pii != "none":
        return ""
    text = delivered_text(extract, name, text_columns(connection, extract.rows_file))
    read = [f"({cast(column.type, 'text', extract.timezone, rule)})::varchar as r{n}" for n, rule in enumerate(rules)]
    found = connection.execute(
        f"select * from (select text, {', '.join(read)} from (select {text} as text "
        f"from {read_parquet(extract.rows_file)}) where text is not null) where r0 <> r1 limit 1"
    ).fetchone()
    return f"{found[0]} is {' or '.join(map(str, found[1:]))}" if found else ""


def with_rules(reading: Reading, proposals: Sequence[Proposal]) -> Reading:
    """Reading rules with those added that are proposed without a choice."""
    for proposal in proposals:
        for line in proposal.lines[0] if len(proposal.lines) == 1 else ():
            key, _, value = line.partition(": ")
            rule: dict[str, Any] = {key: value.strip('"')}
            if key == "empty":
                rule = {key: (*reading.empty, *json.loads(value))}
            reading = replace(reading, **rule)
    return reading


def blocked_at_sight(extract: LandedExtract) -> Judged | None:
    """What blocks an extract whatever its rows hold: they need not be judged then; None: they must be."""
    with _connected() as connection:
        case = look_at(connection, extract)
    stopped = [check for check in case.results.values() if not check.passed]
    return Judged(blocked_by=tuple((check.kind, _in_words(check)) for check in stopped)) if stopped else None


def judge(folder: DataFolder, extracts: Sequence[LandedExtract]) -> list[Judged]:
    """Judge landed extracts of one stream as a night does."""
    with Gate(folder, None, record_texts) as gate:
        verdicts = gate.judge(extracts)
    with _connected() as connection:
        return [
            Judged(
                blocked_by=tuple((check.kind, _in_words(check)) for check in verdict.checks if not check.passed),
                warned=tuple((check.kind, check.words) for check in verdict.checks if check.outcome == "warn"),
                verdict=verdict,
                reasons=tuple(_reasons(connection, folder, extract)),
            )
            for extract, verdict in zip(extracts, verdicts, strict=True)
        ]


def _in_words(check: CheckResult) -> str:
    """What a check that blocks found; reasons of rows and rules to declare are told beside it."""
    told = check.metadata
    if check.kind == "quarantine" and "share" in told:
        bad = int(told["quarantined"]) + int(told["rejects"])
        return f"{bad:,} rows are at fault, {100 * float(told['share']):.3g} % of them; allowed are " + (
            f"{100 * float(told['allowed share']):.3g} %, and never more than half"
        )
    if check.kind == "format":
        return f"{', '.join(told)} not written as declared"
    if told.get("rows left") == 0:
        return "no row is left"
    return check.words.removeprefix(f"{check.kind}: ")


def _connected() -> duckdb.DuckDBPyConnection:
    connection = connect()
    set_up(connection)
    return connection


def _reasons(connection: duckdb.DuckDBPyConnection, folder: DataFolder, extract: LandedExtract) -> list[Reason]:
    """Why rows of an extract went to quarantine, out of what the gate wrote there."""
    file = folder.quarantine_partition(extract.stream, extract.extract_date) / ROWS
    if not file.exists():
        return []
    columns = {each.name: each.column for each in predicates(extract.contract)}
    grouped = connection.execute(
        f"""
        with faults as (
            select _file, _row, unnest(reasons) as reason, unnest(rules) as rule from {read_parquet(file)}
        )
        select reason, rule, count(*) as n, list(struct_pack(f := _file, r := _row) order by _file, _row)[:{_EXAMPLES}]
        from faults group by reason, rule order by n desc, reason
        """
    ).fetchall()
    found = []
    for reason, rule, rows, places in grouped:
        column = columns.get(rule)
        values = _values(connection, extract, column, [place["r"] for place in places if place["r"] is not None])
        examples = tuple(Example(place["f"], place["r"], values.get((place["f"], place["r"]))) for place in places)
        found.append(Reason(reason, column, rows, examples))
    return found


def _values(
    connection: duckdb.DuckDBPyConnection, extract: LandedExtract, column: str | None, rows: Sequence[int]
) -> dict[tuple[str | None, int | None], str]:
    """What was delivered in a column of some rows; of personal data the shape alone."""
    delivered = text_columns(connection, extract.rows_file)
    if column not in delivered or not rows:
        return {}
    text = f"{identifier(delivered[column])}::varchar"
    is_personal = extract.contract.columns[column].pii != "none"
    shown = shape_of(text) if is_personal else f"substr({text}, 1, {_LONGEST_VALUE})"
    found = connection.execute(
        f"select _file, _row, {shown} from {read_parquet(extract.rows_file)} where list_contains($rows, _row)",
        {"rows": list(rows)},
    ).fetchall()
    return {(file, row): value for file, row, value in found if value is not None}
