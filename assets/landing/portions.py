"""What each extract date gets of a delivery that serves several.

Not here: which rows are of which day (cursor_window.py), reading the delivery (parse.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.landing.connectors.config import FileStream
from assets.landing.cursor_window import cut_by_day
from assets.landing.parse import Parsed, Portion
from assets.landing.partition import landed_days
from assets.landing.windows import is_cut
from quality.contract.model import Contract
from quality.landed.extract import REJECTED, ROWS


def portions_of(
    stream: FileStream,
    contract: Contract,
    parsed: Parsed,
    building: Path,
    home: Path,
    *,
    newest: date,
    stale: Sequence[date],
) -> tuple[dict[date, Portion], int]:
    """What each date gets that has to land, and how many records of a file cut by day have no readable cursor.

    Args:
        stream: The stream.
        contract: Its contract.
        parsed: The whole delivery.
        building: Folder to work in.
        home: The stream's folder in landing.
        newest: The newest date asked for; of a file cut by day it lands anew if anything of it is in no partition.
        stale: Dates that have to land in any case.
    """
    if not is_cut(stream, newest):
        return dict.fromkeys(stale, parsed.whole), 0
    dates = sorted({*stale, newest})
    if newest not in stale:
        there = [day for day in landed_days(home) if day not in stale]
        unseen, _ = _cut(stream, contract, parsed, building / "unseen", home, dates=dates, landed=there)
        if not any(file.records for file in unseen[newest].files):
            dates = sorted(stale)
    there = [day for day in landed_days(home) if day not in dates]
    return _cut(stream, contract, parsed, building / "windows", home, dates=dates, landed=there) if dates else ({}, 0)


def _cut(
    stream: FileStream,
    contract: Contract,
    parsed: Parsed,
    cuts: Path,
    home: Path,
    *,
    dates: Sequence[date],
    landed: Sequence[date],
) -> tuple[dict[date, Portion], int]:
    """Cut a file by day; what the partitions of some landed dates hold is left out."""
    cuts.mkdir()
    there = [home / day.isoformat() for day in landed]
    windows = cut_by_day(parsed.whole.rows, stream, contract, dates, cuts, landed=[each / ROWS for each in there])
    rejects = _unseen_rejects(parsed.whole.rejects, [each / REJECTED for each in there])
    # A record nobody can read has no day: the first extract date takes it, or, if that is landed, the newest.
    takes_rejects = stream.first_date if stream.first_date in dates else dates[-1]
    portions = {}
    for day, rows in windows.rows.items():
        rejected = cuts / f"{day}.{REJECTED}"
        here = rejects if day == takes_rejects else rejects.slice(0, 0)
        pq.write_table(here, rejected, compression="zstd")
        made, refusals = (counted_by_file(table) for table in (pq.read_table(rows, columns=["_file", "_row"]), here))
        files = []
        for file in parsed.whole.files:
            (count, records), (_, refused) = (each.get(file.name, (0, 0)) for each in (made, refusals))
            inside = records + refused
            outside = file.records - inside
            files.append(replace(file, records=inside, rows=count, rejects=refused, outside_window=outside))
        portions[day] = Portion(rows, rejected, tuple(files), windows.late if day == dates[-1] else 0)
    return portions, windows.unplaced + sum(file.rejects for file in parsed.whole.files)


def _unseen_rejects(whole: Path, landed: Sequence[Path]) -> pa.Table:
    """Rejects of a file that no landed partition has."""
    rejects = pq.read_table(whole)
    if not rejects.num_rows:
        return rejects
    seen = [pq.read_table(path, columns=["raw"])["raw"] for path in landed]
    known = pa.chunked_array([chunk for column in seen for chunk in column.chunks], pa.string())
    return rejects.filter(pc.invert(pc.is_in(rejects["raw"], value_set=known)))


def counted_by_file(table: pa.Table) -> dict[str, tuple[int, int]]:
    """How many rows each file has in a table, and of how many records they are."""
    counted = table.group_by("_file").aggregate([("_row", "count"), ("_row", "count_distinct")])
    columns = (counted[name].to_pylist() for name in ("_file", "_row_count", "_row_count_distinct"))
    return {file: (rows, records) for file, rows, records in zip(*columns, strict=True)}
