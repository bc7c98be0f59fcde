"""What stands where a person stood: a word, and a file in place of a delivered one.

Not here: when it does (take_out.py, landed.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assets.erasure.find import Mask

# What stands where the person stood and a value is needed, such as the one who asks in a conversation.
ERASED = "erased"
KEPT = ".kept.parquet"


def changed_column(
    table: pa.Table, name: str, mask: Mask, change: Callable[[str | None], str | None]
) -> tuple[pa.Table, Mask]:
    """The table with the masked values of a column changed, and the rows where that made a difference."""
    changed = np.zeros_like(mask)
    if not mask.any():
        return table, changed
    for place in (place for place, each in enumerate(table.column_names) if each == name):
        values = table.column(place).to_pylist()
        for row in np.flatnonzero(mask):
            new = change(values[row])
            changed[row] |= new != values[row]
            values[row] = new
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return table, changed


def of_stand_ins(table: pa.Table, files: Collection[str | None]) -> pa.Table:
    """Rows that say of what stands in for their file that they come from it."""
    mask = np.array([file is not None and file in files for file in table["_file"].to_pylist()], dtype=bool)
    return changed_column(table, "_file", mask, lambda name: stand_in_name(str(name)))[0]


def stand_in_name(name: str) -> str:
    """Name of what stands in for a delivered file; for what stands in already, its own."""
    return name if name.endswith(KEPT) else f"{name}{KEPT}"


def write_rows(table: pa.Table, path: Path) -> None:
    """Write rows in place of a file."""
    # The file may have another name in another partition: it is replaced, never written into.
    path.unlink(missing_ok=True)
    pq.write_table(table, path, compression="zstd")
