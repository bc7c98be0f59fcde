"""Tables as Fivetran and Airbyte leave them in a warehouse: statements that make them.

What lives here: names and types, columns of the tools' own. Not here: the records
(crm_shapes_kit.py, survey_shapes_kit.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.emulator_kit import Row

# When the tool wrote a row, if nothing else is said.
SYNCED = "2026-06-02 03:00:00+00"
_NUMBERS = {"bigint": "bigint", "double": "double precision", "decimal": "numeric"}
KINDS = {**_NUMBERS, "boolean": "boolean", "timestamp": "timestamptz", "date": "date", "json": "jsonb"}


def table(name: str, columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A table and its rows, as statements; names in the case they are written in."""
    quoted = ".".join(f'"{part}"' for part in name.split("."))
    defined = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    yield f"create table {quoted} ({defined})"
    for row in rows:
        assert row.keys() <= columns.keys(), (name, row.keys() - columns.keys())
        yield f"insert into {quoted} values ({', '.join(_sql(row.get(column)) for column in columns)})"


def _sql(value: Any) -> str:
    if value is None:
        return "null"
    text = json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
    return "'" + text.replace("'", "''") + "'"


AIRBYTE = {"_airbyte_raw_id": "text", "_airbyte_extracted_at": "timestamptz", "_airbyte_meta": "jsonb"}


def synced(at: str = SYNCED) -> Row:
    """Fivetran's own column of a row."""
    return {"_fivetran_synced": at}


def extracted(at: str = SYNCED) -> Row:
    """Airbyte's own columns of a row."""
    return {"_airbyte_raw_id": "r", "_airbyte_extracted_at": at, "_airbyte_meta": {"changes": []}}
