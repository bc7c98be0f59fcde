"""What the sender's manifest says of a file. Not here: whether it is so (drop_folder.py, the gate)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assets.landing.connectors.config import FileStream
from assets.landing.connectors.file_systems import DropFolder
from storage.errors import JourneymartError

MANIFEST_SUFFIX = ".manifest.json"
_MANIFEST_MAX_BYTES = 1024**2
_MODES = {"increment": "increment", "incremental": "increment", "full": "full"}


@dataclass(frozen=True)
class Declared:
    """What the sender's manifest says of a file: records, size in bytes, sha256 in hexadecimal digits."""

    rows: int
    bytes: int
    sha256: str


def declared_of(folder: DropFolder, stream: FileStream, path: str) -> Declared | None:
    """What the manifest beside a file says; None where a stream's files come without one."""
    return None if stream.complete == "rename" else read_declared(folder, stream, path)


def read_declared(folder: DropFolder, stream: FileStream, path: str) -> Declared:
    """Read the manifest beside a file.

    Raises:
        JourneymartError: It is none, or declares another mode than the stream has.
    """
    where = f"{stream.location}/{path}{MANIFEST_SUFFIX}"
    with folder.open(path + MANIFEST_SUFFIX) as (file, _):
        text = file.read(_MANIFEST_MAX_BYTES)
    try:
        said = json.loads(text)
        declared = Declared(_natural(said["rows"]), _natural(said["bytes"]), str(said["sha256"]).lower())
        mode = _MODES[said.get("mode", stream.mode)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise JourneymartError(
            f"{where} is not a manifest: it must be JSON with whole numbers `rows` and `bytes`, `sha256`, "
            "and if wanted `mode` (increment or full)."
        ) from None
    if mode != stream.mode:
        raise JourneymartError(
            f"{where} declares mode {mode}, but {stream.stream} is read as {stream.mode}: correct one of them."
        )
    return declared


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value
