"""Why records are one customer, or are not: the question of `journeymart identity explain`, answered from a version.

What lives here: finding a record, its customer and the shortest chain of evidence to another. Not here: the
rules and the guards themselves (dbt), printing (the command line). Answers hold ids of records and words, never
names or addresses.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from assets.versions.contents import literal
from storage.data_folder import warehouse_file
from storage.engine import connect
from storage.errors import JourneymartError

_SAID = {
    "keep_apart": "a person decided to keep them apart",
    "several_customers": "several customers have it",
    "disabled": "the rule is not enabled",
}


@dataclass(frozen=True)
class Record:
    """A contact record, or a respondent without one.

    Attributes:
        key: Its key in the graph.
        name: `source/id`; of a respondent its source and key.
        customer_key: Its customer; -1: nobody.
        match_rule: Rule that found the customer.
        match_status: With what success.
        is_conflict: Rules that break a guard would join it to more.
        created_at: When its source created it.
    """

    key: int
    name: str
    customer_key: int
    match_rule: str
    match_status: str
    is_conflict: bool
    created_at: str | None


@dataclass(frozen=True)
class Evidence:
    """Why two records are one person, or, where it is blocked, what keeps that from counting."""

    one: str
    other: str
    rule: str
    confidence: float
    evidence: str
    blocked_by: str | None


@dataclass(frozen=True)
class Explanation:
    """What is known of a record, and of it and another.

    Attributes:
        record: The record asked for.
        records: All records of its customer.
        evidence: What joins them; for two records of one customer the shortest chain between them.
        other: The record it was compared with.
        is_one: The two are one customer; None: only one was asked for.
        reasons: Why they are not, in sentences.
    """

    record: Record
    records: tuple[Record, ...]
    evidence: tuple[Evidence, ...]
    other: Record | None = None
    is_one: bool | None = None
    reasons: tuple[str, ...] = ()


def explain(version: Path, asked: str, compared: str | None = None) -> Explanation:
    """Explain a record, or two.

    Args:
        version: Folder of a published version.
        asked: `source/id`, an id that only one source has, or the key of a record or customer.
        compared: Another record, named likewise.

    Raises:
        JourneymartError: There is no such record, or several.
    """
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(warehouse_file(version)))} as warehouse (read_only)")
        connection.execute("use warehouse.intermediate")
        record = _find(connection, asked)
        other = _find(connection, compared) if compared else None
        if other is None:
            customer = _records(
                connection, "customer_key = ? and customer_key <> -1 or node_key = ?", record.customer_key, record.key
            )
            return Explanation(record, customer, _between(connection, [each.key for each in customer]))
        both = _records(connection, "node_key in (?, ?)", record.key, other.key)
        if record.key == other.key or record.customer_key == other.customer_key != -1:
            members = _records(
                connection, "cluster = (select cluster from int_identity__resolved where node_key = ?)", record.key
            )
            edges = _between(connection, [each.key for each in members])
            return Explanation(record, both, _shortest(edges, record.name, other.name), other, True)
        return Explanation(record, both, (), other, False, _why_not(connection, record, other))


def _find(connection: duckdb.DuckDBPyConnection, asked: str) -> Record:
    source, _, identifier = asked.rpartition("/")
    found = _records(
        connection,
        "contact_id = ? and (source = ? or ? = '') or contact_id = ?",
        *(identifier, source, source, asked),
    )
    if not found and asked.removeprefix("-").isdecimal():
        found = _records(connection, "node_key = ?", int(asked))
    if not found:
        raise JourneymartError(
            f"No record '{asked}' is known: give its id, source/id, or the key of a customer in the current version."
        )
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:5])
        raise JourneymartError(f"Several records have the id '{asked}': name one of {names}.")
    return found[0]


def _records(connection: duckdb.DuckDBPyConnection, condition: str, *values: object) -> tuple[Record, ...]:
    rows = connection.execute(
        "select node_key, coalesce(source || '/' || contact_id, 'respondent of ' || source || ' ' || node_key), "
        "customer_key, match_rule, match_status, is_conflict, cast(nodes.created_at as varchar) "
        "from int_identity__resolved "
        "left join (select node_key, created_at from int_identity__node) as nodes using (node_key) "
        f"where {condition} order by nodes.created_at nulls last, node_key",
        list(values),
    ).fetchall()
    return tuple(Record(*row) for row in rows)


def _between(
    connection: duckdb.DuckDBPyConnection, keys: Iterable[int], free_only: bool = True
) -> tuple[Evidence, ...]:
    """Evidence of which both ends are among the keys, the surest first."""
    members = {
        each.key: each.name for each in _records(connection, "node_key in (select unnest(?::bigint[]))", list(keys))
    }
    rows = connection.execute(
        "select node_a, node_b, rule, confidence, evidence, blocked_by from int_identity__evidence "
        "where node_a in (select unnest($1::bigint[])) and node_b in (select unnest($1::bigint[])) "
        "and (blocked_by is null or not $2) order by rule_order, node_a, node_b",
        [list(members), free_only],
    ).fetchall()
    return tuple(Evidence(members[a], members[b], *said) for a, b, *said in rows)


def _shortest(edges: Iterable[Evidence], start: str, end: str) -> tuple[Evidence, ...]:
    """The shortest chain of evidence between two records; of several the surest."""
    neighbours: defaultdict[str, list[tuple[str, Evidence]]] = defaultdict(list)
    for edge in edges:
        neighbours[edge.one].append((edge.other, edge))
        neighbours[edge.other].append((edge.one, edge))
    came_by: dict[str, tuple[str, Evidence] | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in came_by:
        here = waiting.popleft()
        for there, edge in neighbours[here]:
            if there not in came_by:
                came_by[there] = (here, edge)
                waiting.append(there)
    chain: list[Evidence] = []
    step = came_by.get(end)
    while step is not None:
        chain.append(step[1])
        step = came_by[step[0]]
    return tuple(reversed(chain))


def _why_not(connection: duckdb.DuckDBPyConnection, record: Record, other: Record) -> tuple[str, ...]:
    """Why two records are two customers."""
    for each in (record, other):
        if each.match_status == "not_a_customer":
            return (f"{each.name} is an agent, so it is no customer.",)
    blocked = [edge for edge in _between(connection, [record.key, other.key], free_only=False) if edge.blocked_by]
    reasons = [f"{edge.evidence} It joins nothing, because {_SAID[str(edge.blocked_by)]}." for edge in blocked]
    reasons += _guards(connection, record, other) or _excluded(connection, record, other)
    return tuple(reasons) or ("Nothing in the extracts joins them: no chain of evidence leads from one to the other.",)


def _guards(connection: duckdb.DuckDBPyConnection, record: Record, other: Record) -> list[str]:
    """What forbids to follow the chain of evidence between the two, if there is one."""
    levels = [
        name for (name, *_) in connection.execute("describe int_identity__component").fetchall() if name != "node_key"
    ]
    (merged, customer, last) = (levels[1], levels[3], levels[-1])
    linked = connection.execute(
        f"select node_key from int_identity__component where {last} = "
        f"(select {last} from int_identity__component where node_key = ?)",
        [record.key],
    ).fetchall()
    keys = [key for (key,) in linked]
    if other.key not in keys:
        return []
    chain = _shortest(_between(connection, keys), record.name, other.name)
    rules = ", ".join(edge.rule for edge in chain)
    said = [f"A chain of evidence leads from one to the other ({rules}), but it is not followed:"]
    living, records = connection.execute(
        "with linked as ("
        f"select source, is_contact, is_crm and is_live as is_living, {customer} as customer, {merged} as merged "
        "from int_identity__component inner join int_identity__node using (node_key) "
        "where node_key in (select unnest(?::bigint[]))) "
        "select (select coalesce(max(customers), 0) from "
        "(select count(distinct customer) as customers from linked where is_living group by source)), "
        "(select count(distinct merged) from linked where is_contact)",
        [keys],
    ).fetchall()[0]
    if living > 1:
        said.append(f"it would make one of {living} living customers of one CRM.")
    elif other.is_conflict and record.is_conflict:
        said.append(f"it would make one of {records} records, or of two that a person keeps apart.")
    return [" ".join(said)]


def _excluded(connection: duckdb.DuckDBPyConnection, record: Record, other: Record) -> list[str]:
    """What the two share though it names nobody."""
    rows = connection.execute(
        "select distinct one.kind, one.is_personal from int_identity__contact_point as one "
        "inner join int_identity__contact_point as other using (kind, value) "
        "where one.contact_key = ? and other.contact_key = ? order by all",
        [record.key, other.key],
    ).fetchall()
    words = {"email": "e-mail address", "phone": "phone number"}
    return [
        f"Both have the same {words[kind]}, but "
        + ("that alone does not say that they are one person." if is_personal else "it is excluded: it names nobody.")
        for kind, is_personal in rows
    ]


def as_report(found: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it."""
    from dataclasses import asdict

    return {name: value for name, value in asdict(found).items() if value is not None}
