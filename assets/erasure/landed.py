"""Takes people out of landed extracts: rows, rejects and delivered files.

What lives here: what stands in for a delivered file that held one of them. Not here: making a partition
(assets/landing), what becomes of a row (take_out.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.erasure.find import tells
from assets.erasure.register import BlockList, block_list
from assets.erasure.stand_ins import ERASED, KEPT, changed_column, of_stand_ins, stand_in_name, write_rows
from assets.erasure.take_out import Taken, take_out
from quality.contract.model import Contract
from quality.landed.extract import FILES, REJECTED, ROWS
from quality.landed.manifest import LandedFile, LandingManifest
from storage.data_folder import DataFolder
from storage.files import sha256_of

Forget = Callable[[LandingManifest, Path], LandingManifest]


def forgetting(folder: DataFolder, contract: Contract) -> Forget | None:
    """What takes people out of a partition that lands; None if nobody asked to be erased.

    Raises:
        JourneymartError: The register cannot be used, or an erasure was interrupted.
    """
    blocked = block_list(folder)
    return None if blocked is None else forget_in(blocked, contract)


def forget_in(blocked: BlockList, contract: Contract) -> Forget:
    """Take people out of a partition in the making: `(manifest, its folder)` to the manifest it has then.

    The delivered file goes where it holds one of them: what is left of its rows stands in for it, as Parquet. A
    delivered file that holds rows of other dates too always goes, because those were not looked at; so does one of
    which a mapping took only a part.
    """

    def forget(manifest: LandingManifest, partition: Path) -> LandingManifest:
        taken = take_out(blocked, contract, manifest.source, partition / ROWS)
        files = files_to_replace(blocked, manifest, partition, taken)
        if not files:
            return manifest
        kept = of_stand_ins(taken.kept, files)
        write_rows(kept, partition / ROWS)
        write_rows(
            _redact_rejects(blocked, manifest.source, pq.read_table(partition / REJECTED), files),
            partition / REJECTED,
        )
        left = tuple(_stand_in(partition, file, kept) if file.name in files else file for file in manifest.files)
        return replace(
            manifest,
            files=left,
            records=sum(file.records for file in left),
            rows=kept.num_rows,
            # Nothing more can be made of what stands in, so nothing need tell which keys it named.
            mapped=manifest.mapped and replace(manifest.mapped, unknown_then=()),
            erased=manifest.erased + len(taken.dropped),
        )

    return forget


def files_to_replace(blocked: BlockList, manifest: LandingManifest, partition: Path, taken: Taken) -> frozenset[str]:
    """Delivered files of a landed partition that may not stay as they are."""
    rejects = pq.read_table(partition / REJECTED)
    told = {
        file
        for file, raw in zip(rejects["_file"].to_pylist(), rejects["raw"].to_pylist(), strict=True)
        if raw != ERASED and tells(blocked, manifest.source, raw)
    }
    return frozenset(
        file.name
        for file in manifest.files
        if file.outside_window
        or file.name in taken.files
        or file.name in told
        or (manifest.mapped and not file.name.endswith(KEPT))
    )


def _stand_in(partition: Path, file: LandedFile, kept: pa.Table) -> LandedFile:
    """Put what is left of a delivered file's rows in its place."""
    name = stand_in_name(file.name)
    path = partition / FILES / name
    rows = kept.filter(pc.equal(kept["_file"], name))
    (partition / FILES / file.name).unlink()
    write_rows(rows, path)
    return LandedFile(
        name=name,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        records=pc.count_distinct(rows["_row"]).as_py() + file.rejects,
        rows=rows.num_rows,
        rejects=file.rejects,
        left_out=file.left_out,
    )


def _redact_rejects(blocked: BlockList, source: str, rejects: pa.Table, files: Collection[str]) -> pa.Table:
    told = np.array([tells(blocked, source, raw) for raw in rejects["raw"].to_pylist()], dtype=bool)
    return of_stand_ins(changed_column(rejects, "raw", told, lambda _: ERASED)[0], files)
