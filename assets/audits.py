"""The audit of finished marts, before anybody may see them: reconciliation, KPI identities, drift, identity.

What lives here: the questions, in SQL over both files of a build, written independently of the models. Not
here: what follows from the answers (publish). Findings hold counts and names of tables, never values of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from assets.contents import attach, identifier, literal
from assets.versions import Version
from assets.warehouse import accepted_table
from quality.contract import load_contract
from quality.data_folder import warehouse_file
from quality.ledger import Outcome

# Streams whose every record is one record of a canonical object. Others are split, joined or filtered on the way, each
# with dbt tests of its own.
ONE_TO_ONE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "account": (("salesforce", "account"), ("zendesk", "organizations"), ("canonical", "account")),
    "contact": (("salesforce", "contact"), ("canonical", "contact")),
    "order": (("salesforce", "opportunity"), ("olist", "orders"), ("canonical", "order")),
    "ticket": (("zendesk", "tickets"), ("salesforce", "case"), ("canonical", "ticket")),
    "activity": (("canonical", "activity"),),
    "agent": (("canonical", "agent"),),
    "ticket_event": (("canonical", "ticket_event"),),
    "survey_question": (("canonical", "survey_question"),),
    "survey_invitation": (("canonical", "survey_invitation"),),
    "survey_answer": (("canonical", "survey_answer"),),
    "feedback": (("canonical", "feedback"),),
    "action": (("canonical", "action"),),
}

# Canonical objects whose every record is one row of a fact: removed and merged ones stay, marked as such.
FACTS: Mapping[str, str] = {
    "int_ticket__unioned": "fct_ticket",
    "int_order__unioned": "fct_order",
    "int_survey_answer__unioned": "fct_survey_answer",
    "int_survey_invitation__unioned": "fct_survey_invitation",
}

# What holds for every row of mart_kpi_daily, by name; a row for which a condition is false breaks it (NULL
# does not).
IDENTITIES: Mapping[str, str] = {
    "a hidden figure is hidden in every column": (
        "not is_suppressed "
        "or coalesce(numerator, denominator, value, ci_low, ci_high, n, previous_value, difference, difference_low) "
        "is null"
    ),
    # The interval of a score shrinks towards 0, so that of very few answers may end before an extreme value.
    "the interval holds the value": (
        "ci_low <= ci_high and (method = 'adjusted_wald' or value between ci_low and ci_high)"
    ),
    "a share lies between 0 and 100": (
        "method <> 'wilson' or (value between 0 and 100 and ci_low >= 0 and ci_high <= 100)"
    ),
    "a score lies between -100 and 100": (
        "method <> 'adjusted_wald' or (value between -100 and 100 and ci_low >= -100 and ci_high <= 100)"
    ),
    "the value is numerator over denominator": (
        "method not in ('wilson', 'adjusted_wald') or abs(value - 100 * numerator / nullif(denominator, 0)) < 1e-3"
    ),
    "the denominator is the number of records": "method in ('count', 'sum', 'per_hundred') or denominator = n",
    "counts are not negative": "n >= 0 and coalesce(denominator, 0) >= 0",
    "a difference lies within its interval": "difference_low <= difference_high",
    "no day lies after the business date": "date_day <= (select as_of from warehouse.night.night)",
}

# Marts smaller than this say nothing by their size.
_ENOUGH_ROWS = 100
_LOST, _SHRUNK, _GREW = 0.5, 0.8, 3.0

# How far the share of a source's records that find a customer may move from one version to the next.
MATCH_RATE_BAND = 0.10
# Records of one customer, those that a person or a vendor merged counted as one.
LARGEST_CUSTOMER = 10
# Share of records that could be several customers, or more than one person.
DOUBTFUL_SHARE = 0.05


@dataclass(frozen=True)
class Finding:
    """What one audit found.

    Attributes:
        audit: `reconciliation`, `kpi_identities`, `drift` or `identity`.
        outcome: As the ledger takes it.
        detail: Counts by what was found.
        sentence: The same for a person.
    """

    audit: str
    outcome: Outcome
    detail: Mapping[str, int | float | str] = field(default_factory=dict)
    sentence: str = ""


def audit(build: Path, before: Version | None, fingerprint: str) -> tuple[Finding, ...]:
    """Audit a finished build; an exception inside an audit is an error, which blocks.

    Args:
        build: The build, closed by whoever wrote it.
        before: The newest version before it; None: it is the first.
        fingerprint: What it was built by: with other models, a mart may shrink on purpose.
    """
    with duckdb.connect() as connection:
        attach(connection, build, read_only=True)
        return (
            _guarded("reconciliation", lambda: reconcile(connection)),
            _guarded("kpi_identities", lambda: check_identities(connection)),
            _guarded("drift", lambda: compare(connection, before, fingerprint)),
            _guarded("identity", lambda: check_customers(connection, before, fingerprint)),
        )


def reconcile(connection: duckdb.DuckDBPyConnection) -> Finding:
    """Every loaded row is there, every record in its canonical object, every canonical record in its fact."""
    wrong: dict[str, int] = {}
    loaded = connection.execute(
        "select system, stream, sum(rows)::bigint from warehouse.night.batches group by all order by all"
    ).fetchall()
    for system, stream, rows in loaded:
        table = f"warehouse.accepted.{identifier(accepted_table(system, stream))}"
        _note(wrong, f"{system}/{stream}: loaded rows", rows, _count(connection, table))
    for canonical, streams in ONE_TO_ONE.items():
        for system, stream in streams:
            key = ", ".join(identifier(name) for name in ("_source", *load_contract(system, stream).key))
            table = identifier(accepted_table(system, stream))
            records = f"(select distinct {key} from warehouse.accepted.{table})"
            objects = f"warehouse.intermediate.int_{canonical}__unioned where system = {literal(system)}"
            _note(
                wrong,
                f"{system}/{stream} in {canonical}",
                _count(connection, records),
                _count(connection, objects),
            )
    for canonical, fact in FACTS.items():
        rows = _count(connection, f"warehouse.intermediate.{canonical}")
        _note(wrong, f"{canonical} in {fact}", rows, _count(connection, f"marts.main.{fact}"))
    return _finding("reconciliation", wrong, "records are not where they should be")


def check_identities(connection: duckdb.DuckDBPyConnection) -> Finding:
    """Numerators, denominators, values and bounds of every KPI row agree."""
    counts = ", ".join(f"count(*) filter (not ({condition}))" for condition in IDENTITIES.values())
    row = connection.execute(f"select {counts} from marts.main.mart_kpi_daily").fetchall()[0]
    return _finding(
        "kpi_identities",
        {name: count for name, count in zip(IDENTITIES, row, strict=True) if count},
        "KPI rows contradict themselves",
    )


def compare(connection: duckdb.DuckDBPyConnection, before: Version | None, fingerprint: str) -> Finding:
    """No mart vanished, emptied or lost most of its rows against the version before."""
    if before is None:
        return Finding("drift", "pass", {"first version": 1})
    now = {
        name: _count(connection, f"marts.main.{identifier(name)}")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'marts' and schema_name = 'main'"
        ).fetchall()
    }
    lost: dict[str, int] = {}
    odd: dict[str, int] = {}
    for table in before.manifest.tables_of("marts"):
        rows = now.get(table.name, 0)
        if table.rows < _ENOUGH_ROWS:
            continue
        if rows < table.rows * _LOST:
            lost[f"{table.name}: rows of {table.rows} left"] = rows
        elif not table.rows * _SHRUNK <= rows <= table.rows * _GREW:
            odd[f"{table.name}: rows where {table.rows} were"] = rows
    if lost and before.manifest.fingerprint == fingerprint:
        return _finding("drift", lost, "marts lost most of their rows")
    found = {**lost, **odd}
    return Finding("drift", "warn" if found else "pass", found or {"marts compared": len(now)})


def check_customers(connection: duckdb.DuckDBPyConnection, before: Version | None, fingerprint: str) -> Finding:
    """Records find their customers as they did, few are in doubt, and no customer has more records than a person."""
    rates = _match_rates(connection, "warehouse")
    figures: dict[str, int | float | str] = {
        f"match rate/{source}": round(matched / records, 4) for source, (records, matched) in rates.items()
    }
    figures |= _cluster_figures(connection)
    wrong: dict[str, int | float] = {}
    if figures["largest customer"] > LARGEST_CUSTOMER:  # type: ignore[operator]
        wrong["records of the largest customer"] = figures["largest customer"]  # type: ignore[assignment]
    doubtful = float(figures["ambiguous share"]) + float(figures["conflict share"])
    if int(figures["records"]) >= _ENOUGH_ROWS and doubtful >= DOUBTFUL_SHARE:
        wrong["share of records in doubt"] = round(doubtful, 4)
    moved = _moved_rates(connection, before, rates)
    # With other rules or exclusions, records find their customers otherwise on purpose.
    if before is not None and before.manifest.fingerprint == fingerprint:
        wrong |= moved
    finding = _finding("identity", wrong, "records no longer find their customers as they should")
    outcome: Outcome = finding.outcome if wrong or not moved else "warn"
    return Finding("identity", outcome, {**figures, **moved, **finding.detail}, finding.sentence)


def _match_rates(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[int, int]]:
    """By source outside the CRM: records of customers, and how many of them are joined to another record."""
    found = connection.execute(
        "select source, count(*), count(*) filter (match_rule <> 'own') "
        f"from {database}.intermediate.map_customer_identity "
        "where system <> 'salesforce' and match_status <> 'not_a_customer' group by all order by all"
    ).fetchall()
    return {source: (records, matched) for source, records, matched in found}


def _moved_rates(
    connection: duckdb.DuckDBPyConnection, before: Version | None, rates: Mapping[str, tuple[int, int]]
) -> dict[str, float]:
    """Sources of the version before whose match rate left the band: by how much."""
    if before is None:
        return {}
    connection.execute(f"attach {literal(str(warehouse_file(before.path)))} as before (read_only)")
    moved = {}
    for source, (records, matched) in _match_rates(connection, "before").items():
        now = rates.get(source, (0, 0))
        change = now[1] / max(now[0], 1) - matched / records
        if records >= _ENOUGH_ROWS and abs(change) > MATCH_RATE_BAND:
            moved[f"{source}: match rate moved by"] = round(change, 4)
    return moved


def _cluster_figures(connection: duckdb.DuckDBPyConnection) -> dict[str, int | float | str]:
    """Counts worth plotting: sizes of customers, doubts, and what the night moved."""
    row = connection.execute(
        """
        with records as (
            select customer_key, match_status, cluster_size, unmerged_records
            from warehouse.intermediate.map_customer_identity
            where match_status <> 'not_a_customer'
        ),
        customers as (
            select customer_key, max(cluster_size) as size, max(unmerged_records) as unmerged
            from records
            group by customer_key
        )
        select
            (select count(*) from records) as "records",
            (select count(*) from customers) as "customers",
            (select count(*) from customers where size = 1) as "customers of 1 record",
            (select count(*) from customers where size between 2 and 3) as "customers of 2 to 3 records",
            (select count(*) from customers where size between 4 and 10) as "customers of 4 to 10 records",
            (select count(*) from customers where size > 10) as "customers of more records",
            (select coalesce(max(unmerged), 0) from customers) as "largest customer",
            (select coalesce(quantile_disc(size, 0.99), 0) from customers) as "p99 of records per customer",
            (select coalesce(round(avg((match_status = 'ambiguous')::int), 4), 0) from records) as "ambiguous share",
            (select coalesce(round(avg((match_status = 'conflict')::int), 4), 0) from records) as "conflict share"
        """
    )
    figures = dict(zip([column[0] for column in row.description], row.fetchall()[0], strict=True))
    moves = connection.execute(
        "select kind, count(*) from warehouse.intermediate.int_identity__changes "
        "where night = (select night from warehouse.night.night) group by all"
    ).fetchall()
    kinds = dict.fromkeys(("new", "merged", "split", "moved", "left"), 0) | dict(moves)
    return figures | {f"records {kind}": count for kind, count in kinds.items()}


def _note(wrong: dict[str, int], what: str, expected: int, found: int) -> None:
    if expected != found:
        wrong[f"{what}: missing"] = expected - found


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _finding(audit: str, wrong: Mapping[str, int | float], summary: str) -> Finding:
    if not wrong:
        return Finding(audit, "pass")
    said = "; ".join(f"{what} {count}" for what, count in list(wrong.items())[:3])
    return Finding(audit, "fail", dict(wrong), f"The audit {audit} failed because {summary} ({said}).")


def _guarded(audit: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return ask()
    except duckdb.Error as error:
        # DuckDB's own words may quote values, and values may be personal: only the kind of error goes on.
        kind = type(error).__name__
        return Finding(
            audit,
            "error",
            {"error": kind},
            f"The audit {audit} broke ({kind}): see that dbt built every mart.",
        )
