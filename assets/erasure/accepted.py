"""Takes people out of accepted extracts: what is left of one is a new batch.

Not here: what becomes of a row (take_out.py), accepting (quality/gate/accepted.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from assets.erasure.register import BlockList
from assets.erasure.stand_ins import of_stand_ins
from assets.erasure.take_out import Taken, take_out
from quality.contract.model import DUCKDB_TYPES, Contract
from quality.gate.accepted import DESCRIPTION, ROWS, AcceptedBatch, describe, read_batch
from quality.landed.extract import subject
from quality.past.profiles import PROFILE
from quality.rows.casts import identifier, literal
from quality.rows.work import ADDED_COLUMNS
from storage.data_folder import StreamId
from storage.engine import connect
from storage.files import sha256_of
from storage.folders import replaced_folder


def forget_accepted(
    blocked: BlockList,
    contract: Contract,
    stream: StreamId,
    partition: Path,
    *,
    files: Collection[str],
    fewer_quarantined: int,
) -> Taken | None:
    """Rewrite an accepted partition without people; what is left of it is a new batch.

    Args:
        blocked: Who goes.
        contract: Of the stream.
        stream: Which stream.
        partition: Folder of the accepted extract; it may be missing.
        files: Delivered files that something stands in for now.
        fewer_quarantined: Rows that left quarantine.

    Returns:
        What became of its rows; None: it has nothing of them and stays as it is.
    """
    if not (partition / DESCRIPTION).exists():
        return None
    batch = read_batch(partition / DESCRIPTION)
    taken = take_out(blocked, contract, stream.source, partition / ROWS)
    renamed = {*files, *taken.files} & set(taken.kept["_file"].unique().to_pylist())
    if not (taken.dropped or taken.emptied or renamed or fewer_quarantined):
        return None
    kept = of_stand_ins(taken.kept, renamed)
    with replaced_folder(partition) as new:
        _write_accepted(contract, stream, batch, kept, new / ROWS)
        made = replace(
            batch,
            batch_id=sha256_of(new / ROWS),
            rows=kept.num_rows,
            quarantined=batch.quarantined - fewer_quarantined,
        )
        _keep_profile(partition, new)
        describe(made, new)
    return taken


def follow_landing(partition: Path, before: str, after: str) -> None:
    """Let an accepted partition made from the content that was in landing be made from what is there now."""
    if before == after or not (partition / DESCRIPTION).exists():
        return
    batch = read_batch(partition / DESCRIPTION)
    if batch.landing_sha256 == before:
        with replaced_folder(partition) as new:
            shutil.copy2(partition / ROWS, new / ROWS)
            _keep_profile(partition, new)
            describe(replace(batch, landing_sha256=after), new)


def _keep_profile(partition: Path, new: Path) -> None:
    """The profile stays as it was: it holds no personal data, and says what was delivered."""
    if (partition / PROFILE).exists():
        shutil.copy2(partition / PROFILE, new / PROFILE)


def _write_accepted(contract: Contract, stream: StreamId, batch: AcceptedBatch, kept: pa.Table, path: Path) -> None:
    """Write accepted rows as the gate does, so that the same rows have the same types and order."""
    types = {**{name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}, **ADDED_COLUMNS}
    columns = ", ".join(f"{identifier(name)}::{kind} as {identifier(name)}" for name, kind in types.items())
    order = ", ".join(["_file nulls last", "_row nulls last", *map(identifier, contract.key)])
    with connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("kept", kept)
        # The bytes of a file depend on where the rows lay, and the bytes name the batch.
        connection.execute(f"create table work as select {columns} from kept")
        connection.execute(
            f"copy (select * from work order by {order}) to {literal(str(path))} (format parquet, "
            f"compression zstd, kv_metadata {{extract: {literal(subject(stream, batch.extract_date))}}})"
        )
