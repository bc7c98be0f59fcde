"""A rollback that holds: readers stay on one version until somebody says otherwise, while nights go on.

What lives here: the pin in the data folder, setting and lifting it. Not here: where a night stops before it
(publish.py), what plans and people make of it (standing.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.files import whole_file
from storage.folders import flush


@dataclass(frozen=True)
class Pin:
    """What readers are held to.

    Attributes:
        version: Its name.
        sequence: Its number; readers see nothing newer.
        by: Who said so.
        at: When, UTC.
    """

    version: str
    sequence: int
    by: str
    at: datetime

    @property
    def sentence(self) -> str:
        """Who reads what, since when, and how to end it."""
        return (
            f"Readers are held to version {self.version} by {self.by} since {self.at:%Y-%m-%d %H:%M} UTC; nights go on "
            "and are kept: `journeymart unpin` lets readers see the newest."
        )


def read_pin(folder: DataFolder) -> Pin | None:
    """The pin; None: readers follow the nights.

    Raises:
        JourneymartError: It cannot be read; nobody is led past it.
    """
    try:
        said = json.loads(folder.pin.read_text(encoding="utf-8"))
        return Pin(**{**said, "at": datetime.fromisoformat(said["at"])})
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise JourneymartError(
            f"{folder.root} is a file where the data folder should be: move it away, or set JOURNEYMART_DATA."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JourneymartError(
            f"{folder.pin} does not say which version readers are held to ({type(error).__name__}): "
            "`journeymart unpin`, or `journeymart rollback VERSION --pin` again."
        ) from error


def write_pin(folder: DataFolder, pin: Pin) -> None:
    """Hold readers to a version; on the disk when this returns. Needs the link lock."""
    said = {**asdict(pin), "at": pin.at.astimezone(UTC).isoformat(timespec="seconds")}
    with whole_file(folder.pin) as new:
        new.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def lift_pin(folder: DataFolder) -> None:
    """Let readers follow the nights again. Needs the link lock."""
    folder.pin.unlink(missing_ok=True)
    flush(folder.root)
