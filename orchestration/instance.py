"""Dagster's persistent instance of this installation: run history on disk, settings from `dagster.yaml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.config.settings import PROJECT, Settings
from storage.permissions import make_private

if TYPE_CHECKING:
    from dagster import DagsterInstance


def open_instance(settings: Settings) -> DagsterInstance:
    """Open the instance, so that a run made here is seen in the UI.

    Its paths follow `JOURNEYMART_STATE`, not the working folder.
    """
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    make_private(settings.state)
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(PROJECT), overrides=_paths(settings)))


def dagster_home(settings: Settings) -> tuple[Path, Path]:
    """Where Dagster's own commands find their settings, and the folder to start them in.

    Returns:
        Value for DAGSTER_HOME, and the working folder.
    """
    make_private(settings.state)
    if settings.state == PROJECT / ".dagster":
        return PROJECT, PROJECT
    said: dict[str, Any] = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    (settings.state / "dagster.yaml").write_text(yaml.safe_dump({**said, **_paths(settings)}), encoding="utf-8")
    return settings.state, settings.state


def quiet_environment() -> None:
    """Tell Dagster to write events of a range of dates in batches, and to report nothing home."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


def _paths(settings: Settings) -> dict[str, Any]:
    """The entries of `dagster.yaml` that name folders, with the state folder in place of `.dagster`."""
    said: dict[str, Any] = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    return {
        name: {
            **entry,
            "config": {"base_dir": str(settings.state / Path(entry["config"]["base_dir"]).relative_to(".dagster"))},
        }
        for name, entry in said.items()
        if "base_dir" in entry.get("config", {})
    }
