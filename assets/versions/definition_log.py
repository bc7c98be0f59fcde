"""What decides what numbers mean, piece by piece, and the log of when a piece changed.

What lives here: the hash of each definition and the comparison with the version before. Not here: what follows when any
of it changes (fingerprint.py: no older version is a base then).

When a definition changed is known only from the version before. So the log travels from manifest to manifest, also
where a version is built from nothing, and begins with the first version of a data folder.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from assets.versions.manifest import DefinitionChange, Manifest

# KPIs are defined row by row; any other seed is one definition.
_KPIS = "seeds/kpis.csv"
# Parts of what a build means that are definitions of their own; the others are the settings.
_BY_THEMSELVES = {"project", "accepted", "engine"}


def definitions(meaning: Mapping[str, Any], dbt_project: Path) -> dict[str, str]:
    """Every definition by `kind/name`, as a short hash: KPIs, seeds, folders of models and macros, an engine.

    Args:
        meaning: All that decides what a build means, see fingerprint.py.
        dbt_project: The dbt project, whose KPIs are read row by row.
    """
    parts: defaultdict[str, Any] = defaultdict(dict)
    for file, said in meaning["project"].items():
        if file != _KPIS:
            parts[_definition_of(PurePosixPath(file))][file] = said
    kpis = dbt_project / _KPIS
    if kpis.exists():
        with kpis.open(encoding="utf-8", newline="") as rows:
            parts |= {f"kpis/{row['kpi']}": row for row in csv.DictReader(rows)}
    parts["project/contracts"] = meaning["accepted"]
    if "engine" in meaning:
        parts["project/engine"] = meaning["engine"]
    parts["project/settings"] = {name: said for name, said in meaning.items() if name not in _BY_THEMSELVES}
    return {name: _short_hash(said) for name, said in sorted(parts.items())}


def definition_log(before: Manifest | None, now: Mapping[str, str], as_of: date) -> tuple[DefinitionChange, ...]:
    """The log of the version before, and what is defined otherwise than there.

    Args:
        before: The newest version; None, or one that keeps no definitions: nothing is known to have changed.
        now: Definitions of the night.
        as_of: Business date of the night.
    """
    if before is None or not before.definitions:
        return ()
    then = before.definitions
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return (
        *before.definition_changes,
        *(
            DefinitionChange(as_of, name, "added" if name not in then else "changed" if name in now else "removed")
            for name in changed
        ),
    )


def _definition_of(file: PurePosixPath) -> str:
    """The definition a file of the project is part of: a seed by itself, anything else by its folder."""
    if file.suffix == ".csv":
        return str(file.with_suffix(""))
    return str(file.parent) if file.parent.name else "project/dbt_project"


def _short_hash(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
