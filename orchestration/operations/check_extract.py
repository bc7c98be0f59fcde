"""What a night would make of a file, of a stream's newest delivery or of all deliveries, without a night.

What lives here: which delivery is meant, as which stream, with which past, and what KPIs make of all of it together.
Not here: looking at a delivery (assets/inspect), printing (orchestration/cli/check.py).

Nothing of the installation changes: deliveries land and are judged in a temporary folder, which only its owner can
read.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.operations.check_looked_up import land_looked_up, with_landed
from orchestration.operations.days_over import last_day_over_everywhere
from orchestration.operations.meant import (
    WrongUsageError,
    contract_of,
    day_in,
    declared_stream,
    named_contract,
    stream_of_company,
)
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.inspect.columns import Fit
    from assets.inspect.delivery import CheckedDelivery
    from assets.inspect.kpi_outlook import Outlook
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup
    from quality.contract.model import Contract

# What a file is called that no company file names.
_SOURCE = "file"
# Files beside accepted rows that tell what an extract looked like.
_OF_THE_PAST = ("profile.json", "batch.json")


@dataclass(frozen=True)
class Checked:
    """What was found out.

    Attributes:
        deliveries: Each delivery that was looked at.
        chosen: How the stream of a file was told, in words; empty: it was named.
        not_delivered: Streams of which nothing lies in the drop folder.
        kpis: What KPIs make of it.
        of_all: The deliveries are those of a whole company, so that a KPI without records lacks something.
    """

    deliveries: tuple[CheckedDelivery, ...]
    kpis: tuple[Outlook, ...]
    chosen: str = ""
    not_delivered: tuple[str, ...] = ()
    of_all: bool = False

    @property
    def would_block(self) -> bool:
        """Whether a night would stop at any of them as things are declared."""
        return any(not each.as_declared.passes for each in self.deliveries)


def check_file(file: Path, named: str | None, day: date | None, setup: Setup | None) -> Checked:
    """Look at a file.

    Args:
        file: The file.
        named: As which stream: `ticket`, `zendesk/tickets`, or a source's of the company; None: its columns tell.
        day: Which day's extract; None: its name tells, else the last day that is over.
        setup: The company, if one is named.

    Raises:
        WrongUsageError: There is no such file or stream, or its columns fit none, or several.
        JourneymartError: It cannot be taken.
    """
    from assets.inspect.delivery import check_delivery

    path = file.expanduser().resolve()
    if not path.is_file():
        raise WrongUsageError(f"{file} is no file: name one, or a stream of the company as source/stream.")
    with _workspace() as work:
        declared = declared_stream(setup, named)
        chosen = ""
        if declared is not None:
            contract = contract_of(declared)
        elif named is not None:
            contract = named_contract(named)
        else:
            fits = _fits(path)
            contract, chosen = _clear(fits, file), _why(fits)
        day = day or day_in(path.name) or last_day_over_everywhere()
        stream = _stream_of(path, work, contract, day, declared)
        landed, notes = _looked_up(setup, stream, day, work)
        beside = partial(_with_looked_up, landed)
        checked, folder = check_delivery(stream, contract, day, file=path, work=work, make_folder=beside)
        checked = replace(checked, notes=(*notes, *checked.notes))
        return Checked((checked,), tuple(_outlooks(setup, {stream: [folder]})), chosen)


def check_stream(setup: Setup, name: str) -> Checked:
    """Look at the newest delivery of a stream of the company, as it is declared.

    Of a stream that is pulled, and was not yet, the first page is asked for.

    Raises:
        WrongUsageError: There is no such stream.
        JourneymartError: Nothing of it is delivered, or it cannot be pulled.
    """
    stream = stream_of_company(setup, name)
    with _workspace() as work:
        found = _check_newest(setup, stream, work) or _check_first_page(setup, stream, work)
        if found is None:
            raise JourneymartError(
                f"Nothing of {name} lies in {stream.location}: deliver it, or look at a file with "
                f"`journeymart check FILE --as {name}`."
            )
        checked, folder = found
        return Checked((checked,), tuple(_outlooks(setup, {stream: [folder]})))


def check_all(setup: Setup) -> Checked:
    """Look at the newest delivery of every stream, and at what KPIs make of all that was ever accepted with them."""
    deliveries, lacking, folders = [], [], {}
    with _workspace() as work:
        for stream in setup.sources.streams:
            found = _check_newest(setup, stream, work / stream.stream.source / stream.stream.stream)
            if found is None:
                lacking.append(str(stream.stream))
            else:
                deliveries.append(found[0])
                folders[stream] = [setup.folder, found[1]]
        kpis = tuple(_outlooks(setup, folders))
        return Checked(tuple(deliveries), kpis, not_delivered=tuple(lacking), of_all=True)


@contextmanager
def _workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="journeymart-check-") as folder:
        yield Path(folder)


def _fits(path: Path) -> list[Fit]:
    """The contracts that a file's columns fit, the best first."""
    from assets.inspect.columns import best_fits
    from assets.inspect.delivery import columns_of
    from assets.inspect.text_file import examine_text
    from assets.landing.connectors.config import FileFormat, FileLimits
    from assets.landing.connectors.reader import require_known_format
    from quality.contract.model import all_contracts

    require_known_format(path.name)
    known = {name for contract in all_contracts() for name in contract.columns}
    written = examine_text(path, FileFormat("utf-8", ",", 1, FileLimits()), known)
    return best_fits(columns_of(path, written.form), all_contracts(), path.name)


def _clear(fits: Sequence[Fit], file: Path) -> Contract:
    from assets.inspect.columns import is_clear

    if is_clear(fits):
        return fits[0].contract
    names = [f"{each.name} ({len(each.found)} columns)" for each in fits[:3]]
    if not names:
        raise WrongUsageError(
            f"{file.name} has no column that any stream knows: `journeymart map --suggest {file}` begins a mapping "
            "of its columns; or say which stream it is with --as, such as --as ticket."
        )
    raise WrongUsageError(f"{file.name} may be {' or '.join(names)}: say which with --as, such as --as {fits[0].name}.")


def _why(fits: Sequence[Fit]) -> str:
    best = fits[0]
    delivered = len(best.found) + len(best.unknown)
    said = f"Taken as {best.name}, because {len(best.found)} of {delivered} columns are its own"
    others = [f"{each.name} ({len(each.found)})" for each in fits[1:3]]
    return f"{said}; next best: {', '.join(others)}." if others else f"{said}."


def _stream_of(path: Path, work: Path, contract: Contract, day: date, declared: FileStream | None) -> FileStream:
    """The file as the only delivery of a stream, in a drop folder of its own."""
    from assets.landing.connectors.config import FileStream

    drop = work / "drop" / day.isoformat()
    drop.mkdir(parents=True)
    try:
        (drop / path.name).hardlink_to(path)
    except OSError:
        shutil.copyfile(path, drop / path.name)
    name = StreamId(_SOURCE, contract.system, contract.stream)
    stream = declared or FileStream(name, str(drop.parent), "", day)
    # It is there whole, and alone: what a source declares of deliveries says nothing of it.
    return replace(
        stream,
        location=str(drop.parent),
        storage_options_env=(),
        pattern=f"{{date}}/{path.name}",
        history=None,
        cursor=None,
        pull=None,
        complete="rename",
        when_missing="block",
        first_date=day,
    )


def _check_newest(setup: Setup, stream: FileStream, work: Path) -> tuple[CheckedDelivery, DataFolder] | None:
    """Look at the newest delivery of a stream; None: there is none."""
    from assets.inspect.delivery import check_delivery
    from assets.landing.connectors.drop_folder import available_dates, copy_out, find_delivery

    days = available_dates(stream)
    if not days:
        return None
    contract = contract_of(stream)
    (work / "delivered").mkdir(parents=True)
    first = find_delivery(stream, days[-1])[0]
    file = work / "delivered" / first.name
    copy_out(stream, first, file)
    landed, notes = _looked_up(setup, stream, days[-1], work)
    with_past = partial(_with_past, setup.folder, stream, days[-1], landed)
    checked, folder = check_delivery(stream, contract, days[-1], file=file, work=work, make_folder=with_past)
    return replace(checked, notes=(*notes, *checked.notes)), folder


def _check_first_page(setup: Setup, stream: FileStream, work: Path) -> tuple[CheckedDelivery, DataFolder] | None:
    """Look at the first page of a stream that is pulled; None: it is not."""
    from assets.inspect.delivery import check_delivery
    from orchestration.operations.first_page import first_page_file

    if stream.pull is None:
        return None
    file, day = first_page_file(setup, stream, work / "page")
    contract = contract_of(stream)
    landed, notes = _looked_up(setup, stream, day, work)
    alone, beside = _stream_of(file, work, contract, day, stream), partial(_with_looked_up, landed)
    checked, folder = check_delivery(alone, contract, day, file=file, work=work, make_folder=beside)
    note = "this is the first page of what is pulled; nothing of it is kept"
    return replace(checked, notes=(note, *notes, *checked.notes)), folder


def _looked_up(setup: Setup | None, stream: FileStream, day: date, work: Path) -> tuple[DataFolder, tuple[str, ...]]:
    """What a stream looks up, landed in a folder of its own, and what is to be said of it."""
    landed = DataFolder(work / "looked-up")
    return landed, tuple(land_looked_up(setup, stream, day, landed)) if setup else ()


def _with_looked_up(landed: DataFolder, root: Path) -> DataFolder:
    """A data folder that holds what a stream looks up."""
    return with_landed(landed, DataFolder(root))


def _with_past(installed: DataFolder, stream: FileStream, day: date, landed: DataFolder, root: Path) -> DataFolder:
    """A data folder that holds what a stream's next extract is held against, and what it looks up."""
    folder = _with_looked_up(landed, root)
    for mine, theirs in ((folder.approvals, installed.approvals), (root / "erasures", installed.root / "erasures")):
        if theirs.is_dir():
            shutil.copytree(theirs, mine)
    accepted = installed.accepted_partition(stream.stream, day).parent
    for past in sorted(accepted.glob("????-??-??")):
        if past.name < day.isoformat():
            target = folder.accepted_partition(stream.stream, date.fromisoformat(past.name))
            target.mkdir(parents=True)
            for name in _OF_THE_PAST:
                if (past / name).exists():
                    shutil.copyfile(past / name, target / name)
            if (past / "rows.parquet").exists():
                (target / "rows.parquet").symlink_to(past / "rows.parquet")
    own = installed.landing_partition(stream.stream, day).parent
    before = [each for each in sorted(own.glob("????-??-??")) if each.name < day.isoformat()]
    if stream.mode == "full" and before:
        target = folder.landing_partition(stream.stream, date.fromisoformat(before[-1].name))
        target.parent.mkdir(parents=True)
        target.symlink_to(before[-1], target_is_directory=True)
    return folder


def _outlooks(setup: Setup | None, folders: Mapping[FileStream, Sequence[DataFolder]]) -> list[Outlook]:
    """What KPIs make of accepted rows."""
    from assets.inspect.kpi_outlook import Kpi, Told, kpi_outlooks
    from orchestration.company.mapped_columns import mapped_columns
    from orchestration.config.settings import PROJECT
    from quality.contract.files import canonical_objects
    from storage.engine import connect

    project = setup.settings.composed_project() if setup else PROJECT / "dbt_project"
    rows: dict[str, list[Path]] = {}
    by_system: dict[str, set[str]] = {}
    for stream, places in folders.items():
        if stream.stream.system == "canonical":
            rows.setdefault(stream.stream.stream, []).extend(_accepted_rows(stream, places))
        else:
            by_system.setdefault(stream.stream.system, set()).add(stream.stream.stream)
    mapped: dict[str, frozenset[str]] = {}
    for system, streams in by_system.items():
        for name, columns in mapped_columns(project, system, streams).items():
            mapped[name] = mapped.get(name, frozenset()) | columns
    seeds = project / "seeds"
    kpis = [Kpi(row["kpi"], row["name"], row["measure"], row["counted"]) for row in _seed(seeds / "kpis.csv")]
    reasons = {row["reason"]: (row["words"], row["remedy"]) for row in _seed(seeds / "left_out_reasons.csv")}
    tables = frozenset(
        f"{file.stem}.{column}"
        for file in seeds.glob("*.csv")
        for row in _seed(file)
        for column, value in row.items()
        if value
    )
    currency = setup.sources.currency if setup else None
    questions = _seed(seeds / "survey_questions.csv")
    told = Told({name: rows.get(name, []) for name in canonical_objects()}, mapped, tables, currency, questions)
    with connect() as connection:
        return kpi_outlooks(connection, kpis, told, reasons)


def _accepted_rows(stream: FileStream, places: Sequence[DataFolder]) -> list[Path]:
    """Files of accepted rows of a stream, each date once; where several folders have one, the last one's."""
    found: dict[str, Path] = {}
    for place in places:
        home = place.accepted_partition(stream.stream, date.min).parent
        found |= {path.parent.name: path for path in sorted(home.glob("????-??-??/rows.parquet")) if path.exists()}
    return [found[day] for day in sorted(found)]


def _seed(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))
