"""Keeps dbt's parsed project (its manifest) up to date.

What lives here: parsing when something changed. Not here: running dbt.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.config.settings import Settings
from storage.data_folder import marts_file, warehouse_file
from storage.errors import JourneymartError
from storage.locks import in_turn
from storage.permissions import OWN_UMASK, make_private

# Not the `dbt` script: its first line cannot hold every path.
DBT = (sys.executable, "-m", "dbt.cli.main")

# What dbt keeps of a project to parse only what changed.
PARSED = "partial_parse.msgpack"
_STAMP = "parsed.json"
_IGNORED = {"target", "logs", "__pycache__"}


def dbt_environment(settings: Settings) -> dict[str, str]:
    """Environment of every dbt process; one that builds has the build folder as its working folder.

    The paths are relative to that, so that they are the same for every data folder: if they changed, dbt
    would parse the whole project again.
    """
    here = Path()
    return {
        **os.environ,
        "JOURNEYMART_WAREHOUSE": str(warehouse_file(here)),
        "JOURNEYMART_MARTS": str(marts_file(here)),
        "DBT_PROJECT_DIR": str(settings.dbt_project),
        "DBT_PROFILES_DIR": str(settings.dbt_project),
        "DBT_TARGET_PATH": str(settings.dbt_target),
        "DBT_LOG_PATH": str(settings.dbt_target),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def manifest_path(settings: Settings) -> Path:
    """The manifest definitions are built from.

    dbt's own `manifest.json` beside it is rewritten by every build.
    """
    return settings.dbt_target / "project_manifest.json"


def is_prepared(settings: Settings) -> bool:
    """Whether the manifest belongs to the project as it stands, which is composed first.

    Raises:
        JourneymartError: The company's tables or models hold a mistake.
    """
    settings.composed_project()
    return _kept_stamp(settings) == _stamp(settings) and manifest_path(settings).exists()


def prepare_manifest(settings: Settings) -> bool:
    """Parse the dbt project if it changed since it was parsed last; several processes may ask at once.

    Returns:
        Whether it had to be parsed.

    Raises:
        JourneymartError: The company's tables or models hold a mistake, or dbt cannot parse the project.
    """
    if is_prepared(settings):
        return False
    make_private(settings.dbt_target)
    with in_turn(settings.dbt_target / ".parsing"):
        if is_prepared(settings):
            return False
        stamp = _stamp(settings)
        if _kept_stamp(settings).get("folder") != stamp["folder"]:
            # What dbt keeps of a project says where its seeds lay; it would read them there.
            (settings.dbt_target / PARSED).unlink(missing_ok=True)
        result = subprocess.run(
            [*DBT, "--no-use-colors", "--quiet", "parse"],
            env=dbt_environment(settings),
            cwd=settings.dbt_project,
            capture_output=True,
            text=True,
            check=False,
            umask=OWN_UMASK,
        )
        if result.returncode:
            words = " ".join((result.stdout + result.stderr).split())
            raise JourneymartError(f"dbt cannot parse {settings.dbt_project}: {words[:600] or 'it gave no reason'}")
        temporary = settings.dbt_target / ".project_manifest.json"
        temporary.write_bytes((settings.dbt_target / "manifest.json").read_bytes())
        temporary.replace(manifest_path(settings))
        (settings.dbt_target / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    return True


def load_manifest(settings: Settings) -> dict[str, Any]:
    """The parsed project, parsed again first if it changed.

    Raises:
        JourneymartError: dbt cannot parse the project.
    """
    prepare_manifest(settings)
    manifest: dict[str, Any] = json.loads(manifest_path(settings).read_bytes())
    return manifest


def project_hash(settings: Settings) -> str:
    """Hash of every file of the dbt project, as it was composed last."""
    digest = hashlib.sha256()
    project = settings.dbt_project
    for path in sorted(
        p for p in project.rglob("*") if p.is_file() and not _IGNORED & set(p.relative_to(project).parts)
    ):
        digest.update(f"{path.relative_to(project).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept_stamp(settings: Settings) -> dict[str, str]:
    """What the manifest that is there was made of; empty if there is none."""
    try:
        kept: dict[str, str] = json.loads((settings.dbt_target / _STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _stamp(settings: Settings) -> dict[str, str]:
    """What the manifest depends on: every file of the project, where it lies, and dbt itself."""
    return {
        "project": project_hash(settings),
        "folder": str(settings.dbt_project),
        "dbt": f"{version('dbt-core')} {version('dbt-duckdb')}",
    }
