"""What the published marts say of a person: every row of the customers that the person's records became.

Not here: what was delivered (delivered.py), how records become customers (dbt_project/models/intermediate/identity).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb

from assets.erasure.register import scoped_ids
from assets.versions.contents import identifier, literal
from storage.data_folder import marts_file, warehouse_file
from storage.engine import connect

_KEY = "customer_key"


def rows_of_person(
    version: Path, points: Collection[tuple[str, str]], ids: Collection[tuple[str, str]]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Tables of the marts with rows of the person's customers, by name, and these rows.

    Args:
        version: Folder of a published version.
        points: Contact points of the person: (kind, spelled).
        ids: Ids of the person's records in their scopes.
    """
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(warehouse_file(version)))} as warehouse (read_only)")
        connection.execute(f"attach {literal(str(marts_file(version)))} as marts (read_only)")
        customers = _customers(connection, points, ids)
        tables = connection.execute(
            "select table_name from duckdb_columns() where database_name = 'marts' and column_name = ? order by 1",
            [_KEY],
        ).fetchall()
        for (table,) in tables if customers else ():
            asked = f"select * from marts.main.{identifier(table)} where {_KEY} in (select unnest($customers))"
            found = connection.execute(asked, {"customers": customers})
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            if rows:
                yield table, rows


def _customers(
    connection: duckdb.DuckDBPyConnection, points: Collection[tuple[str, str]], ids: Collection[tuple[str, str]]
) -> list[int]:
    """The customers that records with these ids, or people with these contact points, became."""
    connection.execute("create temp table given (kind varchar, spelled varchar)")
    for point in points:
        connection.execute("insert into given values (?, ?)", list(point))
    resolved = connection.execute(
        """
        select source, contact_id, customer_key, node_key in (
            select contact_key from warehouse.intermediate.int_identity__contact_point
            where (kind, value) in (select kind, spelled from given)
            union all
            select node_key from warehouse.intermediate.int_identity__node
            where ('email', personal_email) in (select kind, spelled from given)
        )
        from warehouse.intermediate.int_identity__resolved
        where customer_key <> -1
        """
    ).fetchall()
    wanted = set(ids)
    found = {
        customer
        for source, contact, customer, is_named in resolved
        if is_named or (contact is not None and scoped_ids(source, contact) & wanted)
    }
    return sorted(found)
