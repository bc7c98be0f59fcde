"""Figures of closed months: kept once when a month closes, compared every night, replaced by a person's word alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.audit.closed_months import ClosedMonths, compare_closed_months
from assets.closed_months.changes import newest_closed_day
from assets.closed_months.kept import changes_since_closing, close_months, month_files, restate, restatements
from assets.versions.contents import literal
from assets.versions.versions import Version
from storage.data_folder import DataFolder, marts_file
from storage.errors import JourneymartError
from tests.unit.test_versions import manifest

AFTER_DAYS = 14
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
NOW = datetime(2026, 7, 20, 9, tzinfo=UTC)
COLUMNS = (
    "kpi varchar, date_day date, period varchar, dimension varchar, member varchar, numerator double, "
    "denominator double, value double, n bigint, is_suppressed boolean"
)


def figure(kpi: str, day: str, value: float | None, n: int | None, member: str = "all") -> str:
    """A row of mart_kpi_daily; a figure without value is hidden."""
    dimension = "all" if member == "all" else "channel"
    said = [f"{number}" if number is not None else "null" for number in (value, n, value, n)]
    hidden = str(value is None).lower()
    return f"('{kpi}', date '{day}', 'month', '{dimension}', '{member}', {', '.join(said)}, {hidden})"


CLOSED = (
    figure("csat", "2026-05-31", 70, 100),
    figure("csat", "2026-05-31", 80, 40, "email"),
    figure("csat", "2026-05-31", None, None, "phone"),
    figure("nps", "2026-05-31", 30, 50),
    figure("csat", "2026-06-30", 71, 90),
)


def version(folder: DataFolder, as_of: date, *figures: str) -> Version:
    """A version that shows these figures."""
    path = folder.versions / f"{as_of}-{len(list(folder.versions.glob('*')))}"
    marts_file(path).parent.mkdir(parents=True)
    with duckdb.connect(marts_file(path)) as connection:
        connection.execute(f"create table mart_kpi_daily ({COLUMNS})")
        connection.execute(f"insert into mart_kpi_daily values {', '.join(figures)}")
        connection.execute("create table dim_kpi as select distinct kpi from mart_kpi_daily")
    return Version(path.name, path, replace(manifest(1, set()), as_of=as_of))


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "Anna's data")


def words(folder: DataFolder, shown: Version) -> dict[str, str]:
    return {change.where: change.words for change in changes_since_closing(folder, shown, AFTER_DAYS)}


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 366))
def test_a_month_is_closed_when_so_many_days_have_passed_since_its_end(as_of: date, after_days: int) -> None:
    closed = newest_closed_day(as_of, after_days)
    following = (closed + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    assert (closed + timedelta(days=1)).day == 1
    assert closed + timedelta(days=after_days) <= as_of < following + timedelta(days=after_days)


@pytest.mark.promise("closed")
def test_a_month_is_kept_once_when_it_closes_and_no_later_version_changes_it(folder: DataFolder) -> None:
    assert close_months(folder, version(folder, date(2026, 7, 13), *CLOSED), AFTER_DAYS) == 1
    (may,) = month_files(folder)
    assert (may.name, may.stat().st_mode & 0o777) == ("2026-05.parquet", 0o600)
    before = may.read_bytes()
    moved = (figure("csat", "2026-05-31", 60, 101), *CLOSED[1:])
    assert close_months(folder, version(folder, date(2026, 7, 14), *moved), AFTER_DAYS) == 1
    assert [path.name for path in month_files(folder)] == ["2026-05.parquet", "2026-06.parquet"]
    assert may.read_bytes() == before
    assert close_months(folder, version(folder, date(2026, 7, 15), *moved), AFTER_DAYS) == 0


@pytest.mark.promise("closed")
def test_what_changed_is_said_with_the_records_behind_it(folder: DataFolder) -> None:
    close_months(folder, version(folder, date(2026, 7, 14), *CLOSED), AFTER_DAYS)
    assert words(folder, version(folder, date(2026, 7, 15), *CLOSED)) == {}
    moved = (
        figure("csat", "2026-05-31", 69.5, 102),
        figure("csat", "2026-05-31", None, None, "email"),
        figure("csat", "2026-05-31", 50, 6, "phone"),
        figure("csat", "2026-05-31", 10, 9, "chat"),
        figure("csat", "2026-06-30", 71 + 1e-12, 90),
    )
    # A KPI that nobody defines any more says nothing of the past; one that is new is none of the figures of then.
    shown = version(folder, date(2026, 7, 15), *moved, figure("effort", "2026-05-31", 3, 30))
    assert words(folder, shown) == {
        "csat of 2026-05": "70 of 100 records before, 69.5 of 102 records now",
        "csat of 2026-05, channel chat": "none before, 10 of 9 records now",
        "csat of 2026-05, channel email": "80 of 40 records before, hidden now",
        "csat of 2026-05, channel phone": "hidden before, 50 of 6 records now",
    }
    assert close_months(folder, shown, AFTER_DAYS) == 1, "the new KPI is kept from now on"
    assert len(words(folder, shown)) == 4


def test_a_night_dated_before_the_close_is_compared_with_what_was_closed_by_then(folder: DataFolder) -> None:
    close_months(folder, version(folder, date(2026, 7, 14), *CLOSED), AFTER_DAYS)
    early = version(folder, date(2026, 6, 29), *CLOSED[:4])
    assert words(folder, early) == {}


@pytest.mark.promise("closed")
def test_a_person_takes_what_changed_of_a_month_or_of_one_kpi_and_that_is_on_record(folder: DataFolder) -> None:
    close_months(folder, version(folder, date(2026, 7, 14), *CLOSED), AFTER_DAYS)
    moved = (figure("csat", "2026-05-31", 69, 102), *CLOSED[1:3], figure("nps", "2026-05-31", 20, 51), CLOSED[4])
    shown = version(folder, date(2026, 7, 15), *moved)
    approval = {"by": "anna", "at": NOW, "because": "late answers of the fair"}

    restate(folder, shown, AFTER_DAYS, MAY, is_meant=lambda change: change.kpi == "csat", **approval)
    assert words(folder, shown) == {"nps of 2026-05": "30 of 50 records before, 20 of 51 records now"}
    with pytest.raises(JourneymartError, match="No such figure of 2026-05 is other than it was closed with"):
        restate(folder, shown, AFTER_DAYS, MAY, is_meant=lambda change: change.kpi == "csat", **approval)
    with pytest.raises(JourneymartError, match="No such figure of 2026-06"):
        restate(folder, shown, AFTER_DAYS, JUNE, is_meant=lambda _: True, **approval)
    later = approval | {"at": NOW + timedelta(minutes=1)}
    restate(folder, shown, AFTER_DAYS, MAY, is_meant=lambda _: True, **later)
    assert words(folder, shown) == {}
    assert [said.sentence for said in restatements(folder)] == [
        f"anna approved 1 figures of 2026-05 ({kpi}) as version {shown.id} shows them, on 2026-07-20: "
        "late answers of the fair"
        for kpi in ("csat", "nps")
    ]
    assert words(folder, version(folder, date(2026, 7, 16), *CLOSED)) != {}, "what changes again is told again"


@pytest.mark.promise("closed")
def test_a_figure_that_is_gone_may_be_approved_and_is_told_no_more(folder: DataFolder) -> None:
    """As when everybody whose answers it was made of was erased."""
    close_months(folder, version(folder, date(2026, 7, 14), *CLOSED), AFTER_DAYS)
    gone = [row for row in CLOSED if "'nps'" not in row]
    shown = version(folder, date(2026, 7, 15), *gone, figure("nps", "2026-07-31", 1, 9))
    assert words(folder, shown) == {"nps of 2026-05": "30 of 50 records before, none now"}
    said = restate(
        folder, shown, AFTER_DAYS, MAY, is_meant=lambda change: change.kpi == "nps", by="ann", at=NOW, because="erased"
    )
    assert (said.kpis, said.figures) == (("nps",), 1)
    assert words(folder, shown) == {}


@pytest.mark.promise("closed")
def test_the_audit_warns_and_never_blocks(folder: DataFolder) -> None:
    close_months(folder, version(folder, date(2026, 7, 14), *CLOSED), AFTER_DAYS)
    shown = version(folder, date(2026, 7, 15), figure("csat", "2026-05-31", 69, 102), *CLOSED[1:])
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(marts_file(shown.path)))} as marts (read_only)")
        connection.execute("attach ':memory:' as warehouse; create schema warehouse.night")
        connection.execute("create table warehouse.night.night as select date '2026-07-15' as as_of")
        found = compare_closed_months(connection, ClosedMonths(folder, AFTER_DAYS))
        assert compare_closed_months(connection, None).outcome == "pass"
    assert (found.outcome, found.detail["figures that changed"]) == ("warn", 1)
    assert "csat of 2026-05: 70 of 100 records before, 69 of 102 records now" in found.sentence


def test_a_file_that_holds_no_figures_stops_the_night_with_what_to_do(folder: DataFolder) -> None:
    shown = version(folder, date(2026, 7, 14), *CLOSED)
    close_months(folder, shown, AFTER_DAYS)
    month_files(folder)[0].write_bytes(b"PAR1 no more")
    with pytest.raises(JourneymartError, match="does not hold the figures of a closed month"):
        changes_since_closing(folder, shown, AFTER_DAYS)
