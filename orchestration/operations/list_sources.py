"""What is known of each stream of the company: how it arrives, and how far it has come.

Not here: asking a source (assets/inspect/reached.py), what is due (plan_night.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.config.setup import Setup


@dataclass(frozen=True)
class StreamState:
    """One stream.

    Attributes:
        stream: As source/stream.
        system: Its vendor.
        connector: How its extracts arrive.
        mapped_by: Its mapping file; empty: it has none.
        landed: The newest extract date that has landed.
        accepted: The newest that was judged and accepted.
        published: The newest that readers see.
    """

    stream: str
    system: str
    connector: str
    mapped_by: str
    landed: date | None
    accepted: date | None
    published: date | None


def stream_states(setup: Setup) -> list[StreamState]:
    """The streams of the company, in the order of its file."""
    from assets.landing.connectors.config import PostgresPull, RestPull
    from assets.versions.versions import current_version

    version = current_version(setup.folder)
    seen: dict[tuple[str, str], date] = {}
    for batch in version.manifest.batches if version else ():
        key = (batch.source, batch.stream)
        seen[key] = max(batch.extract_date, seen.get(key, batch.extract_date))
    states = []
    for stream in setup.sources.streams:
        name = stream.stream
        match stream.pull:
            case PostgresPull():
                connector = "postgres"
            case RestPull():
                connector = "rest"
            case _:
                connector = "files"
        states.append(
            StreamState(
                str(name),
                name.system,
                connector,
                stream.mapping.file if stream.mapping else "",
                _newest(setup.folder.landing_partition(name, stream.first_date).parent.glob("[0-9]*/manifest.json")),
                _newest(setup.folder.accepted_partition(name, stream.first_date).parent.glob("[0-9]*/batch.json")),
                seen.get((name.source, name.stream)),
            )
        )
    return states


def _newest(files: Iterable[Path]) -> date | None:
    return max((date.fromisoformat(file.parent.name) for file in files), default=None)
