"""Which models can be derived anew for a few keys, and doing it on a build.

What lives here: reading from dbt's manifest, and from what it compiled tonight, the models whose select follows from
the tables of the build alone. Not here: drawing keys and comparing (assets/audit/shadow.py).

What dbt compiles for a night on a base is the select filtered by a temporary table of touched keys. Filled with other
keys, it derives those. A model that reads itself or what the night touched elsewhere is left out: of keys that nobody
touched that says something else. So is one that asks a function of Python, and one that says of itself that its keys
are not derived alone (dbt_project/macros/incremental/strategy.sql).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.audit.result import AuditResult
from assets.audit.shadow import ShadowModel, in_shadow
from orchestration.config.setup import Setup
from orchestration.dbt.catalog import build_attached

# What of a night's time the sample may cost.
SHARE = 0.02
_OF_PYTHON = "text_polarity("


def shadow(setup: Setup, manifest: Mapping[str, Any], seed: str, night_seconds: float) -> AuditResult:
    """Derive a sample of a build anew and compare, within its share of the night.

    Args:
        setup: Settings and sources.
        manifest: dbt's.
        seed: What decides what is drawn.
        night_seconds: How long the night has taken so far.
    """
    models = list(shadow_models(manifest, setup.settings.dbt_target / "compiled"))
    with build_attached(setup) as connection:
        return in_shadow(connection, models, seed, SHARE * night_seconds)


def shadow_models(manifest: Mapping[str, Any], compiled: Path) -> Iterator[ShadowModel]:
    """The models that can be derived for chosen keys; none after a build from nothing, which derived all of them.

    Args:
        manifest: dbt's.
        compiled: The folder of what dbt compiled last.
    """
    for node in manifest["nodes"].values():
        config = node["config"]
        is_by_keys = config.get("incremental_strategy") == "touched_keys" and config.get("derived_alone", True)
        if not is_by_keys or config.get("derives_all"):
            continue
        file = compiled / node["package_name"] / node["original_file_path"]
        sql = file.read_text(encoding="utf-8") if file.exists() else ""
        keys_table = f'temp."_touched_keys__{node["alias"]}"'
        reads_itself = re.search(rf'"{node["alias"]}"', sql.replace(keys_table, ""))
        if keys_table in sql and not reads_itself and '"_touched"' not in sql and _OF_PYTHON not in sql:
            yield ShadowModel(node["name"], node["relation_name"], tuple(config["touched_key"]), sql, keys_table)
