"""The night's e-mail addresses and phone numbers in their one spelling, so that SQL can compare them.

Not here: how one is spelled (assets/text/contact_points.py), which columns hold them (the contracts), which addresses
name nobody (seed `identity_exclusions`), who is whom (dbt).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.text.contact_points import spell_email, spell_phone
from assets.warehouse.load import accepted_table, attached
from quality.contract.model import Column, ContactPoint, all_contracts
from storage.data_folder import warehouse_file


def spell_contact_points(build: Path) -> dict[ContactPoint, int]:
    """Spell what the night's rows hold and no night before spelled; nothing else is looked at.

    Args:
        build: A build into which the night's rows were loaded.

    Returns:
        How many were spelled, by kind.
    """
    with attached(warehouse_file(build)) as (connection, _):
        connection.execute("begin transaction")
        emails = connection.execute(_new("email")).fetchall()
        _insert(connection, "email_addresses", ("raw", "spelled"), ((raw, spell_email(raw)) for (raw,) in emails))
        phones = connection.execute(_new("phone")).fetchall()
        _insert(
            connection,
            "phone_numbers",
            ("raw", "country", "e164"),
            ((raw, country, spell_phone(raw, country)) for raw, country in phones),
        )
        connection.execute("commit")
    return {"email": len(emails), "phone": len(phones)}


def _new(kind: ContactPoint) -> str:
    """Select what the night's rows hold of one kind and no table holds; the country of what has none is ''."""
    table, key = ("email_addresses", "raw") if kind == "email" else ("phone_numbers", "raw, country")
    found = " union ".join(
        f'select "{name}" as raw, {_country_of(column)} as country '
        f'from warehouse.accepted."{accepted_table(contract.system, contract.stream)}" '
        f'where _night = (select night from warehouse.night.night) and "{name}" is not null'
        for contract in all_contracts()
        for name, column in contract.columns.items()
        if column.contact_point == kind
    )
    return f"select distinct {key} from ({found}) as found anti join warehouse.night.{table} using ({key})"


def _country_of(column: Column) -> str:
    return f"coalesce(\"{column.country}\", '')" if column.country else "''"


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]
) -> None:
    spelled = [dict(zip(columns, row, strict=True)) for row in rows]
    arrived = pa.Table.from_pylist(spelled, schema=pa.schema([(column, pa.string()) for column in columns]))  # noqa: F841
    connection.execute(f"insert into warehouse.night.{table} select {', '.join(columns)} from arrived")
