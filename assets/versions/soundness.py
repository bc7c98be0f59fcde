"""Whether a version is what its manifest says, in two depths: at a look, and byte by byte.

Nights, `status`, `rollback`, `doctor` and verifying all ask here. Not here: what is wrong with a file
(storage/sealed.py), which versions are looked at and what follows (standing.py), what tables hold (verify.py).

Standard library only: the process that verifies a version must start fast.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assets.versions.manifest import Manifest
from storage.sealed import file_fault


def fault_at_a_look(version: Path, manifest: Manifest) -> str | None:
    """What is wrong with the files of a version by their kind and size; None: nothing. Opens none of them.

    Args:
        version: Its folder.
        manifest: What it must hold.
    """
    if manifest.version != version.name:
        return f"its manifest is that of {manifest.version}"
    faults = (file_fault(version, file.name, file.bytes, None) for file in manifest.files)
    return next((fault for fault in faults if fault), None)


def fault_within(version: Path, manifest: Manifest) -> str | None:
    """What is wrong with the files of a version, every byte read; None: nothing.

    A file of which nothing changed since this process read it is not read again, nor one that is shared with a version
    read before.

    Args:
        version: Its folder.
        manifest: What it must hold.
    """
    with ThreadPoolExecutor() as pool:
        faults = pool.map(lambda file: file_fault(version, file.name, file.bytes, file.sha256), manifest.files)
        return next((fault for fault in faults if fault), None)
