"""Hash of all that decides what a build means, apart from its batches.

Not here: what follows when it changes (versions.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import yaml

from assets.text.sentiment import TextSentiment
from quality.contract.model import DUCKDB_TYPES, Contract

# Raise it when the code that loads accepted rows into the warehouse changes what it writes there.
_LOADING = 6
# The libraries that spell and find contact points (assets/text): another release may do it otherwise.
_SPELLING = ("idna", "phonenumbers")
# What a property file says about a model without changing a value in it.
_WORDS_ONLY = {"description", "tests", "data_tests", "unit_tests", "docs"}
_PARTS = ("models", "seeds", "macros")


def fingerprint_of(meaning: Mapping[str, Any]) -> str:
    """Hash that changes whenever the same batches could give other marts: no older version is a base then.

    Args:
        meaning: What `project_meaning` found.

    Returns:
        sha256, as hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def project_meaning(
    dbt_project: Path,
    contracts: Iterable[Contract],
    reporting_timezone: str,
    currency: str,
    text_sentiment: TextSentiment | None = None,
) -> dict[str, Any]:
    """All that decides what a build means, apart from its batches.

    Tests and descriptions do not count, nor do comments of contracts: they change no value.

    Args:
        dbt_project: The dbt project; its models, seeds, macros and `dbt_project.yml` count.
        contracts: All contracts; the keys, versions, columns, types, contact points and personal data of accepted
            rows count.
        reporting_timezone: IANA zone of local dates.
        currency: Currency of amounts.
        text_sentiment: How texts are estimated, if they are.

    Returns:
        What each part says, the dbt project's files by path under `project`.
    """
    return {
        "loading": _LOADING,
        "spelling": {library: installed_version(library) for library in _SPELLING},
        "reporting_timezone": reporting_timezone,
        "currency": currency,
        "text_sentiment": asdict(text_sentiment) if text_sentiment else None,
        "project": {path.relative_to(dbt_project).as_posix(): _meaning(path) for path in _files(dbt_project)},
        "accepted": [_shape(contract) for contract in contracts],
    }


def _files(dbt_project: Path) -> list[Path]:
    files = [path for part in _PARTS for path in (dbt_project / part).rglob("*")]
    kinds = {".sql", ".csv", ".yml", ".yaml", ".py"}
    return [dbt_project / "dbt_project.yml", *sorted(path for path in files if path.suffix in kinds)]


def _meaning(path: Path) -> object:
    """What a file of the project says: the values of a property file, the bytes of any other."""
    if path.suffix in {".yml", ".yaml"} and path.name != "dbt_project.yml":
        return _values(path.read_bytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


@lru_cache(maxsize=256)
def _values(text: bytes) -> object:
    """What a property file says: read once for nights that follow one another, for no other file takes as long."""
    return _without_words(yaml.load(text, Loader=yaml.CSafeLoader))


def _without_words(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _without_words(item) for key, item in value.items() if key not in _WORDS_ONLY}
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    return value if value is None else str(value)


def _shape(contract: Contract) -> object:
    """What accepted rows look like; what the rules ask of them is settled once they are accepted."""
    columns = [
        (name, DUCKDB_TYPES[column.type], column.contact_point, column.country, column.pii == "none")
        for name, column in contract.columns.items()
    ]
    return [contract.system, contract.stream, contract.key, contract.version, columns]
