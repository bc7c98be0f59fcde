"""The gate gates: for every kind of blocking check a real defect is landed, and nothing gets through.

Each defect is landed for an extract that was accepted before: what was accepted must stay, byte for byte.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quality.contract.model import Contract, Freshness, QuarantineBudget, Rule, Volume, load_contract
from quality.gate.check_result import CHECK_KINDS, WARNINGS
from quality.gate.gate import Gate
from quality.gate.ledger import Check, Ledger
from quality.gate.verdict import expect_extracts
from quality.landed.extract import BAD_ENCODING, Mode
from storage.errors import JourneymartError
from tests.gate_kit import DAY, Landing, Row, column, contract, metadata, outcome

VERSION = f"{DAY}T10:00:00Z"
BLOCKING = contract(
    {
        "status": column("text", allowed=("open", "solved")),
        "score": column("bigint", min=0, max=10),
        "note": column("text"),
    },
    rules=[
        Rule(
            name="solved_has_score",
            description="Solved has a score.",
            sql="status <> 'solved' or score > 0",
            on_failure="block",
        )
    ],
    volume=Volume(min_ratio=0.5, max_ratio=2),
    freshness=Freshness(column="updated_at", max_age_days=2),
    quarantine=QuarantineBudget(max_share=0.1, min_rows=2),
)


def good(number: int, **texts: str | None) -> list[str | None]:
    row: dict[str, str | None] = {
        "id": str(number),
        "status": "open",
        "score": "5",
        "note": "n",
        "updated_at": VERSION,
        **texts,
    }
    return list(row.values())


def rows(count: int, **texts: str | None) -> list[Row]:
    return [good(number, **texts) for number in range(count)]


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen nights of thirty rows, accepted, the newest of which can be landed again."""
    made = Landing(tmp_path_factory.mktemp("a fortnight"), BLOCKING)
    days = [DAY - timedelta(days=back) for back in range(14, -1, -1)]
    for day in days:
        made.land([good(n, updated_at=f"{day}T10:00:00Z") for n in range(30)], day)
    verdicts = made.judge(*map(made.extract, days))
    assert all(verdict.passed for verdict in verdicts), verdicts
    shutil.rmtree(made.extract().partition)
    return made.root


@pytest.fixture
def landing(fortnight: Path, tmp_path: Path) -> Landing:
    """A copy of the fifteen nights."""
    return Landing(Path(shutil.copytree(fortnight, tmp_path / "a copy")), BLOCKING)


def lose_a_row(landing: Landing) -> None:
    landing.land(rows(30))
    file = landing.extract().rows_file
    pq.write_table(pq.read_table(file).slice(1), file)


def double_a_row(landing: Landing) -> None:
    landing.land(rows(30))
    file = landing.extract().rows_file
    table = pq.read_table(file)
    column_of_numbers = table.column("_row").to_pylist()
    column_of_numbers[1] = column_of_numbers[0]
    pq.write_table(table.set_column(table.schema.get_field_index("_row"), "_row", [column_of_numbers]), file)


def change_a_delivered_file(landing: Landing) -> None:
    landing.land(rows(30))
    (file,) = (landing.extract().partition / "files").iterdir()
    file.write_bytes(file.read_bytes().replace(b"open", b"shut", 1))


def remove_a_delivered_file(landing: Landing) -> None:
    landing.land(rows(30))
    (file,) = (landing.extract().partition / "files").iterdir()
    file.unlink()


def smuggle_a_file_in(landing: Landing) -> None:
    landing.land(rows(30))
    (landing.extract().partition / "files" / "more.csv").write_text("id\n1\n")


def break_the_parquet(landing: Landing) -> None:
    landing.land(rows(30))
    landing.extract().rows_file.write_bytes(b"PAR1 no more")


def forget_the_manifest(landing: Landing) -> None:
    landing.land(rows(30))
    (landing.extract().partition / "manifest.json").unlink()


def without(name: str) -> Callable[[Landing], object]:
    names = [each for each in BLOCKING.columns if each != name]
    place = list(BLOCKING.columns).index(name)
    return lambda landing: landing.land(
        [[text for at, text in enumerate(row) if at != place] for row in rows(30)], columns=names
    )


DEFECTS: list[tuple[str, str, Callable[[Landing], object]]] = [
    ("completeness", "a row is lost after landing", lose_a_row),
    ("completeness", "a record is landed twice", double_a_row),
    ("completeness", "a delivered file changed", change_a_delivered_file),
    ("completeness", "a delivered file is gone", remove_a_delivered_file),
    ("completeness", "a file nobody landed", smuggle_a_file_in),
    ("completeness", "a damaged Parquet file", break_the_parquet),
    ("completeness", "no manifest", forget_the_manifest),
    ("completeness", "the sender counts other rows", lambda at: at.land(rows(30), as_declared=False)),
    (
        "completeness",
        "a record ate its neighbours",
        lambda at: at.land(rows(30), damaged=["a: unterminated"]),
    ),
    ("completeness", "a record vanished in the parser", lambda at: at.land(rows(30), records=31)),
    ("completeness", "another stream's extract", lambda at: at.land(rows(30), stream="users")),
    ("completeness", "another night's extract", lambda at: at.land(rows(30), extract_date="2026-03-09")),
    ("schema", "a required column is missing", without("updated_at")),
    ("schema", "the key is missing", without("id")),
    (
        "schema",
        "no header: the first record names the columns",
        lambda at: at.land(rows(29), columns=["1", "open", "ann@example.org", "n", VERSION]),
    ),
    (
        "schema",
        "names in another case",
        lambda at: at.land(rows(30), columns=["ID", "status", "score", "note", "updated_at"]),
    ),
    ("format", "umlauts in another encoding", lambda at: at.land(rows(300), rejects=[("M?ller", BAD_ENCODING)])),
    ("format", "a decimal comma that nobody declared", lambda at: at.land(rows(10, score="7,5"))),
    ("volume", "an empty extract where ten rows are usual", lambda at: at.land([])),
    ("volume", "a third of a night", lambda at: at.land(rows(9))),
    ("volume", "several nights at once", lambda at: at.land(rows(1100))),
    ("freshness", "last week's rows", lambda at: at.land(rows(30, updated_at="2026-03-05T10:00:00Z"))),
    ("quarantine", "too many bad dates", lambda at: at.land([*rows(22), *rows(8, updated_at="10.03.26")])),
    ("quarantine", "too many unknown values", lambda at: at.land([*rows(22), *rows(8, status="maybe")])),
    (
        "quarantine",
        "too many records nobody can read",
        lambda at: at.land(rows(22), rejects=[("ragged", "fields")] * 8),
    ),
    (
        "distribution",
        "yesterday's rows again",
        lambda at: at.land(rows(30, updated_at=f"{DAY - timedelta(days=1)}T10:00:00Z")),
    ),
    ("contract", "a rule that blocks", lambda at: at.land([*rows(29), good(29, status="solved", score="0")])),
]


@pytest.mark.promise("audited")
@pytest.mark.parametrize(("kind", "defect"), [(kind, make) for kind, _, make in DEFECTS], ids=[d[1] for d in DEFECTS])
def test_a_defect_blocks_and_what_was_accepted_stays(
    landing: Landing, kind: str, defect: Callable[[Landing], object]
) -> None:
    before = {path: path.read_bytes() for path in sorted(landing.folder.accepted.rglob("*")) if path.is_file()}
    defect(landing)
    ledger = Ledger(landing.folder.ledger("run"))
    (verdict,) = landing.judge(landing.extract(), ledger=ledger)
    assert not verdict.passed
    assert kind in verdict.blocked_by
    assert verdict.batch_id is None
    assert {path: path.read_bytes() for path in sorted(landing.folder.accepted.rglob("*")) if path.is_file()} == before
    assert Check("extract", f"helpdesk/tickets/{DAY}", kind) in ledger.verdict().blockers
    assert (landing.folder.quarantine_partition(verdict.stream, DAY) / "verdict.json").exists()


def test_every_kind_of_blocking_check_has_a_defect_that_only_it_finds(tmp_path: Path) -> None:
    assert {kind for kind, _, _ in DEFECTS} | {"deletes"} == set(CHECK_KINDS)


@pytest.mark.parametrize(
    ("kind", "defect"),
    [
        pytest.param(kind, make, id=said)
        for kind, said, make in DEFECTS
        if said
        in (
            "a third of a night",
            "last week's rows",
            "yesterday's rows again",
            "too many bad dates",
            "a rule that blocks",
        )
    ],
)
def test_a_check_blocks_by_itself(landing: Landing, kind: str, defect: Callable[[Landing], object]) -> None:
    defect(landing)
    (verdict,) = landing.judge(landing.extract())
    assert verdict.blocked_by == (kind,)


@pytest.mark.promise("audited")
def test_a_mass_deletion_blocks(tmp_path: Path) -> None:
    dump = Landing(tmp_path, contract(), mode="full")
    dump.land([["1", VERSION]], changes=[("delete", None, [str(n), None]) for n in range(2, 9)], delete_breaker=True)
    (verdict,) = dump.judge(dump.extract())
    assert verdict.blocked_by == ("deletes",)
    assert metadata(verdict, "deletes") == {"vanished": 7}
    assert not list(dump.folder.accepted.rglob("*.parquet"))


@pytest.mark.parametrize("together", [True, False], ids=["in one pass", "night by night"])
def test_changes_against_a_dump_that_was_blocked_block_too(tmp_path: Path, together: bool) -> None:
    """They lack what changed in the blocked dump; once that is accepted, they pass."""
    dump = Landing(tmp_path, contract(), mode="full")
    following = DAY + timedelta(days=1)
    blocked = dump.land([["1", VERSION]], delete_breaker=True)
    after = dump.land(
        [["1", VERSION], ["2", VERSION]], following, compared_to={"extract_date": DAY.isoformat(), "sha256": "of it"}
    )
    passes = [[blocked, after]] if together else [[blocked], [after]]
    verdicts = [verdict for extracts in passes for verdict in dump.judge(*extracts)]
    assert [verdict.blocked_by for verdict in verdicts] == [("deletes",), ("completeness",)]

    shutil.rmtree(blocked.partition)
    released = dump.land([["1", VERSION]])
    assert all(verdict.passed for verdict in dump.judge(released, after))


def test_vanished_keys_that_are_not_as_many_as_landing_says_block(tmp_path: Path) -> None:
    dump = Landing(tmp_path, contract(), mode="full")
    dump.land([["1", VERSION]], changes=[("delete", None, ["2", None])], vanished=2)
    (verdict,) = dump.judge(dump.extract())
    assert "completeness" in verdict.blocked_by


def test_an_unblocked_extract_passes_every_check(landing: Landing) -> None:
    landing.land(rows(30))
    ledger = Ledger(landing.folder.ledger("run"))
    (verdict,) = landing.judge(landing.extract(), ledger=ledger)
    assert [(check.kind, check.outcome) for check in verdict.checks] == [
        (kind, "pass") for kind in (*CHECK_KINDS, WARNINGS)
    ]
    assert ledger.verdict().may_publish
    assert ledger.verdict().expected == len(CHECK_KINDS) + 1


@pytest.mark.parametrize(("mode", "columns"), [("increment", None), ("increment", []), ("full", None)])
def test_a_quiet_day_passes_whoever_delivers(tmp_path: Path, mode: Mode, columns: list[str] | None) -> None:
    for system, stream in (("salesforce", "contact"), ("zendesk", "tickets"), ("qualtrics", "responses")):
        landing = Landing(tmp_path / system, load_contract(system, stream), mode=mode)
        landing.land([], columns=columns)
        (verdict,) = landing.judge(landing.extract())
        assert verdict.passed, (system, verdict.blocked_by)


def test_an_extract_whose_every_row_is_at_fault_leaves_nothing_to_accept(tmp_path: Path) -> None:
    landing = Landing(tmp_path, contract())
    landing.land([["1", "no time"], ["2", "no time"]])
    (verdict,) = landing.judge(landing.extract())
    assert verdict.blocked_by == ("quarantine", "contract")
    assert metadata(verdict, "contract")["rows left"] == 0
    assert len(landing.quarantined()) == 2


def raising(sql: str) -> Contract:
    rule = Rule(name="raises", description="Raises.", sql=sql, on_failure="warn")
    return contract({"note": column("text", pii="direct")}, rules=[rule])


def test_an_exception_inside_a_check_is_an_error_even_in_a_rule_that_only_warns(tmp_path: Path) -> None:
    landing = Landing(tmp_path, raising("note::bigint > 0"))
    landing.land([["1", "12", VERSION], ["2", "ann@example.org", VERSION]])
    ledger = Ledger(landing.folder.ledger("run"))
    (verdict,) = landing.judge(landing.extract(), ledger=ledger)
    assert outcome(verdict, "contract") == "error"
    assert not ledger.verdict().may_publish
    assert "ann@example.org" not in ledger.path.read_text()


def test_an_exception_over_one_extract_does_not_spoil_the_others_of_its_pass(tmp_path: Path) -> None:
    landing = Landing(tmp_path, raising("note::bigint > 0"))
    days = [DAY - timedelta(days=back) for back in (2, 1, 0)]
    for day, note in zip(days, ("1", "ann@example.org", "3"), strict=True):
        landing.land([["1", note, f"{day}T10:00:00Z"]], day)
    verdicts = landing.judge(*map(landing.extract, days))
    assert [verdict.passed for verdict in verdicts] == [True, False, True]
    assert [landing.accepted(day)[0]["note"] for day in (days[0], days[2])] == ["1", "3"]


def test_extracts_judged_in_one_pass_get_a_verdict_each(tmp_path: Path) -> None:
    landing = Landing(tmp_path, BLOCKING)
    days = [DAY - timedelta(days=back) for back in (3, 2, 1, 0)]
    broken: list[dict[str, str | None]] = [{}, {"score": "0", "status": "solved"}, {"updated_at": "?"}, {}]
    for day, texts in zip(days, broken, strict=True):
        updated_at = {"updated_at": f"{day}T10:00:00Z"}
        landing.land([*rows(9, **updated_at), good(9, **{**updated_at, **texts})], day)
    verdicts = landing.judge(*map(landing.extract, days))
    assert [verdict.blocked_by for verdict in verdicts] == [(), ("contract",), (), ()]
    assert [verdict.quarantined_rows for verdict in verdicts] == [0, 0, 1, 0]
    assert {metadata(verdict, "contract")["batches in the pass"] for verdict in verdicts} == {4}


def test_an_extract_the_night_never_judged_keeps_it_from_being_published(landing: Landing) -> None:
    landing.land(rows(30))
    ledger = Ledger(landing.folder.ledger("run"))
    later = DAY + timedelta(days=1)
    stream = landing.extract().stream
    expect_extracts(ledger, [(stream, DAY), (stream, later)])
    landing.judge(landing.extract(), ledger=ledger)
    verdict = ledger.verdict()
    assert not verdict.may_publish
    assert {check.subject for check in verdict.blockers} == {f"helpdesk/tickets/{later}"}


def test_a_gate_that_dies_while_it_writes_leaves_its_checks_missing(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.land(rows(30))
    ledger = Ledger(landing.folder.ledger("run"))

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.folders.flush", full_disk)
    with pytest.raises(OSError, match="No space"):
        landing.judge(landing.extract(), ledger=ledger)
    monkeypatch.undo()
    assert len(ledger.verdict().missing) == len(CHECK_KINDS) + 1
    assert not ledger.verdict().may_publish
    (verdict,) = landing.judge(landing.extract(), ledger=ledger)
    assert verdict.passed
    assert ledger.verdict().may_publish


def test_one_pass_judges_one_stream(landing: Landing, tmp_path: Path) -> None:
    other = Landing(tmp_path / "other", contract())
    with Gate(landing.folder, None) as gate, pytest.raises(ValueError, match="extracts of one stream"):
        gate.judge([landing.extract(), other.extract()])


@pytest.mark.promise("kills")
def test_what_a_killed_gate_left_goes_and_what_another_works_with_stays(landing: Landing) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED_GATE, str(landing.folder.root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = landing.folder.accepted.glob(".gate-*")
    with Gate(landing.folder, None):
        (own,) = landing.folder.accepted.glob(".gate-*")
        assert own != left
        with Gate(landing.folder, None):
            assert own.is_dir()
    assert not list(landing.folder.accepted.glob(".gate-*"))


_KILLED_GATE = """
import os, signal, sys
from pathlib import Path
from quality.gate.gate import Gate
from storage.data_folder import DataFolder
with Gate(DataFolder(Path(sys.argv[1])), None):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_history_and_the_first_nights_are_of_any_size(tmp_path: Path) -> None:
    landing = Landing(tmp_path, BLOCKING)
    sizes = [500, 10, 40, 10]
    days = [DAY - timedelta(days=3 - night) for night in range(4)]
    for day, size in zip(days, sizes, strict=True):
        landing.land([good(n, updated_at=f"{day}T10:00:00Z") for n in range(size)], day, is_history=day == days[0])
    verdicts = landing.judge(*map(landing.extract, days))
    assert [verdict.blocked_by for verdict in verdicts] == [()] * 4


def test_a_landing_manifest_of_another_shape_is_said_in_one_sentence(landing: Landing) -> None:
    landing.land(rows(30))
    (landing.extract().partition / "manifest.json").write_text('{"mode": "increment"}')
    (verdict,) = landing.judge(landing.extract())
    assert "does not describe a landed extract" in str(metadata(verdict, "completeness")["error"])
    assert JourneymartError.__name__ not in str(metadata(verdict, "completeness"))
