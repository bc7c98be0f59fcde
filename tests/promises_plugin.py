"""Counts what tests found of the promises they stand for: a plugin of pytest.

`@pytest.mark.promise("kills")` says which. Such a test is part of the long campaign (marker `chaos`). The long campaign
(`JOURNEYMART_CHAOS=long`) tries one promise after the other and prints the table; where nothing was left out of those
asked for, all or those of `--promise`, it writes the row of each as soon as it was tried, and fails if nothing tried
one of them. Not here: the sentences, the table and the page (promises.py).

A test is one case; one of hypothesis as many as it tried; another says how many with `record_property("cases", n)`.

With several processes (`make chaos WORKERS=2`) rows are written at the end; none where one of them died, as its test
said nothing of its promise. A campaign takes hours: one that was ended is gone on with by the next one of the same
commit, which leaves out what passed (pytest's cache holds it).
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections import Counter
from collections.abc import Container, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.promises import PAGE, Campaign, Tally, page, read_promises, table, this_machine

_CAMPAIGN = pytest.StashKey["_Campaign"]()
_KEPT = "promises/campaign"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promise", default="", help="only tests of these promises (tests/promises.yml), with commas")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(name): the promise of tests/promises.yml that a test stands for")
    _refuse_unknown(config, _asked(config))
    if os.environ.get("JOURNEYMART_CHAOS") == "long" and not hasattr(config, "workerinput"):
        config.stash[_CAMPAIGN] = campaign = _Campaign(config)
        config.pluginmanager.register(campaign)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests with a promise are those of the campaign, and say which in all they report."""
    for item in items:
        names = dict.fromkeys(mark.args[0] for mark in item.iter_markers("promise"))
        _refuse_unknown(config, names)
        item.user_properties += [("promise", name) for name in names]
        if names:
            item.add_marker("chaos")
    asked, passed = _asked(config), _passed_before(config)
    if asked or passed:
        wanted = [
            item
            for item in items
            if item.nodeid not in passed
            and (not asked or any(("promise", name) in item.user_properties for name in asked))
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        items[:] = wanted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Count the examples of a test of hypothesis that stands for a promise."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is None or not any(name == "promise" for name, _ in item.user_properties):
        return (yield)
    with _counted(handle) as tried:
        try:
            return (yield)
        finally:
            item.user_properties.append(("cases", len(tried)))


@contextmanager
def _counted(handle: object) -> Iterator[list[None]]:
    inner = handle.inner_test
    tried: list[None] = []

    @functools.wraps(inner)
    def counting(*args: object, **kwargs: object) -> object:
        tried.append(None)
        return inner(*args, **kwargs)

    handle.inner_test = counting
    try:
        yield tried
    finally:
        handle.inner_test = inner


def _passed_before(config: pytest.Config) -> Container[str]:
    """Tests of the campaign which is gone on with that need not run again."""
    if hasattr(config, "workerinput"):
        return config.workerinput.get("passed before", ())
    campaign = config.stash.get(_CAMPAIGN, None)
    return campaign.passed if campaign and campaign.is_whole else ()


def _asked(config: pytest.Config) -> list[str]:
    return [name for name in str(config.getoption("--promise")).split(",") if name]


def _refuse_unknown(config: pytest.Config, names: Iterable[str]) -> None:
    unknown = ", ".join(name for name in names if name not in read_promises(config.rootpath))
    if unknown:
        raise pytest.UsageError(f"tests/promises.yml has no promise {unknown}")


class _Campaign:
    """What the long campaign heard of its tests, in the process that people look at."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.promises = read_promises(config.rootpath)
        self.asked = _asked(config) or list(self.promises)
        self.where = Campaign(datetime.now(UTC).date().isoformat(), _commit(config), this_machine())
        self.tallies: dict[str, Tally] = {}
        self.skipped: list[str] = []
        self.died: list[str] = []
        self.of: dict[str, list[str]] = {}
        self.left: Counter[str] = Counter()
        self.ending: dict[str, tuple[list[str], int]] = {}
        self.passed: dict[str, tuple[list[str], int]] = self._of_the_one_before()

    def _of_the_one_before(self) -> dict[str, tuple[list[str], int]]:
        """Tests that passed in a campaign of this commit that was ended: their promises and cases."""
        kept = self.config.cache.get(_KEPT, {})
        is_known = " " not in self.where.commit
        return kept.get("passed", {}) if is_known and kept.get("commit") == self.where.commit else {}

    def pytest_sessionstart(self) -> None:
        """What the campaign that is gone on with found, counts."""
        for nodeid, (names, cases) in self.passed.items() if self.is_whole else ():
            for name in set(names) & set(self.asked):
                self._tally(name, nodeid).cases += cases

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """What each of several processes leaves out: the same, whenever it begins."""
        if self.is_whole:
            node.workerinput["passed before"] = [*self.passed]

    @property
    def is_whole(self) -> bool:
        """Whether nobody named files or words that leave tests out, and no process died."""
        option = self.config.option
        left_out = (
            option.keyword or option.deselect or option.lf or option.collectonly or option.markexpr not in ("", "chaos")
        )
        return self.config.args_source is pytest.Config.ArgsSource.TESTPATHS and not left_out and not self.died

    @property
    def untried(self) -> list[str]:
        """Promises that no test tried."""
        return [name for name in self._over() if not self.tallies.get(name, Tally()).cases]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """One promise after the other: a campaign that is ended early leaves the rows of those it had tried."""
        self.of = {
            item.nodeid: [str(value) for name, value in item.user_properties if name == "promise"] for item in items
        }
        self.left = Counter(name for names in self.of.values() for name in names)
        place = {name: number for number, name in enumerate(self.promises)}
        items.sort(key=lambda item: min((place[name] for name in self.of[item.nodeid]), default=len(place)))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The row of a promise whose last test this was."""
        for name in self.of.get(nodeid, ()):
            self.left[name] -= 1
            if not self.left[name] and name in self.asked and self.is_whole:
                self._write([name])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        said = list(report.user_properties)
        names = [str(value) for name, value in said if name == "promise"]
        asked = [name for name in names if name in self.asked]
        if report.skipped and asked:
            self.skipped.append(report.nodeid)
        if report.failed and report.when not in ("setup", "call", "teardown"):
            self.died.append(report.nodeid)
        if report.skipped or (report.when != "call" and not report.failed):
            self._keep(report)
            return
        cases = sum(int(str(value)) for key, value in said if key == "cases") or 1
        for name in asked:
            tally = self._tally(name, report.nodeid)
            tally.cases += cases if report.when != "teardown" else 0
            tally.failures += report.failed
        if report.passed:
            self.ending[report.nodeid] = (names, cases)

    def _tally(self, promise: str, nodeid: str) -> Tally:
        tally = self.tallies.setdefault(promise, Tally())
        tally.tests.add(nodeid.partition("[")[0])
        return tally

    def _keep(self, report: pytest.TestReport) -> None:
        """A test of a whole campaign passed, and so did clearing up after it."""
        if report.when == "teardown" and report.passed and report.nodeid in self.ending and self.is_whole:
            self.passed[report.nodeid] = self.ending.pop(report.nodeid)
            self._remember()

    def _remember(self) -> None:
        self.config.cache.set(_KEPT, {"commit": self.where.commit, "passed": self.passed})

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not self.is_whole or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return
        if self.untried:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._write(self._over())

    def _over(self) -> list[str]:
        """Promises of which no test is left to run."""
        return [name for name in self.asked if not self.left[name]]

    def _write(self, names: list[str]) -> None:
        file = self.config.rootpath / PAGE
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(before, self.promises, self.tallies, names, self.where), encoding="utf-8")
        self.passed = {nodeid: each for nodeid, each in self.passed.items() if not set(each[0]) & set(names)}
        self._remember()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.config.option.collectonly:
            return
        asked = {name: self.promises[name] for name in self.asked if self.is_whole or name in self.tallies}
        terminalreporter.section("promises")
        terminalreporter.write(table(asked, self.tallies))
        for nodeid in self.skipped:
            terminalreporter.write_line(f"left out: {nodeid}")
        for nodeid in self.died:
            terminalreporter.write_line(f"its process died: {nodeid}", red=True)
        if not self.is_whole:
            terminalreporter.write_line(f"Only a part was run: {PAGE} stays as it is.")
        for name in self.untried if self.is_whole else ():
            terminalreporter.write_line(f"Nothing tried the promise {name}: {self.promises[name].promise}", red=True)


def _commit(config: pytest.Config) -> str:
    """The commit that was tried, and whether files differ from it; the page itself does not count."""

    def git(*arguments: str) -> str:
        asked = ["git", "-C", str(config.rootpath), *arguments]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", ".", f":!{PAGE}")
    return (git("rev-parse", "--short=12", "HEAD") or "no commit") + (" and changes to it" if changed else "")
