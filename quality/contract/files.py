"""Where contracts lie: those of the product, and beside them those of systems only the company has.

Not here: what stands in one (model.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from storage.company_folder import named_company
from storage.errors import JourneymartError

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"


def contract_files() -> Mapping[tuple[str, str], Path]:
    """The file of every contract, by system and stream, in that order.

    Raises:
        JourneymartError: A contract of the company is called like one of the product.
    """
    return _files(named_company().contracts)


def systems() -> tuple[str, ...]:
    """Systems there are contracts for."""
    return tuple(dict.fromkeys(system for system, _ in contract_files()))


def streams_of(system: str) -> tuple[str, ...]:
    """Streams of a system there are contracts for."""
    return tuple(stream for of, stream in contract_files() if of == system)


def canonical_objects() -> tuple[str, ...]:
    """What records of every system become: the objects the canonical contracts describe."""
    return tuple(sorted(path.stem for path in (CONTRACTS / "canonical").glob("*.yml")))


@cache
def _files(company: Path | None) -> Mapping[tuple[str, str], Path]:
    ours, theirs = _of(CONTRACTS), _of(company) if company else {}
    for name in sorted(ours.keys() & theirs.keys()):
        raise JourneymartError(
            f"{theirs[name]}: the product has a contract for {'/'.join(name)}: give the stream another name."
        )
    return dict(sorted({**ours, **theirs}.items()))


def _of(folder: Path) -> dict[tuple[str, str], Path]:
    return {(path.parent.name, path.stem): path for path in folder.glob("*/*.yml")}
