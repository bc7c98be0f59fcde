"""Whatever of landed and accepted extracts is damaged is said, and made again where that is possible.

The states are named in STATES; each is made in a copy of a data folder into which two dates of an increment and of a
dump were landed and judged once. A night is here its dates, landing and the gate. Not here: damage of versions
(test_damaged_versions.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from assets.landing.land import land_many
from assets.versions.manifest import Batch
from orchestration.cli import app as cli
from orchestration.config.settings import Settings
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.extract_assets import to_judge
from orchestration.operations.damaged_extracts import ASIDE
from orchestration.operations.mend import damages, mend, mend_before_a_night
from orchestration.operations.plan_night import outstanding_dates
from quality.contract.model import load_contract
from quality.gate.accepted import accepted_batches
from quality.gate.gate import Gate
from storage.errors import JourneymartError
from tests.integration.test_damaged_versions import delete, flip, folder_in_its_place, truncate
from tests.small_night import SmallNight
from tests.small_night import run as publish_small_night

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
COMPANY = """\
company: Damage
reporting_timezone: UTC
currency: EUR
first_date: 2026-03-01
sources:
  shop:
    system: canonical
    location: "{data}/drop"
    pattern: "{stream}_{date}.csv"
    timezone: UTC
    complete: rename
    when_missing: block
    streams:
      order:
      agent: {mode: full}
"""


@dataclass(frozen=True)
class State:
    """One state: the file of which extract, what is done to it, and what is said.

    Attributes:
        file: Path in the data folder.
        do: What happens to it.
        said: What everybody says of it; None: nothing, and it is made again all the same.
    """

    file: str
    do: Callable[[Path], None]
    said: str | None


STATES = {
    "landed rows flipped": State("landing/shop/agent/2026-03-02/rows.parquet", flip, "rows.parquet holds other bytes"),
    "landed rows truncated": State("landing/shop/order/2026-03-01/rows.parquet", truncate, "rows.parquet has"),
    "landed rows deleted": State("landing/shop/order/2026-03-02/rows.parquet", delete, "rows.parquet is missing"),
    "landed changes deleted": State("landing/shop/agent/2026-03-02/changes.parquet", delete, "changes.parquet is"),
    "landed rows a folder": State("landing/shop/order/2026-03-02/rows.parquet", folder_in_its_place, "is no file"),
    "delivered file truncated": State(
        "landing/shop/order/2026-03-02/files/order_2026-03-02.csv", truncate, "files/order_2026-03-02.csv has"
    ),
    "landing manifest flipped": State(
        "landing/shop/order/2026-03-01/manifest.json", flip, "manifest.json is missing or not as it was written"
    ),
    "landing manifest deleted": State(
        "landing/shop/agent/2026-03-01/manifest.json", delete, "manifest.json is missing or not as it was written"
    ),
    "landing manifest a folder": State(
        "landing/shop/agent/2026-03-02/manifest.json", folder_in_its_place, "manifest.json is missing or not as it was"
    ),
    "landed extract deleted": State("landing/shop/order/2026-03-02", delete, None),
    "accepted rows flipped": State("accepted/shop/order/2026-03-02/rows.parquet", flip, "rows.parquet holds"),
    "accepted rows truncated": State("accepted/shop/agent/2026-03-01/rows.parquet", truncate, "rows.parquet has"),
    "accepted rows deleted": State("accepted/shop/order/2026-03-01/rows.parquet", delete, "rows.parquet is missing"),
    "batch flipped": State(
        "accepted/shop/order/2026-03-02/batch.json", flip, "batch.json is missing or not as it was written"
    ),
    "batch deleted": State(
        "accepted/shop/order/2026-03-02/batch.json", delete, "batch.json is missing or not as it was written"
    ),
    "profile truncated": State("accepted/shop/order/2026-03-02/profile.json", truncate, "profile.json has"),
    "accepted extract deleted": State("accepted/shop/agent/2026-03-02", delete, None),
}


def read_setup(root: Path) -> Setup:
    settings = Settings(data=root / "data", state=root / "state", sources=root / "company.yml")
    return Setup(settings, load_sources(root / "company.yml", settings.data))


def night(setup: Setup) -> None:
    """What a night does before it builds."""
    days = outstanding_dates(setup, SECOND)
    for stream in setup.sources.streams:
        land_many(stream, load_contract(stream.stream.system, stream.stream.stream), setup.folder, days)
    with Gate(setup.folder, None) as gate:
        for extracts in to_judge(setup, setup.sources.streams, SECOND).values():
            assert all(verdict.passed for verdict in gate.judge(extracts))


def batches(setup: Setup) -> list[str]:
    return [batch.batch_id for batch in accepted_batches(setup.folder)]


def drop(setup: Setup) -> Path:
    return setup.folder.root / "drop"


def deliver(setup: Setup, name: str, header: str, lines: list[str]) -> None:
    (drop(setup) / name).write_text("\n".join([header, *lines]), encoding="utf-8")


@dataclass(frozen=True)
class HoldingAll(SmallNight):
    """A small night that is built from all that was accepted."""

    accepted: tuple[Batch, ...] = ()

    @property
    def batches(self) -> tuple[Batch, ...]:
        return self.accepted


def publish(setup: Setup) -> None:
    """Publish a version as of the second date that holds every accepted batch."""
    held = tuple(
        Batch(each.batch_id, each.source, each.system, each.stream, each.extract_date, each.rows, each.judgement)
        for each in accepted_batches(setup.folder)
    )
    number = (SECOND - date(2026, 1, 1)).days
    publish_small_night(setup.folder, HoldingAll(number, setup.fingerprint, rows=20, accepted=held))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dates of two streams, landed and accepted, which nobody changes."""
    root = tmp_path_factory.mktemp("judged")
    (root / "company.yml").write_text(COMPANY, encoding="utf-8")
    setup = read_setup(root)
    drop(setup).mkdir(parents=True)
    for number, day in enumerate((FIRST, SECOND), start=1):
        orders = [f"o{number}{n},c{n},placed,{n}.50,{day}T10:00:00Z,{day}T10:00:00Z" for n in range(1, 30)]
        agents = [f"a{n},Agent {n},{FIRST}T08:00:00Z" for n in range(1, 20 + number)]
        deliver(setup, f"order_{day}.csv", "order_id,contact_id,status,payment_amount,ordered_at,updated_at", orders)
        deliver(setup, f"agent_{day}.csv", "agent_id,name,updated_at", agents)
    night(setup)
    assert len(batches(setup)) == 4
    return root


@pytest.fixture
def setup(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A copy, which commands find."""
    root = Path(shutil.copytree(judged, tmp_path / "copy"))
    monkeypatch.setenv("JOURNEYMART_DATA", str(root / "data"))
    monkeypatch.setenv("JOURNEYMART_STATE", str(root / "state"))
    monkeypatch.setenv("JOURNEYMART_SOURCES", str(root / "company.yml"))
    monkeypatch.delenv("JOURNEYMART_COMPANY", raising=False)
    # By what a version was built is not what is damaged here, and takes a second to read.
    monkeypatch.setattr(Setup, "fingerprint", "f" * 64)
    return read_setup(root)


@pytest.mark.promise("damage")
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_what_is_damaged_is_said_and_made_again_as_it_was(setup, state, capsys):
    before = batches(setup)
    state.do(setup.folder.root / state.file)
    said = damages(setup)
    assert [state.said in sentence for sentence in said] == ([True] if state.said else [])
    assert cli.command_line(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["damaged"] == list(said)

    assert mend_before_a_night(setup) == said
    night(setup)
    assert batches(setup) == before
    assert damages(setup, every=True) == ()
    mend(setup)
    assert list(setup.folder.root.glob(f"*/*/*/{ASIDE}*")) == []


@pytest.mark.promise("damage")
def test_where_landing_and_what_was_accepted_are_damaged_both_are_made_again(setup):
    before = batches(setup)
    flip(setup.folder.root / "accepted/shop/order/2026-03-01/batch.json")
    truncate(setup.folder.root / "landing/shop/order/2026-03-01/rows.parquet")
    assert [sentence.rsplit(": ")[-1] for sentence in mend_before_a_night(setup)] == [
        "`journeymart run` judges again what landed.",
        "`journeymart run` lands it again.",
    ]
    night(setup)
    assert batches(setup) == before


@pytest.mark.promise("damage")
def test_what_was_published_is_due_again_where_it_is_damaged(setup):
    publish(setup)
    assert outstanding_dates(setup, SECOND) == []
    truncate(setup.folder.root / "landing/shop/order/2026-03-01/rows.parquet")
    mend_before_a_night(setup)
    assert outstanding_dates(setup, SECOND) == [FIRST, SECOND]
    night(setup)
    assert outstanding_dates(setup, SECOND) == []


@pytest.mark.promise("damage")
def test_bytes_of_what_the_next_night_does_not_read_are_read_by_doctor_alone(setup):
    publish(setup)
    flip(setup.folder.root / "accepted/shop/order/2026-03-01/rows.parquet")
    flip(setup.folder.root / "landing/shop/agent/2026-03-01/rows.parquet")
    assert damages(setup) == ()
    assert [sentence.split(" is damaged")[0] for sentence in damages(setup, every=True)] == [
        "The landed extract of shop/agent for 2026-03-01",
        "The accepted extract of shop/order for 2026-03-01",
    ]


@pytest.mark.promise("damage")
@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["landing/shop/agent/2026-03-02/rows.parquet"], "shop/agent for 2026-03-02"),
        (
            ["landing/shop/order/2026-03-01/rows.parquet", "accepted/shop/order/2026-03-01/rows.parquet"],
            "shop/order for 2026-03-01",
        ),
    ],
    ids=["the newest dump", "an extract no version holds"],
)
def test_what_nobody_can_make_again_stops_the_night_with_what_to_deliver(setup, files, named):
    """The next dump would be compared with a damaged one; rows that no version holds are nowhere else."""
    for file in drop(setup).iterdir():
        file.unlink()
    for file in files:
        flip(setup.folder.root / file)
    with pytest.raises(JourneymartError, match=rf"{named} is damaged .* deliver the extract of that date to .*drop"):
        mend_before_a_night(setup)
    assert len(batches(setup)) == 4


@pytest.mark.promise("damage")
def test_what_landed_and_was_accepted_since_is_said_and_stops_nothing(setup):
    for file in drop(setup).iterdir():
        file.unlink()
    truncate(setup.folder.root / "landing/shop/order/2026-03-01/rows.parquet")
    (said,) = mend_before_a_night(setup)
    assert "deliver the extract of that date" in said
    assert list(setup.folder.root.glob(f"*/*/*/{ASIDE}*")) == []


@pytest.mark.promise("damage")
def test_descriptions_of_older_releases_are_believed_and_their_accepted_rows_known_by_the_batch(setup):
    root = setup.folder.root
    for path in (*root.glob("landing/*/*/*/manifest.json"), *root.glob("accepted/*/*/*/batch.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({name: value for name, value in said.items() if name not in {"holds", "sealed"}}))
    assert damages(setup, every=True) == ()
    flip(setup.folder.root / "accepted/shop/order/2026-03-01/rows.parquet")
    assert len(damages(setup)) == 1
