"""Contact points out of the texts that reach public marts, before any model reads them, and the record of it.

What lives here: which columns are looked at, what the night's rows hold there, and how many were hidden. Not here: what
a contact point in a text is (assets/text/hidden_points.py), the figure and the warning (int_data_health__batch_figure,
assets/audit/hidden_texts.py). What was accepted keeps its text: it is the company's own, and erasure looks there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.text.hidden_points import SUSPECT, Kind, shown_text
from assets.warehouse.load import accepted_table, attached
from quality.contract.model import Column, Contract, all_contracts
from storage.data_folder import warehouse_file

_TONIGHT = "_night = (select night from warehouse.night.night)"


def looked_at(contract: Contract) -> dict[str, Kind]:
    """Columns that marts may show texts of, and how each is looked at.

    A column that holds personal data is in no mart; but of JSON the models take single values.
    """
    kinds = {name: _kind(column) for name, column in contract.columns.items()}
    return {name: kind for name, kind in kinds.items() if kind}


def _kind(column: Column) -> Kind | None:
    if column.type == "json":
        return "json" if column.pii == "none" else "values"
    if column.pii != "none":
        return None
    return "id" if column.type == "id" else "text" if column.type == "text" else None


def hide_contact_points(build: Path) -> int:
    """Put a stand-in where a text of the night's rows holds an e-mail address or a phone number.

    Args:
        build: A build into which the night's rows were loaded.

    Returns:
        How many texts were hidden.
    """
    with attached(warehouse_file(build)) as (connection, _):
        connection.execute("begin transaction")
        hidden = sum(
            _hide(connection, f'warehouse.accepted."{accepted_table(contract.system, contract.stream)}"', name, kind)
            for contract in _with_rows(connection)
            for name, kind in looked_at(contract).items()
        )
        connection.execute("commit")
    return hidden


def _with_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Contract]:
    """Contracts of which the night brought rows."""
    for contract in all_contracts():
        table = accepted_table(contract.system, contract.stream)
        if connection.execute(f'select 1 from warehouse.accepted."{table}" where {_TONIGHT} limit 1').fetchone():
            yield contract


def _hide(connection: duckdb.DuckDBPyConnection, table: str, column: str, kind: Kind) -> int:
    """Hide in one column; what is looked at in Python is each suspicious text once."""
    texts = f'select distinct "{column}"::varchar as raw from {table} where {_TONIGHT}'
    suspects = connection.execute(f"select raw from ({texts}) where regexp_matches(raw, ?)", [SUSPECT[kind]]).fetchall()
    changed = [(raw, shown) for (raw,) in suspects if (shown := shown_text(raw, kind)) != raw]
    if not changed:
        return 0
    found = pa.table([*zip(*changed, strict=True)], names=["raw", "shown"])  # noqa: F841
    counted = connection.execute(
        "insert into warehouse.night.hidden_texts "
        f'select _batch_id, ?, count(*) from {table} as rows inner join found on rows."{column}"::varchar = found.raw '
        f"where {_TONIGHT} group by _batch_id returning texts",
        [column],
    ).fetchall()
    connection.execute(
        f'update {table} as rows set "{column}" = found.shown from found '
        f'where {_TONIGHT} and rows."{column}"::varchar = found.raw'
    )
    return sum(texts for (texts,) in counted)
