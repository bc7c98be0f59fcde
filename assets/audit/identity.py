"""Audit: records find their customers as they did, few are in doubt, and no customer has more records than a person.

In SQL written independently of the models. Not here: who is whom (dbt_project), saying why (assets/identity).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from assets.audit.moved_records import SAID, moved_contacts, moved_facts
from assets.audit.result import ENOUGH_ROWS, AuditResult, audit_result
from assets.versions.versions import Version
from quality.gate.ledger import Outcome

# How far the share of a source's records that find a customer may fall from one version to the next.
MATCH_RATE_BAND = 0.10
# Records of one customer, those that a person or a vendor merged counted as one.
LARGEST_CUSTOMER = 10
# Share of records that could be several customers, or more than one person.
DOUBTFUL_SHARE = 0.05
# Share of contact records, beyond a single one, that moved unexplained: a few may have a reason that is not looked for.
MOVED_SHARE = 0.01


def check_customers(connection: duckdb.DuckDBPyConnection, before: Version | None, fingerprint: str) -> AuditResult:
    """Records find their customers as they did, few are in doubt, and no customer has more records than a person.

    What the accepted records explain only warns: the gate judges records. It blocks where the very same records no
    longer find each other, where they are another customer's, and where a guard of the models did not hold.
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
    if int(figures["records"]) >= ENOUGH_ROWS and doubtful >= DOUBTFUL_SHARE:
        odd["share of records in doubt"] = round(doubtful, 4)
    if before is not None:
        if before.manifest.fingerprint == fingerprint:
            if parted := _parted(connection):
                return _identity(figures, parted, "records that did not change no longer find each other", "fail")
            moved, are_many = _moved(connection, int(figures["records"]))
            if are_many:
                return _identity(figures, moved, "records that did not change are another customer's", "fail")
            odd |= moved
        odd |= _fallen_rates(connection)
    if odd:
        return _identity(figures, odd, "records do not find their customers as they should", "warn")
    return AuditResult("identity", "pass", figures)


def _identity(
    figures: Mapping[str, int | float | str], found: Mapping[str, int | float], summary: str, outcome: Outcome
) -> AuditResult:
    finding = audit_result("identity", found, summary, outcome)
    return AuditResult("identity", finding.outcome, {**figures, **finding.detail}, finding.sentence)


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
        if records >= ENOUGH_ROWS and fall > MATCH_RATE_BAND
    }


def _parted(connection: duckdb.DuckDBPyConnection) -> dict[str, int | float]:
    """Sources many of whose records lost their customer though no record of that customer changed: which share.

    Where somebody else now has the same address, or surveys and orders had joined them, other records may explain it.
    """
    found = connection.execute(
        f"""
        with unchanged as (
            select {SAID} from before.intermediate.int_contact__unioned
            intersect select {SAID} from warehouse.intermediate.int_contact__unioned
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
        if records >= ENOUGH_ROWS and share > MATCH_RATE_BAND
    }


def _moved(connection: duckdb.DuckDBPyConnection, records: int) -> tuple[dict[str, int | float], bool]:
    """What is another customer's without a reason, by object, and whether it is more than chance could do."""
    contacts, facts = moved_contacts(connection), moved_facts(connection)
    moved: dict[str, int | float] = {f"{canonical}: records moved": count for canonical, count in facts.items()}
    if contacts:
        moved["contact: records moved"] = contacts
    return moved, bool(facts) or contacts > max(1, MOVED_SHARE * records)


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
