"""Which streams a vendor's mappings are made of, and which columns of canonical objects they tell, by the models' text.

Not here: what the mappings make of records (dbt_project/models/staging).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from quality.contract.files import canonical_objects, streams_of
from quality.contract.model import load_contract

_REF = re.compile(r"ref\('(\w+)'\)")
# What a statement ends with stands at the margin; its parts are indented.
_LAST_SELECT = re.compile(r"^select\n(.*?)^from", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\bas (\w+),?$|^ {4}(?:\w+\.)?(\w+),?$", re.MULTILINE)


def mapped_columns(project: Path, system: str, streams: Collection[str]) -> dict[str, frozenset[str]]:
    """Columns of canonical objects that the mappings of a vendor's streams tell, by object.

    Args:
        project: The dbt project.
        system: The vendor.
        streams: Its streams that are delivered.
    """
    folder = project / "models" / "staging" / system
    found = {}
    for name in canonical_objects():
        file = folder / f"int_{name}__{system}.sql"
        if file.exists() and _is_fed(file, name, system, streams):
            columns = load_contract("canonical", name).columns
            text = file.read_text(encoding="utf-8")
            named = {one or other for part in _LAST_SELECT.findall(text) for one, other in _NAMED.findall(part)}
            found[name] = frozenset(named & columns.keys())
    return found


def stream_told(file: Path, name: str, system: str) -> str | None:
    """The stream whose records a mapping makes objects of; None: it reads none.

    Of several it is the one whose contract says that it becomes the object, else the first that the mapping reads.

    Args:
        file: The mapping.
        name: The object.
        system: The vendor.
    """
    named = _streams_named(file, system) or sorted(_streams_read(file, system))
    read = [stream for stream in dict.fromkeys(named) if stream in streams_of(system)]
    becoming = [stream for stream in read if load_contract(system, stream).becomes == name]
    return next(iter([*becoming, *read]), None)


def _streams_named(file: Path, system: str) -> list[str]:
    """Streams of its vendor that a model reads itself, in its order."""
    of_vendor = f"stg_{system}__"
    refs = _REF.findall(file.read_text(encoding="utf-8"))
    return [ref.removeprefix(of_vendor) for ref in refs if ref.startswith(of_vendor)]


def _is_fed(file: Path, name: str, system: str, streams: Collection[str]) -> bool:
    """Whether a mapping's records are delivered: those of the stream that becomes the object, else of any it reads."""
    read = _streams_read(file, system)
    becoming = {stream for stream in read if load_contract(system, stream).becomes == name}
    return bool((becoming or read) & set(streams))


def _streams_read(file: Path, system: str) -> set[str]:
    """Streams a model of a vendor's folder reads, itself or through others of the folder."""
    read: set[str] = set()
    for ref in _REF.findall(file.read_text(encoding="utf-8")):
        if ref.startswith(f"stg_{system}__"):
            read.add(ref.removeprefix(f"stg_{system}__"))
            continue
        # What is read of all systems is read of this one.
        name = f"{ref.removesuffix('__unioned')}__{system}" if ref.endswith("__unioned") else ref
        beside = file.with_name(f"{name}.sql")
        if beside.exists() and beside != file:
            read |= _streams_read(beside, system)
    return read
