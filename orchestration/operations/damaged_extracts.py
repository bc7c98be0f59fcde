"""Extracts in the data folder that are not as they were written, and making room for those that can be made again.

What lives here: which are looked at and how closely, what is said of them, putting them aside. Not here: what is wrong
with a file (storage/sealed.py); landing and judging them again, which the next night does by itself once they are gone.

Byte by byte are read the extracts the next night reads: what its base lacks, what is to be judged, and the newest dump,
which the next one is compared with. Of the others every description is looked at, and of those of the last weeks kinds
and sizes of their files: what a night looks at does not grow with the nights before it. `doctor` reads all.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.drop_folder import deliveries
from assets.versions.standing import Standing, sound_base
from quality.contract.model import load_contract
from quality.gate.accepted import DESCRIPTION, AcceptedBatch, accepted_readable
from quality.landed.extract import judged_by
from quality.landed.manifest import NAME, landed_readable
from storage.folders import flush
from storage.sealed import Holds, files_fault

if TYPE_CHECKING:
    from orchestration.config.setup import Setup

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Newest dates of a stream whose files are looked at, though no night reads them.
_LOOKED_AT = 14
# The leading dot keeps it out of every listing of dates.
ASIDE = ".damaged-"


@dataclass(frozen=True)
class DamagedExtract:
    """One extract that is not as it was written.

    Attributes:
        kind: As it was delivered, or as it was judged.
        stream: Which stream.
        extract_date: Which day's.
        path: Its folder.
        fault: What is wrong.
        again: The next night makes it again; else somebody must deliver it.
        stops: No night can do without it.
    """

    kind: Literal["landed", "accepted"]
    stream: FileStream
    extract_date: date
    path: Path
    fault: str
    again: bool
    stops: bool

    @property
    def sentence(self) -> str:
        """What is damaged, and what mends it."""
        about = f"The {self.kind} extract of {self.stream.stream} for {self.extract_date} is damaged ({self.fault})"
        if self.again:
            how = "lands it again" if self.kind == "landed" else "judges again what landed"
            return f"{about}: `journeymart run` {how}."
        return f"{about}: deliver the extract of that date to {self.stream.location} again, then `journeymart run`."


def damaged_extracts(setup: Setup, standing: Standing, *, every: bool = False) -> tuple[DamagedExtract, ...]:
    """Find extracts that are damaged, oldest first.

    Args:
        setup: Settings and sources.
        standing: How the versions stand.
        every: Read all bytes of all of them.
    """
    described = {stream: accepted_readable(_accepted(setup, stream)) for stream in setup.sources.streams}
    ids = {batch.batch_id for each in described.values() for batch, _ in each.values()}
    base = sound_base(standing.sound, ids, setup.fingerprint) if standing.sound else None
    held = base.manifest.batch_ids if base else frozenset[str]()
    found: list[DamagedExtract] = []
    for stream, batches in described.items():
        lacking = {day for day, (batch, _) in batches.items() if batch.batch_id not in held}
        files = {day: holds for day, (_, holds) in batches.items()}
        accepted = _faults(_accepted(setup, stream), DESCRIPTION, files, lacking, every=every)
        sound = {day: batch for day, (batch, _) in batches.items() if day not in accepted}
        landed, landable = _landed_faults(setup, stream, sound, every=every)
        found += landed
        unusable = {each.extract_date for each in landed}
        for day, fault in accepted.items():
            stands = day not in unusable and (_landing(setup, stream) / str(day) / NAME).is_file()
            again = stands or landable(day)
            stops = not again and (day in lacking or day not in batches)
            path = _accepted(setup, stream) / str(day)
            found.append(DamagedExtract("accepted", stream, day, path, fault, again, stops))
    return tuple(sorted(found, key=lambda each: (each.extract_date, str(each.stream.stream), each.kind)))


def _landed_faults(
    setup: Setup, stream: FileStream, accepted: Mapping[date, AcceptedBatch], *, every: bool
) -> tuple[list[DamagedExtract], Callable[[date], bool]]:
    """Damaged landed extracts of one stream, and which dates can be landed again.

    Args:
        setup: Settings and sources.
        stream: The stream.
        accepted: What was accepted of it and is sound.
        every: Read all bytes of all of them.
    """
    home = _landing(setup, stream)
    landed = landed_readable(home)
    rules = judged_by(load_contract(stream.stream.system, stream.stream.stream), stream.reading)
    judged = {day: (batch.landing_sha256, batch.contract_fingerprint) for day, batch in accepted.items()}
    needed = {day for day, (content, _) in landed.items() if judged.get(day) != (content, rules)}
    if stream.mode == "full" and landed:
        needed.add(max(landed))
    faults = _faults(home, NAME, {day: holds for day, (_, holds) in landed.items()}, needed, every=every)
    landable = _landable(stream)
    found = []
    for day, fault in faults.items():
        again = landable(day)
        stops = not again and (day in needed or day not in landed)
        found.append(DamagedExtract("landed", stream, day, home / str(day), fault, again, stops))
    return found, landable


def make_room(setup: Setup, damaged: Iterable[DamagedExtract]) -> None:
    """Put aside what the night makes again, and remove what it made again before. The caller holds the data lock.

    Args:
        setup: Settings and sources.
        damaged: What is damaged.
    """
    damaged = list(damaged)
    paths = {each.path for each in damaged}
    homes = [home(setup, stream) for stream in setup.sources.streams for home in (_landing, _accepted)]
    for aside in (path for home in homes for path in home.glob(f"{ASIDE}*")):
        made_again = aside.with_name(aside.name.removeprefix(ASIDE)[: len("2026-01-01")])
        if made_again.exists() and made_again not in paths:
            shutil.rmtree(aside)
    for path in (each.path for each in damaged if each.again):
        path.rename(path.with_name(f"{ASIDE}{path.name}-{time.time_ns()}"))
        flush(path.parent)


def _faults(home: Path, name: str, described: Mapping[date, Holds], read: Set[date], *, every: bool) -> dict[date, str]:
    """What is wrong with the extracts of a stream, by date.

    Args:
        home: The stream's folder.
        name: Of their descriptions.
        described: The files of those whose description can be read.
        read: Those whose bytes are read.
        every: The bytes of all are.
    """
    names = [entry.name for entry in os.scandir(home)] if home.is_dir() else []
    days = {date.fromisoformat(entry) for entry in names if _DATE.fullmatch(entry)}
    wanted = days if every else {*sorted(days)[-_LOOKED_AT:], *read}
    faults = dict.fromkeys(days - described.keys(), f"{name} is missing or not as it was written")
    for day in wanted & described.keys():
        if fault := files_fault(home / str(day), described[day], read=every or day in read):
            faults[day] = fault
    return faults


def _landable(stream: FileStream) -> Callable[[date], bool]:
    """Tells of which dates a night can land an extract again: those that lie in the drop folder, or can be pulled.

    Of a file that serves every date nobody can tell; nor of a dump without a date, which says how things stand now.
    """
    lying: list[Mapping[date, object]] = []

    def landable(day: date) -> bool:
        if not (stream.is_dated or stream.history):
            return False
        if not lying:
            lying.append(deliveries(stream))
        return day in lying[0] or (stream.is_dated and stream.pull is not None)

    return landable


def _accepted(setup: Setup, stream: FileStream) -> Path:
    return setup.folder.accepted_partition(stream.stream, stream.first_date).parent


def _landing(setup: Setup, stream: FileStream) -> Path:
    return setup.folder.landing_partition(stream.stream, stream.first_date).parent
