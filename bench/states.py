"""Data folders that measurements start from: a company before its first night, before a night, and come to dbt.

What lives here: making them once per state of the code, and working on copies of them. Not here: how a company is made
(sample_company, tickets.py), what is measured on them (measurements.py).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from bench.process_tree import Cost, measure
from orchestration.config.settings import PROJECT, Settings
from orchestration.dbt.project import dbt_environment, prepare_manifest
from sample_company.export import FIRST_DATE
from storage.data_folder import DataFolder
from storage.faults import FAULT_VARIABLE

SIZES = {"S": 2_000, "M": 20_000, "L": 100_000}
"""Customers of the sample company."""

DELIVERED = "delivered"
"""The history and one more date lie in the drop folder; no night was."""
PUBLISHED = "published"
"""The night of the history is published; the next date's extracts wait."""
HANDED_OVER = "handed over"
"""The next night has come to dbt: `build` is what it hands over."""

_JOURNEYMART = (sys.executable, "-m", "orchestration.cli")
_PRODUCT = ("assets", "companies", "dbt_project", "orchestration", "quality", "sample_company", "storage")
_DELIVERIES = "drop"
_FIRST_NIGHT = "first night.json"


class Installation:
    """One company with its data folder, its run history and its states, below a folder of the benchmark's.

    Args:
        root: Where all of it lies.
        company: Its company folder; None: the sample company's.
        state: Where its run history and parsed project lie; None: below `root`.
    """

    def __init__(self, root: Path, company: Path | None = None, state: Path | None = None) -> None:
        self.root = root
        self.settings = Settings(company=company, data=root / "data", state=state or root / "state")
        root.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> DataFolder:
        """The data folder a measurement works on."""
        return self.settings.folder

    def environment(self, **said: str) -> dict[str, str]:
        """Environment of every process of this installation: that of dbt holds all a night needs, too."""
        own = {"JOURNEYMART_DATA": str(self.settings.data), "JOURNEYMART_STATE": str(self.settings.state)}
        if self.settings.company:
            own["JOURNEYMART_COMPANY"] = str(self.settings.company)
        return {**dbt_environment(self.settings), "PYTHONPATH": str(PROJECT), **own, **said}

    def journeymart(self, *arguments: str, is_killed: bool = False, said: Mapping[str, str] | None = None) -> Cost:
        """Run a command of the product.

        Args:
            arguments: The command.
            is_killed: It is to die at a point of fault.
            said: Environment variables besides.
        """
        command = [*_JOURNEYMART, *arguments]
        environment = self.environment(**(said or {}))
        return measure(command, folder=PROJECT, environment=environment, is_killed=is_killed)

    def measured(self, *command: str, **said: str) -> Cost:
        """Run any other command."""
        return measure(command, folder=self.root, environment=self.environment(**said))

    def on_build(self, *command: str, **said: str) -> Cost:
        """Run a command in the folder a night hands to dbt."""
        return measure(command, folder=self.folder.build, environment=self.environment(**said))

    @contextmanager
    def at(self, state: str) -> Iterator[None]:
        """Let the data folder be a copy of a state; afterwards it is gone."""
        # A run that was broken off may have left one.
        shutil.rmtree(self.settings.data, ignore_errors=True)
        copy_tree(self.root / state, self.settings.data)
        try:
            yield
        finally:
            shutil.rmtree(self.settings.data)

    def prepare(self, deliver: Callable[[], object], first: date) -> None:
        """Make the states, unless they are those of this very code.

        Args:
            deliver: Writes the extracts of the history and of one more date into the drop folder.
            first: The extract date of the history.
        """
        stamp = self.root / "made by"
        if stamp.exists() and stamp.read_text() == code_hash():
            return
        stamp.unlink(missing_ok=True)
        for state in ("data", DELIVERED, PUBLISHED, HANDED_OVER, _DELIVERIES):
            shutil.rmtree(self.root / state, ignore_errors=True)
        prepare_manifest(self.settings)
        deliver()
        # Nobody changes what was delivered, so all states share it.
        drop = self.settings.data / "drop"
        drop.rename(self.root / _DELIVERIES)
        drop.symlink_to(self.root / _DELIVERIES)
        copy_tree(self.settings.data, self.root / DELIVERED)
        cost = self.journeymart("run", "--as-of", f"{first}")
        (self.root / _FIRST_NIGHT).write_text(json.dumps(asdict(cost)))
        copy_tree(self.settings.data, self.root / PUBLISHED)
        self.journeymart("run", is_killed=True, said={FAULT_VARIABLE: "before_dbt"})
        self.settings.data.rename(self.root / HANDED_OVER)
        stamp.write_text(code_hash())

    def first_night(self) -> Cost:
        """What the night of the history cost when the states were made."""
        return Cost(**json.loads((self.root / _FIRST_NIGHT).read_text()))


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder as it is, by reference where the file system can."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def code_hash() -> str:
    """Hash of every file a state is made by."""
    digest = hashlib.sha256()
    for part in _PRODUCT:
        for path in sorted(p for p in (PROJECT / part).rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            digest.update(f"{path.relative_to(PROJECT)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Bench:
    """Where measurements work, and how often each side of a pair runs.

    Attributes:
        root: Folder of all installations; they share one run history.
        pairs: How often.
    """

    root: Path
    pairs: int

    def installation(self, name: str, company: Path | None = None) -> Installation:
        """An installation of the benchmark's; those of one company share a parsed project."""
        state = self.root / ("state" if company is None else f"{name} state")
        return Installation(self.root / name, company, state)

    def sample(self, size: str) -> Installation:
        """The sample company of a size, its states made."""
        made = self.installation(size)
        made.prepare(lambda: made.journeymart("sample", "--customers", f"{SIZES[size]}", "--days", "2"), FIRST_DATE)
        return made
