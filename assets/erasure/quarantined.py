"""Takes people out of quarantined rows.

Not here: what becomes of landed rows (take_out.py), what is in quarantine and why (quality/gate/quarantine.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assets.erasure.find import tells
from assets.erasure.register import BlockList
from assets.erasure.stand_ins import ERASED, changed_column, of_stand_ins, write_rows
from assets.erasure.take_out import Taken
from quality.gate import quarantine
from storage.data_folder import StreamId
from storage.folders import remove_folder, replaced_folder


def forget_quarantined(
    blocked: BlockList, stream: StreamId, partition: Path, landed: Taken, *, files: Collection[str]
) -> tuple[int, int]:
    """Rewrite a quarantine partition without people: rows gone, and rows without their text.

    Args:
        blocked: Who goes.
        stream: Which stream.
        partition: Folder of the quarantined rows; it may be missing.
        landed: What becomes of the rows of the landed extract.
        files: Delivered files that something stands in for now.
    """
    if not (partition / quarantine.ROWS).exists():
        return 0, 0
    table = pq.read_table(partition / quarantine.ROWS)
    at = list(zip(table["_file"].to_pylist(), table["_row"].to_pylist(), strict=True))
    raw = table["raw"].to_pylist()
    gone = np.array([place in landed.dropped for place in at], dtype=bool)
    told = np.array(
        [
            place in landed.emptied or (text != ERASED and tells(blocked, stream.source, text))
            for place, text in zip(at, raw, strict=True)
        ],
        dtype=bool,
    )
    if not gone.any() and not told.any() and not any(file in files for file, _ in at):
        return 0, 0
    table = changed_column(table, "raw", told & ~gone, lambda _: ERASED)[0].filter(pa.array(~gone))
    table = of_stand_ins(table, files)
    verdict = json.loads((partition / quarantine.VERDICT).read_bytes())
    verdict["quarantined_rows"] -= int(gone.sum())
    if verdict["passed"] and not table.num_rows:
        remove_folder(partition)
    else:
        with replaced_folder(partition) as new:
            write_rows(table, new / quarantine.ROWS)
            text = json.dumps(verdict, indent=2, ensure_ascii=False)
            (new / quarantine.VERDICT).write_text(text + "\n", encoding="utf-8")
    return int(gone.sum()), int((told & ~gone).sum())
