"""Dagster's instance of this installation: settings from `dagster.yaml`, run history on disk or in PostgreSQL.

Not here: what either storage does otherwise than Dagster's own (event_log.py, event_log_postgres.py).
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.config.settings import HISTORY, PROJECT, Settings
from storage.errors import JourneymartError
from storage.permissions import make_private

if TYPE_CHECKING:
    from dagster import DagsterInstance


# What keeps the history in PostgreSQL, as `dagster.yaml` would say it; the address is read where it is needed.
_IN_POSTGRES = {
    "run_storage": ("dagster_postgres", "PostgresRunStorage"),
    "event_log_storage": ("orchestration.event_log_postgres", "WholePostgresEventLogStorage"),
    "schedule_storage": ("dagster_postgres", "PostgresScheduleStorage"),
}


def open_instance(settings: Settings) -> DagsterInstance:
    """Open the instance, so that a run made here is seen in the UI.

    Its paths follow `JOURNEYMART_STATE`, not the working folder.

    Raises:
        JourneymartError: The history is to be in PostgreSQL, and cannot be reached there.
    """
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    make_private(settings.state)
    if not settings.history_url:
        return DagsterInstance.from_ref(InstanceRef.from_dir(str(PROJECT), overrides=_entries(settings)))
    if find_spec("dagster_postgres") is None:
        raise JourneymartError(
            "Keeping the run history in PostgreSQL needs dagster-postgres: install it with "
            f"`pip install 'journeymart[history]'`, or unset {HISTORY}."
        )
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return DagsterInstance.from_ref(InstanceRef.from_dir(str(PROJECT), overrides=_entries(settings)))
    except (SQLAlchemyError, DagsterPostgresException) as error:
        # What it says itself may quote the address, and the password in it.
        raise JourneymartError(
            f"The database of the run history cannot be reached ({type(error).__name__}): see that it runs and lets "
            f"this machine in, and that {HISTORY} is its address."
        ) from None


def dagster_home(settings: Settings) -> tuple[Path, Path]:
    """Where Dagster's own commands find their settings, and the folder to start them in.

    Returns:
        Value for DAGSTER_HOME, and the working folder.
    """
    make_private(settings.state)
    if settings.state == PROJECT / ".dagster" and not settings.history_url:
        return PROJECT, PROJECT
    said: dict[str, Any] = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    (settings.state / "dagster.yaml").write_text(yaml.safe_dump({**said, **_entries(settings)}), encoding="utf-8")
    return settings.state, settings.state


def quiet_environment() -> None:
    """Tell Dagster to write events of a range of dates in batches, and to report nothing home."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


def _entries(settings: Settings) -> dict[str, Any]:
    """The entries of `dagster.yaml` that name folders, with the state folder or the database in place of `.dagster`."""
    said: dict[str, Any] = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    on_disk = {
        name: {
            **entry,
            "config": {"base_dir": str(settings.state / Path(entry["config"]["base_dir"]).relative_to(".dagster"))},
        }
        for name, entry in said.items()
        if "base_dir" in entry.get("config", {})
    }
    if not settings.history_url:
        return on_disk
    address = {"postgres_url": {"env": HISTORY}}
    in_database = {name: {"module": m, "class": c, "config": address} for name, (m, c) in _IN_POSTGRES.items()}
    return on_disk | in_database
