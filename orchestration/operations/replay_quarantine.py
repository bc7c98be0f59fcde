"""Judges quarantined extracts again, outside of a night: after a contract was corrected.

Not here: publishing what passes (a run).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from orchestration.config.setup import Setup
from quality.contract.model import load_contract
from storage.data_folder import StreamId


@dataclass(frozen=True)
class Replayed:
    """What judging one extract again gave: rows in quarantine before and after."""

    extract: str
    extract_date: date
    rows_before: int
    rows_after: int
    blocked_by: tuple[str, ...]


def replay(setup: Setup, stream: StreamId | None, extract_date: date | None) -> list[Replayed]:
    """Judge extracts with rows in quarantine again.

    Args:
        setup: Settings and sources.
        stream: Which stream; None: all.
        extract_date: Which date; None: all.

    Raises:
        JourneymartError: A night is running.
    """
    from assets.landing.records import record_texts
    from quality.gate.gate import Gate
    from quality.gate.quarantine import list_quarantined
    from quality.landed.extract import LandedExtract
    from storage.locks import data_lock

    configured = {(s.stream.source, s.stream.stream): s for s in setup.sources.streams}
    replayed = []
    with data_lock(setup.folder, "a replay"), Gate(setup.folder, None, record_texts) as gate:
        for held in list_quarantined(setup.folder):
            own = configured.get((held.source, held.stream))
            if own is None or (stream and own.stream != stream) or (extract_date and held.extract_date != extract_date):
                continue
            extract = LandedExtract(
                stream=own.stream,
                contract=load_contract(own.stream.system, own.stream.stream),
                extract_date=held.extract_date,
                timezone=own.timezone,
                mode=own.mode,
                partition=setup.folder.landing_partition(own.stream, held.extract_date),
                reading=own.reading,
            )
            verdict = gate.judge([extract])[0]
            replayed.append(
                Replayed(
                    extract=str(own.stream),
                    extract_date=held.extract_date,
                    rows_before=held.rows,
                    rows_after=verdict.quarantined_rows + verdict.rejected_records,
                    blocked_by=verdict.blocked_by,
                )
            )
    return replayed
