"""The dbt project in tests: parsed once, run on any build.

What lives here: building models, by what dbt sends to the database (dbt_scripts.py) and by dbt itself; the empty build
that all others begin with. Not here: which rows arrive and what a night is (dbt_harness.py).
"""

from __future__ import annotations

import copy
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_scripts import Script, ScriptDoesNotHoldError, Scripts, opened, written_down

from assets.audit.row_tests import ask
from assets.text.sentiment import TextSentiment
from assets.warehouse.load import Night, SourceRole, load, prepare
from orchestration.dbt.project import PARSED, load_manifest, prepare_manifest
from orchestration.dbt.row_tests import left_to_us, row_tests
from storage.data_folder import marts_file, warehouse_file
from tests.checkout import CHECKOUT

PROJECT = CHECKOUT.composed_project()


class DbtProject:
    """The project, parsed once; runs dbt in this process against any build folder."""

    def __init__(self, folder: Path, project: Path = PROJECT, shared: Path | None = None) -> None:
        self.folder = folder
        self.project = project
        self._shared = shared or folder
        self._manifest: Any = None
        self._parts: dict[tuple[frozenset[str], frozenset[str]], Any] = {}
        self._orders: dict[frozenset[str], list[Any]] = {}
        self._sent: Scripts | None = None

    def build(self, build: Path, select: Sequence[str], full_refresh: bool = False, by_dbt: bool = False) -> None:
        """Build models as dbt does, by what dbt sends to the database (dbt_scripts.py).

        Args:
            build: Where every model stands.
            select: Names of models, with a `+` in front of those that come with what they need, or `*`; views stand as
                they are.
            full_refresh: Make the tables whole instead of continuing them.
            by_dbt: Let dbt itself build.

        Raises:
            DbtFailedError: A model failed; what came before it stands.
        """
        refresh = ("--full-refresh",) if full_refresh else ()
        if by_dbt or self.project != PROJECT:
            self.run(build, "build", *refresh, "--select", *select, *_NO_TESTS, *_NOT_SEEDS, *_NOT_VIEWS)
            return
        waiting = self._tables(select)
        scripts = self._scripts()
        with opened(self.project, build) as cursor:
            while waiting:
                node = waiting[0]
                try:
                    if full_refresh or node.config.materialized != "incremental":
                        scripts.make_whole(cursor, node)
                    else:
                        scripts.go_on(cursor, node)
                except duckdb.Error as error:
                    raise DbtFailedError(f"{node.name}: error {error}") from error
                except ScriptDoesNotHoldError:
                    break
                waiting.pop(0)
        if waiting:
            self.run(build, "run", *refresh, "--select", *(node.name for node in waiting))

    def test(self, build: Path) -> None:
        """Ask every data test as a night does: those of rows together, the others by dbt.

        Raises:
            DbtFailedError: Some failed.
        """
        manifest = load_manifest(CHECKOUT)
        of_rows = row_tests(manifest)
        assert of_rows
        with opened(self.project, build) as cursor:
            failed = [manifest["nodes"][i]["name"] for i, test in of_rows.items() if ask(cursor, test).failures]
        if failed:
            raise DbtFailedError("\n".join(f"{name}: fail" for name in failed))
        self.run(build, "test", *_NO_UNIT_TESTS, *left_to_us(manifest, of_rows.keys()))

    def run(self, build: Path, command: str, *arguments: str) -> int:
        """Run a dbt command on a build, and say on how many nodes; a failure is told in dbt's own words."""
        from dbt.cli.main import dbtRunner

        with _environment(build):
            manifest = self._part_for(command, arguments)
            result = dbtRunner(manifest=manifest).invoke([command, *arguments, *self._flags()])
        if not result.success:
            failed = [
                f"{item.node.name}: {item.status} {item.message}"
                for item in getattr(result.result, "results", [])
                if item.status in ("error", "fail")
            ]
            raise DbtFailedError("\n".join(failed) or str(result.exception))
        return len(getattr(result.result, "results", []))

    def _part_for(self, command: str, arguments: Sequence[str]) -> Any:
        """The parsed project without what a command does not look at: dbt goes through all of it every time."""
        excluded = {kind for option, kind in itertools.pairwise(arguments) if option == "--exclude-resource-type"}
        without = frozenset({"test", "unit_test"} if command == "run" else {"test", "unit_test"} & excluded)
        key = (without, frozenset(_selected(arguments)))
        if key not in self._parts:
            self._parts[key] = _part(self._parsed_once(), *key)
        return self._parts[key]

    def _parsed(self) -> Any:
        """The parsed project: of the checkout's what a night reads, of another what dbt makes of it."""
        from dbt.cli.main import dbtRunner
        from dbt.contracts.graph.manifest import Manifest

        if self.project == CHECKOUT.dbt_project:
            prepare_manifest(CHECKOUT)
            target = CHECKOUT.dbt_target
        else:
            parsed = dbtRunner().invoke(["parse", *self._flags()])
            if not parsed.success:
                pytest.fail(f"The dbt project does not parse: {parsed.exception}")
            target = self.folder / "target"
        # Read from what dbt keeps: it mixes up what a manifest has looked up when that is copied.
        manifest = Manifest.from_msgpack(target.joinpath(PARSED).read_bytes())
        manifest.build_flat_graph()
        return manifest

    def _tables(self, select: Sequence[str]) -> list[Any]:
        """The selected models that are tables, what is read before what reads it."""
        key = frozenset(select)
        if key not in self._orders:
            nodes = self._parsed_once().nodes
            by_name = {node.name: i for i, node in nodes.items() if node.resource_type != "test"}
            chosen: set[str] = set(by_name.values()) if key == {"*"} else set()
            for name in key - {"*"}:
                chosen.add(by_name[name.removeprefix("+")])
                if name.startswith("+"):
                    chosen |= _needed(nodes, [by_name[name[1:]]])
            reads = {i: nodes[i].depends_on_nodes for i in _needed(nodes, chosen)}
            self._orders[key] = [
                nodes[i]
                for i in TopologicalSorter(reads).static_order()
                if i in chosen and nodes[i].resource_type == "model" and nodes[i].config.materialized != "view"
            ]
        return list(self._orders[key])

    def _parsed_once(self) -> Any:
        if self._manifest is None:
            self._manifest = self._parsed()
        return self._manifest

    def between(self, written: Set[str], marts: Sequence[str]) -> list[str]:
        """The steps by which what a test wrote reaches these marts, themselves included, by name; facts are left alone.

        Args:
            written: Tables the test fills itself.
            marts: What it then looks at.
        """
        nodes = self._parsed_once().nodes
        reads = {
            node.name: {nodes[i].name for i in node.depends_on_nodes if i in nodes}
            for node in nodes.values()
            if node.name in marts or (node.resource_type == "model" and node.schema == "intermediate")
        }
        found: dict[str, bool] = {}

        def is_reached(name: str) -> bool:
            if name not in found:
                parents = reads.get(name, set())
                steps = [is_reached(parent) for parent in parents - written]
                found[name] = any(steps) or bool(parents & written)
            return found[name]

        unreached = [mart for mart in marts if not is_reached(mart)]
        assert not unreached, f"{unreached} read nothing that was written"
        return sorted(name for name, reached in found.items() if reached)

    def stand(self, build: Path) -> Path:
        """Make a build of one's own, without rows, in which every model stands."""
        # A copy: a database that one process writes, no other can open.
        shutil.copytree(self._template(), build)
        return build

    def _template(self) -> Path:
        """What builds start from; whichever test process asks first makes it for all, and notes what dbt sends."""
        build = self._shared / "template"
        with (self._shared / "template is being made").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._shared / "template is made").exists():
                prepare(build)
                load(build, [], night_of(date(2025, 12, 31)))
                with written_down() as whole:
                    self.run(build, "build", *_NO_TESTS)
                if self.project == PROJECT:
                    self._write_down(build, whole)
                (self._shared / "template is made").touch()
        return build

    def _write_down(self, template: Path, whole: Mapping[str, Script]) -> None:
        """Let dbt continue every table of an empty build twice, as if keys were touched and as if none were."""
        build = shutil.copytree(template, self._shared / "build of scripts")
        found = []
        for touched_keys in (1, 0):
            with written_down(touched_keys) as sent:
                self.run(build, "run", "--select", "config.materialized:incremental")
            found.append(sent)
        Scripts(whole, *found).write(self._shared / "scripts")
        shutil.rmtree(build)

    def _scripts(self) -> Scripts:
        if self._sent is None:
            self._template()
            self._sent = Scripts.read(self._shared / "scripts")
        return self._sent

    def _flags(self) -> list[str]:
        return [
            *("--project-dir", str(self.project), "--profiles-dir", str(self.project), "--quiet"),
            *("--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")),
            # Its logs write out every event before they look at its level; failures are told by the results.
            *("--log-level", "none", "--log-level-file", "none", "--no-write-json"),
        ]


class DbtFailedError(Exception):
    """Some model or test failed; the message says which and why."""


def night_of(as_of: date, text_sentiment: TextSentiment | None = None, crms: Iterable[str] = ()) -> Night:
    """A night of a small company."""
    return Night(
        as_of=as_of,
        run_id=f"run-{as_of}",
        reporting_timezone="Europe/Berlin",
        currency="EUR",
        sources=tuple(SourceRole(source, source.removesuffix("_two"), "crm") for source in crms),
        text_sentiment=text_sentiment,
    )


_NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
_NO_TESTS = ("--exclude-resource-type", "test", *_NO_UNIT_TESTS)
_NOT_SEEDS = ("--exclude-resource-type", "seed")
_NOT_VIEWS = ("--exclude", "config.materialized:view")


def _selected(arguments: Sequence[str]) -> Iterator[str]:
    """What a dbt command is told to select."""
    if "--select" in arguments:
        after = arguments[arguments.index("--select") + 1 :]
        yield from itertools.takewhile(lambda argument: not argument.startswith("--"), after)


def _part(manifest: Any, without: Set[str], selected: Set[str]) -> Any:
    """A parsed project without kinds of tests and, where no test is left, without what the selected models do not need.

    Args:
        manifest: dbt's; it is not changed.
        without: `test`, `unit_test`, both or neither.
        selected: As dbt is told; if it is anything but names with or without a `+`, every model stays.
    """
    part = copy.copy(manifest)
    if "unit_test" in without:
        part.unit_tests = {}
    if "test" not in without:
        return part
    nodes = {i: node for i, node in manifest.nodes.items() if node.resource_type != "test"}
    by_name = {node.name: i for i, node in nodes.items()}
    names = {name.removeprefix("+") for name in selected}
    if part.unit_tests or not names or not names <= set(by_name):
        part.nodes = nodes
        return part
    needed = _needed(nodes, [by_name[name] for name in names])
    part.nodes = {i: node for i, node in nodes.items() if i in needed}
    return part


def _needed(nodes: Mapping[str, Any], wanted: Iterable[str]) -> set[str]:
    """Nodes with all they read, by id."""
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        unique_id = waiting.pop()
        if unique_id in nodes and unique_id not in needed:
            needed.add(unique_id)
            waiting += nodes[unique_id].depends_on_nodes
    return needed


@contextmanager
def _environment(build: Path) -> Iterator[None]:
    """The two environment variables the profile reads."""
    wanted = {
        "JOURNEYMART_WAREHOUSE": str(warehouse_file(build)),
        "JOURNEYMART_MARTS": str(marts_file(build)),
        "DO_NOT_TRACK": "1",
    }
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        # dbt keeps the files open as long as the process lives.
        DuckDBConnectionManager.close_all_connections()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
