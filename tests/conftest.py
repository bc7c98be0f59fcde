"""What holds for every test: how many processes, what each begins with, and that a busy machine fails no test."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.data_folder import DataFolder

pytest_plugins = ("tests.promises_plugin",)

# They make what others wait for, or wait for nobody and take long.
FIRST = {"test_erased_person.py", "test_marts_history.py", "test_olist.py"}

# As in the processes of a night: most of what is made are modules and definitions, which stay.
gc.set_threshold(100_000, 20, 20)

# Drawing an example takes as long as the machine makes it wait.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder in which nothing lies yet."""
    return DataFolder(tmp_path / "data")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: now and then one waits for what another makes for all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files named above go first; the others keep their order, whole nights before short tests."""
    items.sort(key=lambda item: item.path.name not in FIRST)
