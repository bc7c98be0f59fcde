"""What KPIs would make of deliveries: which count, which are empty and why, how many records they leave out and why.

What lives here: accepted rows of the canonical streams held against what each KPI needs (kpi_needs.py), in one pass
over each stream. Not here: the needs, judging rows, the KPIs' own figures (dbt_project).

Of vendors' streams only the columns are looked at that their mapping tells: their records become canonical in a night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import duckdb

from assets.inspect.described_questions import ANSWER, QUESTION, describe_questions
from assets.inspect.kpi_needs import COMPANYS, TOLD_AGAIN, MeasureNeeds, Need, Term, load_needs
from quality.contract.model import Contract, load_contract
from quality.rows.casts import identifier, literal
from quality.rows.landed_text import pattern

State = Literal["counts", "reads 0", "empty", "not counted"]


@dataclass(frozen=True)
class Kpi:
    """A KPI by its names, the measure it is made of, and what of it is counted (seed kpis)."""

    kpi: str
    name: str
    measure: str
    counted: str


@dataclass(frozen=True)
class Told:
    """What is delivered.

    Attributes:
        rows: Accepted rows of canonical streams, as Parquet files by stream.
        mapped: Columns that mappings of vendors' streams tell, by canonical object.
        tables: Columns of the company's tables that hold values, as table.column.
        currency: The company's; None: nobody said, so every currency may be.
        questions: What the company says of questions of surveys: rows of its table survey_questions.
    """

    rows: Mapping[str, Sequence[Path]]
    mapped: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    currency: str | None = None
    questions: Sequence[Mapping[str, str]] = ()

    def has(self, name: str) -> bool:
        """Whether there are records of a canonical object that can be looked at."""
        return bool(self.rows.get(name)) or (name == QUESTION and bool(self.questions) and bool(self.rows.get(ANSWER)))


@dataclass(frozen=True)
class LeftOutHere:
    """Records that a KPI leaves out, why, and what to do."""

    records: int
    because: str
    remedy: str


@dataclass(frozen=True)
class Outlook:
    """What one KPI would make of what is delivered.

    Attributes:
        kpi: Which.
        name: Its name.
        state: `counts`; `reads 0`, because nothing else is told; `empty`; `not counted`, because its records come
            through a vendor's mapping, which tells the columns it needs, or for the reason that is said.
        records: Records it is about.
        counted: Those of them that it counts.
        because: Why it is empty or reads 0.
        remedy: What to do about it.
        lacks: The object nobody delivers, where that is why; empty: it is not.
        left_out: What it leaves out.
    """

    kpi: str
    name: str
    state: State
    records: int = 0
    counted: int = 0
    because: str = ""
    remedy: str = ""
    lacks: str = ""
    left_out: tuple[LeftOutHere, ...] = ()


# The fields of an outlook behind the names of the KPI.
_Found = tuple[State, int, int, str, str, str, tuple[LeftOutHere, ...]]
_NOT_SAID: _Found = ("not counted", 0, 0, "nobody has said what its measure needs", "", "", ())


def kpi_outlooks(
    connection: duckdb.DuckDBPyConnection, kpis: Sequence[Kpi], told: Told, reasons: Mapping[str, tuple[str, str]]
) -> list[Outlook]:
    """What KPIs would make of deliveries.

    Args:
        connection: Any; gets tables.
        kpis: The KPIs.
        told: What is delivered.
        reasons: Words and remedy of every reason of the seed left_out_reasons.
    """
    known = load_needs()
    measures = [known[each] for each in dict.fromkeys(each.measure for each in kpis) if each in known]
    records = _Records(connection, told, measures)
    outlooks = {needs.measure: _outlook(needs, records, told, reasons) for needs in measures}
    # What a measure of the company's own needs, nobody has said.
    return [_of_kpi(each, outlooks.get(each.measure, _NOT_SAID)) for each in kpis]


def _of_kpi(kpi: Kpi, found: _Found) -> Outlook:
    """The outlook of one KPI of a measure: how many there are is no 0 for want of what else is told of them."""
    outlook = Outlook(kpi.kpi, kpi.name, *found)
    if outlook.state == "reads 0" and kpi.counted == "responses":
        return replace(outlook, state="counts", because="", remedy="")
    return outlook


class _Records:
    """What holds of each record of each canonical stream, found in one pass over each."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, told: Told, measures: Iterable[MeasureNeeds]) -> None:
        self._connection = connection
        self._told = told
        self._there = {name for name, files in told.rows.items() if files}
        for name in self._there:
            _make_newest(connection, load_contract("canonical", name), told.rows[name])
        if told.questions and told.has(QUESTION):
            describe_questions(connection, told.questions, are_delivered=QUESTION in self._there)
            self._there.add(QUESTION)
        asked: dict[str, dict[tuple[Term, ...], None]] = {}
        for needs in measures:
            for name in set(needs.counts) & self._there:
                own = [each.any for each in needs.clauses] + [needs.reads_0]
                asked.setdefault(name, {}).update(dict.fromkeys(own))
        self._columns: dict[str, dict[tuple[Term, ...], str]] = {}
        for name, terms in asked.items():
            self._columns[name] = {each: f"c{place}" for place, each in enumerate(terms)}
            flags = ", ".join(
                f"({self._condition(name, each)}) as {flag}" for each, flag in self._columns[name].items()
            )
            connection.execute(f"create or replace table held_{name} as select {flags} from newest_{name} as r")

    def counts(self, name: str, clauses: Sequence[Need], reads: tuple[Term, ...]) -> list[int]:
        """Records of an object; how many fulfil the first clause, the first two, ...; last, what is counted of them."""
        if name not in self._there:
            return [0] * (len(clauses) + 2)
        flags = [self._columns[name][each.any] for each in clauses]
        prefixes = [" and ".join(["true", *flags[:place]]) for place in range(len(flags) + 1)]
        last = f"{prefixes[-1]} and {self._columns[name][reads]}"
        asked = ", ".join(f"count(*) filter ({each})" for each in (*prefixes, last))
        row = self._connection.execute(f"select {asked} from held_{name}").fetchone()
        return list(row or ())

    def _condition(self, name: str, terms: tuple[Term, ...]) -> str:
        """SQL that is true where one of the terms holds of a record `r`."""
        return " or ".join(self._holds(name, term) for term in terms) or "true"

    def _holds(self, name: str, term: Term) -> str:
        if term.table:
            return "true" if term.table in self._told.tables else "false"
        if term.object in self._told.mapped and _is_told(term, self._told.mapped):
            return "true"
        if term.values == (COMPANYS,):
            ours = literal(self._told.currency or "")
            return f"coalesce(r.{identifier(term.column or '')}, {ours}) = {ours}" if self._told.currency else "true"
        if term.object == name:
            return _is_so("r", term)
        if term.object not in self._there:
            return "false"
        keys = _shared_key(name, term.object)
        joined = " and ".join([*(f"o.{identifier(key)} = r.{identifier(key)}" for key in keys), _is_so("o", term)])
        return f"exists (select 1 from newest_{term.object} as o where {joined})"


def _make_newest(connection: duckdb.DuckDBPyConnection, contract: Contract, files: Sequence[Path]) -> None:
    """A table of the records of a stream as last delivered, and whether several versions of each were."""
    listed = ", ".join(literal(pattern(file)) for file in files)
    key = ", ".join(["_source", *map(identifier, contract.key)])
    columns = ", ".join(map(identifier, contract.columns))
    connection.execute(
        f"""
        create or replace table newest_{contract.stream} as
        select {columns}, count(*) over (partition by {key}) > 1 as {TOLD_AGAIN}
        from read_parquet([{listed}], union_by_name = true)
        qualify row_number() over (
            partition by {key}
            order by _version_at desc, _extract_date desc, _file desc nulls last, _row desc nulls last
        ) = 1 and _op = 'upsert' and not coalesce(is_deleted, false)
        """
    )


def _is_so(row: str, term: Term) -> str:
    """SQL that is true where a term holds of a record."""
    if term.column is None:
        return "true"
    value = f"{row}.{identifier(term.column)}"
    if term.values is None:
        return f"{value} is not null"
    text = f"lower({value}::varchar)"
    if term.within:
        return "(" + " or ".join(f"coalesce(contains({text}, {literal(each)}), false)" for each in term.values) + ")"
    if all(_is_number(each) for each in term.values):
        return f"coalesce({value} in ({', '.join(term.values)}), false)"
    return f"coalesce({text} in ({', '.join(map(literal, term.values))}), false)"


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _shared_key(name: str, other: str) -> tuple[str, ...]:
    """The columns by which records of two objects belong together: the key of one that the other has; none: nothing."""
    own, theirs = load_contract("canonical", name), load_contract("canonical", other)
    if set(theirs.key) <= own.columns.keys():
        return theirs.key
    return own.key if set(own.key) <= theirs.columns.keys() else ()


def _is_told(term: Term, mapped: Mapping[str, frozenset[str]]) -> bool:
    """Whether a vendor's mapping tells what a term asks for; of values it cannot be seen."""
    return term.object in mapped and (term.column in (None, TOLD_AGAIN) or term.column in mapped[term.object])


def _outlook(needs: MeasureNeeds, records: _Records, told: Told, reasons: Mapping[str, tuple[str, str]]) -> _Found:
    there = [name for name in needs.counts if told.has(name)]
    mapped = [name for name in needs.counts if name in told.mapped]
    if not there and not mapped:
        lacking = needs.counts[0]
        return ("empty", 0, 0, f"nobody delivers {lacking}", _deliver(lacking), lacking, ())
    if not there:
        return _of_mapping(needs, told, reasons)
    by_object = [records.counts(name, needs.clauses, needs.reads_0) for name in there]
    *prefixes, counted_of = (sum(each) for each in zip(*by_object, strict=True))
    if not prefixes[0]:
        return ("empty", 0, 0, f"no record of {there[0]} was accepted", "deliver some", "", ())
    about, counted = prefixes[len(needs.among)], prefixes[-1]
    left_out = []
    for place, need in enumerate(needs.clauses):
        lost = prefixes[place] - prefixes[place + 1]
        if prefixes[place + 1] == 0:
            return ("empty", about, 0, *_said(need, told, reasons), ())
        if lost and place >= len(needs.among):
            left_out.append(LeftOutHere(lost, *_said(need, told, reasons)[:2]))
    if needs.reads_0 and not counted_of:
        words = " or ".join(map(str, needs.reads_0))
        return ("reads 0", about, counted, f"nothing tells of {words}", f"deliver {words}", "", tuple(left_out))
    return ("counts", about, counted, "", "", "", tuple(left_out))


def _of_mapping(needs: MeasureNeeds, told: Told, reasons: Mapping[str, tuple[str, str]]) -> _Found:
    """The outlook of a measure whose records come through a vendor's mapping."""
    for need in needs.clauses:
        if not any(_is_told_at_all(term, told) for term in need.any):
            return ("empty", 0, 0, *_said(need, told, reasons), ())
    if needs.reads_0 and not any(_is_told_at_all(term, told) for term in needs.reads_0):
        words = " or ".join(map(str, needs.reads_0))
        return ("reads 0", 0, 0, f"nothing tells of {words}", f"deliver {words}", "", ())
    return ("not counted", 0, 0, "", "", "", ())


def _is_told_at_all(term: Term, told: Told) -> bool:
    if term.table:
        return term.table in told.tables
    return told.has(term.object) or _is_told(term, told.mapped)


def _said(need: Need, told: Told, reasons: Mapping[str, tuple[str, str]]) -> tuple[str, str, str]:
    """Why a need is not met, what to do, and the object that nobody delivers, if one would do."""
    because, remedy = reasons[need.reason] if need.reason else (need.because, need.remedy)
    objects = dict.fromkeys(term.object for term in need.any if term.object)
    lacking = [name for name in objects if not told.has(name) and name not in told.mapped]
    if not lacking or any(_is_told_at_all(term, told) for term in need.any):
        return because, remedy, ""
    return f"{because} (nobody delivers {' or '.join(lacking)})", _deliver(*lacking), lacking[0]


def _deliver(*names: str) -> str:
    lines = " or ".join(f"`{name}:`" for name in names)
    described = "say in seeds/survey_questions.csv what the questions measure, or " if QUESTION in names else ""
    return f"{described}add the line {lines} under the streams of a source that has it"
