"""The audit of finished marts, before anybody may see them: reconciliation, KPI identities, drift, identity.

What lives here: the questions, in SQL over both files of a build, written independently of the models. Not
here: what follows from the answers (publish). Findings hold counts and names of tables, never values of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from assets.versions.contents import attach, identifier, literal
from assets.versions.versions import Version
from assets.warehouse.load import accepted_table
from quality.contract.model import all_contracts
from quality.gate.ledger import Outcome
from storage.data_folder import warehouse_file

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

# Marts smaller than this say nothing by their size.
_ENOUGH_ROWS = 100
_LOST, _SHRUNK, _GREW = 0.5, 0.8, 3.0

# How far the share of a source's records that find a customer may fall from one version to the next.
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
        if before is not None:
            connection.execute(f"attach {literal(str(warehouse_file(before.path)))} as before (read_only)")
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
    for contract in all_contracts():
        if contract.becomes is None:
            continue
        key = ", ".join(identifier(name) for name in ("_source", *contract.key))
        table = identifier(accepted_table(contract.system, contract.stream))
        records = f"(select distinct {key} from warehouse.accepted.{table})"
        objects = f"warehouse.intermediate.int_{contract.becomes}__unioned where system = {literal(contract.system)}"
        _note(
            wrong,
            f"{contract.system}/{contract.stream} in {contract.becomes}",
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
    """No mart lost more of its rows against the version before than what it is made of explains.

    Sources and streams come and go, records are purged or corrected, a business date may lie before the last: a mart
    may shrink or grow as much as the records, their days or the extracts did, and some more.
    """
    if before is None:
        return Finding("drift", "pass", {"first version": 1})
    now = {
        name: _count(connection, f"marts.main.{identifier(name)}")
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
        if table.rows < _ENOUGH_ROWS:
            continue
        own = [changes[name] for name in MARTS_OF.get(table.name, changes) if name in changes]
        kept, grown = min([1.0, *(each.kept for each in own)]), max([1.0, *(each.grown for each in own)])
        if table.name not in now or rows < table.rows * _LOST * kept:
            lost[f"{table.name}: rows of {table.rows} left"] = rows
        elif not table.rows * _SHRUNK * kept <= rows <= table.rows * _GREW * grown:
            odd[f"{table.name}: rows where {table.rows} were"] = rows
    if lost and is_alike:
        return _finding("drift", lost, "marts lost most of their rows, and the accepted records do not explain it")
    found = {**lost, **odd}
    if found:
        return _finding("drift", found, "marts have far other numbers of rows than in the version before", "warn")
    return Finding("drift", "pass", {"marts compared": len(now)})


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
    return _count(connection, f"({living.format('before')} intersect {living.format('warehouse')})")


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


def check_customers(connection: duckdb.DuckDBPyConnection, before: Version | None, fingerprint: str) -> Finding:
    """Records find their customers as they did, few are in doubt, and no customer has more records than a person.

    What the accepted records explain only warns: the gate judges records. It blocks where the very same records no
    longer find each other, and where a guard of the models did not hold.
    """
    figures: dict[str, int | float | str] = {
        f"match rate/{source}": round(matched / records, 4)
        for source, (records, matched) in _match_rates(connection).items()
    }
    figures |= _cluster_figures(connection)
    if figures["largest customer"] > LARGEST_CUSTOMER:  # type: ignore[operator]
        wrong = {"records of the largest customer": figures["largest customer"]}
        return _identity(figures, wrong, "a customer has more records than a person has", "fail")  # type: ignore[arg-type]
    odd: dict[str, int | float] = {}
    doubtful = float(figures["ambiguous share"]) + float(figures["conflict share"])
    if int(figures["records"]) >= _ENOUGH_ROWS and doubtful >= DOUBTFUL_SHARE:
        odd["share of records in doubt"] = round(doubtful, 4)
    if before is not None:
        if before.manifest.fingerprint == fingerprint and (parted := _parted(connection)):
            return _identity(figures, parted, "records that did not change no longer find each other", "fail")
        odd |= _fallen_rates(connection)
    if odd:
        return _identity(figures, odd, "records do not find their customers as they should", "warn")
    return Finding("identity", "pass", figures)


def _identity(
    figures: Mapping[str, int | float | str], found: Mapping[str, int | float], summary: str, outcome: Outcome
) -> Finding:
    finding = _finding("identity", found, summary, outcome)
    return Finding("identity", finding.outcome, {**figures, **finding.detail}, finding.sentence)


# Contact records that may be customers, and what became of them.
_RECORDS = """
    select contact_key, source, customer_key, match_rule, match_status
    from {database}.intermediate.map_customer_identity
    where match_status <> 'not_a_customer'
"""
_OUTSIDE_CRM = "source not in (select source from warehouse.night.sources where role = 'crm')"


def _match_rates(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """By source outside the CRM: records of customers, and how many of them are joined to another record."""
    found = connection.execute(
        "select source, count(*), count(*) filter (match_rule <> 'own') "
        f"from ({_RECORDS.format(database='warehouse')}) where {_OUTSIDE_CRM} group by all order by all"
    ).fetchall()
    return {source: (records, matched) for source, records, matched in found}


def _fallen_rates(connection: duckdb.DuckDBPyConnection) -> dict[str, int | float]:
    """Sources whose match rate fell out of the band, among the records that both versions know: by how much."""
    found = connection.execute(
        "select records.source, count(*), "
        "avg((earlier.match_rule <> 'own')::int) - avg((records.match_rule <> 'own')::int) "
        f"from ({_RECORDS.format(database='warehouse')}) as records "
        f"inner join ({_RECORDS.format(database='before')}) as earlier using (contact_key) "
        f"where records.{_OUTSIDE_CRM} group by all order by all"
    ).fetchall()
    return {
        f"{source}: match rate fell by": round(fall, 4)
        for source, records, fall in found
        if records >= _ENOUGH_ROWS and fall > MATCH_RATE_BAND
    }


def _parted(connection: duckdb.DuckDBPyConnection) -> dict[str, int | float]:
    """Sources many of whose records lost their customer though no record of that customer changed: which share.

    Where somebody else now has the same address, or surveys and orders had joined them, other records may explain it.
    """
    said = (
        "contact_key, account_id, external_contact_id, email, phone, mobile_phone, first_name, last_name, country, "
        "role, merged_into_contact_id, is_deleted"
    )
    found = connection.execute(
        f"""
        with unchanged as (
            select {said} from before.intermediate.int_contact__unioned
            intersect select {said} from warehouse.intermediate.int_contact__unioned
        ),
        known as (
            select
                *, bool_and(contact_key in (select contact_key from unchanged)) over one_customer as is_whole,
                count(*) over one_customer as size
            from ({_RECORDS.format(database="before")})
            window one_customer as (partition by customer_key)
        )
        select known.source, count(*), avg((records.match_status = 'unmatched')::int)
        from known
        inner join ({_RECORDS.format(database="warehouse")}) as records using (contact_key)
        where known.is_whole and known.size > 1 and known.match_rule not in ('own', 'ticket_requester', 'order_buyer')
        group by all order by all
        """
    ).fetchall()
    return {
        f"{source}: share of records parted": round(share, 4)
        for source, records, share in found
        if records >= _ENOUGH_ROWS and share > MATCH_RATE_BAND
    }


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


def _finding(audit: str, wrong: Mapping[str, int | float], summary: str, outcome: Outcome = "fail") -> Finding:
    if not wrong:
        return Finding(audit, "pass")
    said = "; ".join(f"{what} {count}" for what, count in list(wrong.items())[:3])
    verb = "failed" if outcome == "fail" else "warned"
    return Finding(audit, outcome, dict(wrong), f"The audit {audit} {verb} because {summary} ({said}).")


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
