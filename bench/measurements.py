"""The measurements: what each runs on which state, and the plain figures it yields.

What lives here: one function per measurement. Not here: what the figures say (ratios.py), making states (states.py).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from bench import tickets
from bench.model_groups import groups
from bench.process_tree import Cost
from bench.pulls import pulls
from bench.rows import lacking_rows
from bench.statements import read_record, rows_derived, seconds_of_models, sql_seconds, worst_nested_loop
from bench.states import DELIVERED, HANDED_OVER, PUBLISHED, SIZES, Bench, Installation
from orchestration.config.settings import PROJECT
from orchestration.dbt.project import DBT, load_manifest
from orchestration.dbt_assets import BUILD_ALL, BUILD_ON_BASE
from sample_company.export import FIRST_DATE
from storage.data_folder import marts_file, warehouse_file
from storage.engine import MEMORY_VARIABLE

Figures = dict[str, Any]

_PYTHON = sys.executable
# A night runs its models several at once; CPU of a statement is known only where one runs at a time.
_ONE_AT_A_TIME = ("--threads", "1")
# Models whose night takes less say nothing about rows: they are made of fixed costs.
_SECONDS_THAT_COUNT = 0.1
# Of the many models that take less nothing is kept.
_SECONDS_TO_TELL = 0.005
_SIXTY, _WEEK = 60, 7
_SMALL = 500
_EARLIER = date(2025, 7, 5)
"""Start of a company with twice the history of the sample company."""


def nights(bench: Bench, size: str) -> Figures:
    """Whole nights: the first one, and the next on its version."""
    sample = bench.sample(size)
    first, night = [sample.first_night()], []
    for pair in range(bench.pairs):
        if pair:
            with sample.at(DELIVERED):
                first.append(sample.journeymart("run", "--as-of", f"{FIRST_DATE}"))
        with sample.at(PUBLISHED):
            night.append(sample.journeymart("run"))
            grown = _grown(sample)
    return {"first": _costs(first), "night": _costs(night), **grown}


def statements(bench: Bench, size: str) -> Figures:
    """A night's dbt alone, a model at a time; a build anew of the same rows; and the heavy tables by hand."""
    sample = bench.sample(size)
    model_groups = groups(load_manifest(sample.settings))
    runs = []
    for _ in range(bench.pairs):
        with tempfile.TemporaryDirectory(dir=sample.root) as scratch:
            anew = Path(scratch) / "anew"
            with sample.at(HANDED_OVER):
                full = _recorded(sample, (*BUILD_ALL, "--full-refresh"))
                by_hand = Path(scratch) / "by hand.json"
                sample.on_build(_PYTHON, str(PROJECT / "bench" / "peers" / "hand_tuned.py"), str(by_hand))
                sample.folder.build.rename(anew)
            with sample.at(HANDED_OVER):
                night = _recorded(sample, BUILD_ON_BASE)
                derived = night["derived"]
                differing = {
                    table: sum(rows) for table, rows in lacking_rows(sample.folder.build, anew).items() if any(rows)
                }
                counted = [name for name in derived if night["models"].get(name, 0) >= _SECONDS_THAT_COUNT]
                before = sample.root / HANDED_OVER / "build"
                changed = {name: max(rows) for name, rows in lacking_rows(sample.folder.build, before, counted).items()}
            runs.append(
                {
                    "full": _without_rows(full),
                    "night": _without_rows(night),
                    "by_hand": json.loads(by_hand.read_text()),
                    "rows": {n: {"derived": derived[n], "changed": rows} for n, rows in changed.items()},
                    "differing_rows": differing,
                }
            )
    return {"runs": runs, "groups": {short: sorted(models) for short, models in model_groups.items()}}


def stock(bench: Bench, size: str) -> Figures:
    """A whole night, the dbt build inside it bare, and the same build the stock way of Dagster."""
    sample = bench.sample(size)
    night, bare, stock_way = [], [], []
    dagster = [_PYTHON, "-m", "dagster", "job", "execute", "-m", "bench.peers.stock_dagster", "-j", "stock"]
    # It starts dbt in the folder of the project; what dbt keeps of a parsed project depends on where the files lie.
    build = sample.folder.build
    absolute = {"JOURNEYMART_WAREHOUSE": str(warehouse_file(build)), "JOURNEYMART_MARTS": str(marts_file(build))}
    sample.measured(*DBT, "parse", "--target-path", str(sample.settings.dbt_project / "target"), **absolute)
    for _ in range(bench.pairs):
        with sample.at(PUBLISHED):
            night.append(sample.journeymart("run"))
        with sample.at(HANDED_OVER):
            bare.append(sample.on_build(*DBT, *BUILD_ON_BASE))
        with sample.at(HANDED_OVER), tempfile.TemporaryDirectory() as home:
            stock_way.append(sample.on_build(*dagster, **absolute, DAGSTER_HOME=home))
    return {"night": _costs(night), "bare": _costs(bare), "stock": _costs(stock_way)}


def memory(bench: Bench, size: str) -> Figures:
    """A build anew by dbt alone, with much memory and with little."""
    sample = bench.sample(size)
    found: Figures = {}
    for said in ("5GB", "1GB"):
        with sample.at(HANDED_OVER):
            found[said] = _without_rows(_recorded(sample, (*BUILD_ALL, "--full-refresh"), **{MEMORY_VARIABLE: said}))
    return found


def first_night_within(bench: Bench, size: str) -> Figures:
    """The first night, as it comes and told to take 2 GB in each process."""
    sample = bench.sample(size)
    with sample.at(DELIVERED):
        small = sample.journeymart("run", "--as-of", f"{FIRST_DATE}", said={MEMORY_VARIABLE: "2GB"})
    return {"default": asdict(sample.first_night()), "2GB": asdict(small)}


def sixty_nights(bench: Bench, size: str | None = None) -> Figures:
    """Sixty nights of a small company: seven after the first, and seven of the last, on the same days of the week."""
    first = FIRST_DATE
    company = bench.installation("sixty nights")
    shutil.rmtree(company.root, ignore_errors=True)
    company = bench.installation("sixty nights")
    company.journeymart("sample", "--customers", f"{_SMALL}", "--days", f"{_SIXTY}")

    def measured(numbers: range) -> list[Cost]:
        return [company.journeymart("run", "--as-of", f"{first + timedelta(days=number)}") for number in numbers]

    company.journeymart("run", "--as-of", f"{first}")
    early = measured(range(1, 1 + _WEEK))
    late_from = 1 + _WEEK * ((_SIXTY - 1) // _WEEK - 1)
    company.journeymart("run", "--night-by-night", "--as-of", f"{first + timedelta(days=late_from - 1)}")
    late = measured(range(late_from, late_from + _WEEK))
    shutil.rmtree(company.root)
    return {"early": _costs(early), "late": _costs(late), "nights": [1, late_from]}


def twice_the_history(bench: Bench, size: str | None = None) -> Figures:
    """The same night of two companies, of which one has twice the history."""
    from sample_company.company import Company
    from sample_company.export import write_extracts

    found: Figures = {}
    first = FIRST_DATE
    for name, start in (("once", Company.start), ("twice", _EARLIER)):
        company = bench.installation(f"history {name}")
        whose = Company(customers=SIZES["S"], start=start)
        deliver = partial(write_extracts, whose, company.settings.data / "drop", first, first + timedelta(days=1))
        company.prepare(deliver, first)
        costs = []
        for _ in range(bench.pairs):
            with company.at(PUBLISHED):
                costs.append(company.journeymart("run"))
                grown = _grown(company)
        found[name] = {"night": _costs(costs), **grown}
    return found


def tickets_alone(bench: Bench, size: str | None = None) -> Figures:
    """A hundred thousand tickets and nothing else: nights, and a plain script of pandas over the same files."""
    home = bench.root / "tickets company"
    tickets.make_company(home)
    company = bench.installation("tickets", home)
    company.prepare(lambda: tickets.deliver(company.settings.data / "drop"), tickets.FIRST)
    script = [_PYTHON, str(PROJECT / "bench" / "peers" / "pandas_tickets.py")]
    first, night, pandas = [company.first_night()], [], []
    for pair in range(bench.pairs):
        if pair:
            with company.at(DELIVERED):
                first.append(company.journeymart("run", "--as-of", f"{tickets.FIRST}"))
        with company.at(PUBLISHED), tempfile.TemporaryDirectory() as scratch:
            out = Path(scratch) / "figures.csv"
            night.append(company.journeymart("run"))
            pandas.append(company.measured(*script, str(company.settings.data / "drop" / "desk"), str(out)))
            differing = _days_that_differ(pd.read_csv(out), company)
    # Where it goes, model by model.
    profile = {}
    for name, arguments in (("first", (*BUILD_ALL, "--full-refresh")), ("night", BUILD_ON_BASE)):
        with company.at(HANDED_OVER):
            profile[name] = _without_rows(_recorded(company, arguments))
    costs = {"first": _costs(first), "night": _costs(night), "pandas": _costs(pandas)}
    return {**costs, "differing_days": differing, "profile": profile}


def random_histories(bench: Bench, size: str | None = None) -> Figures:
    """The long campaign of random histories: nights in any order against one rebuild, row for row."""
    campaign = ("tests/integration", "tests/e2e/test_random_nights.py", "-m", "chaos", "-q", "-rA", "--tb=line")
    done = subprocess.run(
        [_PYTHON, "-m", "pytest", *campaign],
        cwd=PROJECT,
        env=bench.installation("state").environment(JOURNEYMART_CHAOS="long"),
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()
    return {
        "passed": sum(line.startswith("PASSED") for line in said),
        "failed": [line for line in said if line.startswith(("FAILED", "ERROR"))],
    }


@dataclass(frozen=True)
class Measurement:
    """A measurement, and the sizes it is taken at; none: it has a company of its own."""

    take: Callable[..., Figures]
    sizes: tuple[str, ...] = ()


MEASUREMENTS: Mapping[str, Measurement] = {
    "nights": Measurement(nights, ("S", "M", "L")),
    "statements": Measurement(statements, ("S", "M", "L")),
    "stock": Measurement(stock, ("S", "M")),
    "memory": Measurement(memory, ("M",)),
    "first night within": Measurement(first_night_within, ("L",)),
    "sixty nights": Measurement(sixty_nights),
    "twice the history": Measurement(twice_the_history),
    "tickets alone": Measurement(tickets_alone),
    "pulls": Measurement(pulls),
    "random histories": Measurement(random_histories),
}


def _costs(costs: Sequence[Cost]) -> list[dict[str, float]]:
    return [asdict(cost) for cost in costs]


def _recorded(sample: Installation, arguments: Sequence[str], **said: str) -> Figures:
    """What dbt's statements cost, and the process they ran in."""
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "record.jsonl"
        program = [_PYTHON, str(PROJECT / "bench" / "recorded_dbt.py"), str(record)]
        cost = sample.on_build(*program, *arguments, *_ONE_AT_A_TIME, **said)
        lines = read_record(record)
    loop, node = worst_nested_loop(lines)
    seconds = seconds_of_models(lines)
    return {
        "sql_seconds": sql_seconds(lines),
        "models": {name: taken for name, taken in seconds.items() if taken >= _SECONDS_TO_TELL},
        "derived": rows_derived(lines),
        "nested_loop": {"ratio": loop, "node": node},
        "cost": asdict(cost),
    }


def _without_rows(recorded: Figures) -> Figures:
    return {name: figure for name, figure in recorded.items() if name != "derived"}


def _grown(installation: Installation) -> Figures:
    """How much the current version holds: rows it was built from and published, bytes on disk."""
    from assets.versions.versions import current_version

    version = current_version(installation.folder)
    if version is None:
        raise RuntimeError("a night ended well and published nothing")
    batches = version.manifest.batches
    newest = max(batch.extract_date for batch in batches)
    return {
        "rows": sum(batch.rows for batch in batches),
        "new_rows": sum(batch.rows for batch in batches if batch.extract_date == newest),
        "version_bytes": _bytes_below(version.path),
        "data_bytes": _bytes_below(installation.folder.root),
    }


def _bytes_below(folder: Path) -> int:
    """Bytes of the files in a folder; a file that lies there under several names counts once."""
    files = {(stat.st_dev, stat.st_ino): stat.st_size for path in folder.rglob("*") if (stat := path.lstat())}
    return sum(files.values())


def _days_that_differ(theirs: pd.DataFrame, company: Installation) -> int:
    """Days on which the script and the marts tell other numbers of created and of open tickets."""
    with duckdb.connect(str(marts_file(company.folder.current)), read_only=True) as connection:
        connection.register("theirs", theirs)
        ((days,),) = connection.execute(
            """
            with ours as (
                select
                    cast(date_day as varchar) as day,
                    max(value) filter (kpi = 'tickets_created') as created,
                    max(value) filter (kpi = 'backlog') as backlog
                from mart_kpi_daily
                where dimension = 'all' and period = 'day' and kpi in ('tickets_created', 'backlog')
                group by date_day
            )
            select count(*) from ours full join theirs using (day)
            where (ours.created, ours.backlog) is distinct from (theirs.created, theirs.backlog)
            """
        ).fetchall()
    return int(days)
