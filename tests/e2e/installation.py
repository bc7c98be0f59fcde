"""A whole installation in a folder of its own: what the end-to-end tests run nights on.

What lives here: delivering extracts, running nights through the real Dagster job in this process (or through the
command line in another), reading what was published. Not here: any expectation.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from assets.report.journey import JOURNEY
from assets.report.render import template_of
from assets.report.scorecard import SCORECARD
from assets.versions.manifest import File, read_manifest, write_manifest
from orchestration.build import build_defs
from orchestration.cli.run_night import RunOutcome, run_night
from orchestration.config.settings import PROJECT, Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.dbt.project import PARSED, prepare_manifest
from orchestration.instance import open_instance
from storage.company_folder import FILE_VARIABLE, FOLDER_VARIABLE, SAMPLE
from storage.data_folder import marts_file, warehouse_file
from storage.faults import FAULT_VARIABLE
from storage.files import sha256_of
from tests.checkout import CHECKOUT


class Silent:
    """A watcher of a run who says nothing."""

    def started(self, step_key: str) -> None:
        """A step began."""

    def ended(self, step_key: str, outcome: str) -> None:
        """A step ended."""


@dataclass(frozen=True)
class Installation:
    """One data folder, one state folder and one company: its folder, or its file where that is all there is."""

    data: Path
    state: Path
    company: Path = SAMPLE

    @property
    def setup(self) -> Setup:
        """Settings and sources, read anew."""
        named = {"company": self.company} if self.company.is_dir() else {"sources": self.company}
        settings = Settings(data=self.data, state=self.state, **named)
        return Setup(settings, load_sources(settings.company_folder.file, self.data))

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this installation finds in its environment."""
        return os.environ | {
            "JOURNEYMART_DATA": str(self.data),
            "JOURNEYMART_STATE": str(self.state),
            FOLDER_VARIABLE: str(self.company) if self.company.is_dir() else "",
            FILE_VARIABLE: "" if self.company.is_dir() else str(self.company),
        }

    def copy_to(self, data: Path) -> Installation:
        """The same installation with its data as it is now in another folder."""
        shutil.copytree(self.data, data, symlinks=True)
        return Installation(data, self.state, self.company)

    def night(self, *days: date) -> RunOutcome:
        """Run one night over a range of dates; raises what a person would be told when it fails."""
        setup = self.setup
        with open_instance(setup.settings) as instance:
            return run_night(build_defs(setup=setup), instance, days, Silent())

    def command(self, *arguments: str, fault: str = "", under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run `journeymart` in a process of its own, `under` another, to be killed at a fault point if one is named."""
        return subprocess.run(
            [*under, sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=PROJECT,
            env=self.environment | {FAULT_VARIABLE: fault},
            capture_output=True,
            text=True,
            check=False,
        )

    def published_hashes(self) -> dict[str, str]:
        """Every byte a reader can see, by path, and where `current` points."""
        current = self.data / "current"
        files = [path for path in sorted(current.resolve().rglob("*")) if path.is_file()]
        return {
            "current": str(current.readlink()),
            **{str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        }

    def marts(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader's query on the published marts gives."""
        with duckdb.connect(str(marts_file(self.data / "current")), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def mart_tables(self) -> list[str]:
        """Names of the published marts."""
        return [name for (name,) in self.marts("select table_name from duckdb_tables() order by 1")]

    def tamper(self, sql: str) -> None:
        """Change what is published (`marts`, `warehouse`) as a bug would that signs what it wrote."""
        current = (self.data / "current").resolve()
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            for name, file in (("marts", marts_file(current)), ("warehouse", warehouse_file(current))):
                quoted = str(file).replace("'", "''")
                connection.execute(f"attach '{quoted}' as {name}")
            connection.execute(sql)
        manifest = read_manifest(current)
        paths = [current / file.name for file in manifest.files]
        signed = [File(p.relative_to(current).as_posix(), p.stat().st_size, sha256_of(p)) for p in paths]
        write_manifest(current, replace(manifest, files=tuple(signed)))

    def drop_file(self, name: str) -> Path:
        """A delivered file, as `source/file`."""
        return self.data / "drop" / name

    def redeliver(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change a delivered gzip file's content and deliver it again with a manifest that is true of it."""
        path = self.drop_file(name)
        before = gzip.decompress(path.read_bytes())
        content = change(before)
        path.write_bytes(gzip.compress(content, mtime=0))
        manifest = path.with_name(f"{path.name}.manifest.json")
        said = json.loads(manifest.read_text())
        said["bytes"] = path.stat().st_size
        said["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        said["rows"] += _records(content, path.name) - _records(before, path.name)
        manifest.write_text(json.dumps(said))


def hand_over_what_is_made(state: Path) -> None:
    """Make a state folder with what is made once per checkout: the parsed dbt project, the templates of the pages."""
    prepare_manifest(CHECKOUT)
    # What another test process is just writing has a name that begins with a dot.
    written = shutil.ignore_patterns(".*")
    shutil.copytree(CHECKOUT.dbt_target, state / CHECKOUT.dbt_target.name, ignore=written)
    _say_that_it_lies_in(state)
    for page in (SCORECARD, JOURNEY):
        template_of(page, CHECKOUT.report_templates)
    shutil.copytree(CHECKOUT.report_templates, state / CHECKOUT.report_templates.name, ignore=written)


def _say_that_it_lies_in(state: Path) -> None:
    """Let a copy of the parsed project say that its seeds lie in another state folder, where they are the same."""
    from dbt.contracts.graph.manifest import Manifest

    project, target = state / CHECKOUT.dbt_project.name, state / CHECKOUT.dbt_target.name
    parsed = Manifest.from_msgpack((target / PARSED).read_bytes())
    for node in parsed.nodes.values():
        if getattr(node, "root_path", None):
            node.root_path = str(project)
    (target / PARSED).write_bytes(parsed.to_msgpack())
    for said in target.glob("*.json"):
        text = said.read_text(encoding="utf-8")
        said.write_text(text.replace(str(CHECKOUT.dbt_project), str(project)), encoding="utf-8")


def differences(here: Installation, there: Installation, tables: Sequence[str]) -> dict[str, int]:
    """Rows of published marts that only one of two installations has, counted by table; empty when they are equal."""
    with duckdb.connect() as connection:
        for name, installation in (("here", here), ("there", there)):
            file = str(marts_file(installation.data / "current")).replace("'", "''")
            connection.execute(f"attach '{file}' as {name} (read_only)")
        found = {}
        for table in tables:
            (rows,) = connection.execute(
                f"select (select count(*) from (select * from here.{table} except all select * from there.{table})) + "
                f"(select count(*) from (select * from there.{table} except all select * from here.{table}))"
            ).fetchone() or (0,)
            if rows:
                found[table] = rows
    return found


def accepted_rows(installation: Installation) -> int:
    """Rows of all accepted batches in the published warehouse."""
    with duckdb.connect(str(warehouse_file(installation.data / "current")), read_only=True) as connection:
        (rows,) = connection.execute("select sum(rows) from night.batches").fetchone() or (0,)
    return int(rows)


def _records(content: bytes, name: str) -> int:
    """Records of an unpacked file whose texts hold no line breaks where it matters: only used for differences."""
    return content.count(b"\n") if ".jsonl" in name else content.count(b"\r\n") or content.count(b"\n")
