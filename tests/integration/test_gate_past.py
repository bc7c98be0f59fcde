"""An extract is held against the past of its stream: one bad night, item by item, and what the past is made of."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from quality.contract.model import Contract, load_contract
from quality.gate.verdict import Verdict
from quality.past.profiles import PROFILE, read_profile
from tests.gate_kit import DAY, STREAM, Landing, Row, metadata, outcome

NIGHTS = 30
BEFORE = DAY - timedelta(days=1)
Record = dict[str, str | None]

TICKET, ORDER, ANSWER = (load_contract("canonical", name) for name in ("ticket", "order", "survey_answer"))


def _at(day: date, dice: random.Random) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(minutes=dice.randrange(1440))


def ticket(day: date, number: int, dice: random.Random) -> Record:
    """A ticket that changed on the day: most are new, the others a few days old."""
    changed = _at(day, dice)
    age = 0 if dice.random() < 0.6 else dice.randrange(1, 6)
    return {
        "ticket_id": f"T{day - timedelta(days=age)}-{number}",
        "requester_email": f"person{number}@example.org",
        "team": dice.choice(["first", "first", "second"]),
        "channel": dice.choice(["email", "email", "phone", "chat"]),
        "priority": dice.choice(["low", "normal", "normal", "high", "urgent"]),
        "status": dice.choice(["open", "pending", "solved"]),
        "created_at": f"{changed - timedelta(days=age, minutes=dice.randrange(600))}Z",
        "updated_at": f"{changed}Z",
    }


def order(day: date, number: int, dice: random.Random) -> Record:
    """An order of the day."""
    bought = _at(day, dice)
    return {
        "order_id": f"O{day}-{number}",
        "contact_id": f"C{dice.randrange(5000)}",
        "status": dice.choice(["placed", "completed", "completed"]),
        "ordered_at": f"{bought}Z",
        "payment_amount": f"{dice.lognormvariate(3.5, 0.8):.2f}",
        "currency": "EUR",
        "channel": dice.choice(["web", "web", "app", "store"]),
        "updated_at": f"{bought + timedelta(minutes=5)}Z",
    }


def answer(day: date, number: int, dice: random.Random) -> Record:
    """An answer of the day."""
    given = _at(day, dice)
    return {
        "answer_id": f"A{day}-{number}",
        "survey_id": "S1",
        "question_id": "Q1",
        "score": str(dice.choice([0, 3, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10])),
        "comment": f"A word of person {number}",
        "answered_at": f"{given}Z",
        "updated_at": f"{given}Z",
    }


RECORDS: Mapping[str, tuple[Contract, Callable[[date, int, random.Random], Record]]] = {
    "ticket": (TICKET, ticket),
    "order": (ORDER, order),
    "survey_answer": (ANSWER, answer),
}


def night(name: str, day: date, size: int = 300) -> list[Record]:
    """The records of a night, the same whenever they are asked for."""
    dice = random.Random(f"{name} {day}")  # noqa: S311 -- nothing secret
    return [RECORDS[name][1](day, number, dice) for number in range(size + dice.randrange(-15, 15))]


def rows(contract: Contract, records: Iterable[Record]) -> list[Row]:
    return [[record.get(name) for name in contract.columns] for record in records]


def past_of(name: str, root: Path) -> Landing:
    """A month of nights, judged in one pass."""
    contract, _ = RECORDS[name]
    landing = Landing(root, contract)
    days = [DAY - timedelta(days=back) for back in range(NIGHTS, 0, -1)]
    for day in days:
        landing.land(rows(contract, night(name, day)), day)
    verdicts = landing.judge(*map(landing.extract, days))
    assert all(outcome(verdict, kind) == "pass" for verdict in verdicts for kind in ("volume", "distribution"))
    return landing


@pytest.fixture(scope="module")
def pasts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Landing]:
    """By stream, its month."""
    return {name: past_of(name, tmp_path_factory.mktemp(name)) for name in RECORDS}


@pytest.fixture
def a_copy(pasts: Mapping[str, Landing], tmp_path: Path) -> Callable[[str], Landing]:
    """Copies a stream's month."""

    def copied(name: str) -> Landing:
        return Landing(Path(shutil.copytree(pasts[name].root, tmp_path / name)), pasts[name].contract)

    return copied


def judged(landing: Landing, records: Iterable[Record], day: date = DAY) -> Verdict:
    (verdict,) = landing.judge(landing.land(rows(landing.contract, records), day))
    return verdict


@pytest.mark.parametrize("name", RECORDS)
def test_a_night_like_the_others_passes_without_a_word(a_copy: Callable[[str], Landing], name: str) -> None:
    verdict = judged(a_copy(name), night(name, DAY))
    assert verdict.passed
    assert {outcome(verdict, kind) for kind in ("volume", "freshness", "distribution")} == {"pass"}


def _but(record: Record, **texts: str | None) -> Record:
    return {**record, **texts}


def amounts_times_100() -> list[Record]:
    return [
        _but(each, payment_amount=f"{100 * float(each['payment_amount'] or 0):.2f}") for each in night("order", DAY)
    ]


def half_of_the_tickets() -> list[Record]:
    return night("ticket", DAY)[::2]


def created_a_month_off(days: int) -> list[Record]:
    def moved(text: str | None) -> str:
        return f"{datetime.fromisoformat((text or '').removesuffix('Z')) + timedelta(days=days)}Z"

    return [_but(each, created_at=moved(each["created_at"])) for each in night("ticket", DAY)]


def an_unknown_priority() -> list[Record]:
    return [
        _but(each, priority="P0" if each["priority"] == "urgent" else each["priority"]) for each in night("ticket", DAY)
    ]


def scores_inverted() -> list[Record]:
    return [_but(each, score=str(10 - int(each["score"] or 0))) for each in night("survey_answer", DAY)]


def no_address() -> list[Record]:
    return [_but(each, requester_email=None) for each in night("ticket", DAY)]


# What it is called, the stream, its records, the check that says so, what it says, and whether it blocks.
BAD_NIGHT: list[tuple[str, str, Callable[[], list[Record]], str, tuple[str, str], bool]] = [
    ("amounts x100", "order", amounts_times_100, "distribution", ("payment_amount", "the middle one is"), True),
    ("half of the tickets", "ticket", half_of_the_tickets, "volume", ("in words", "half as many rows"), False),
    (
        "a month too old",
        "ticket",
        lambda: created_a_month_off(-31),
        "distribution",
        ("created_at", "days before"),
        True,
    ),
    ("an unknown priority", "ticket", an_unknown_priority, "distribution", ("priority", "did not have"), False),
    (
        "yesterday again",
        "ticket",
        lambda: night("ticket", BEFORE),
        "distribution",
        ("same rows", f"{BEFORE} again"),
        True,
    ),
    ("a stream emptied", "ticket", list, "volume", ("in words", "no rows at all on a Tuesday"), True),
    ("scores inverted", "survey_answer", scores_inverted, "distribution", ("score", "the middle one is"), True),
    ("a column emptied", "ticket", no_address, "distribution", ("requester_email", "empty in 100 %"), False),
    (
        "every row twice",
        "ticket",
        lambda: night("ticket", DAY) * 2,
        "distribution",
        ("rows that come twice", "50 % of the rows"),
        False,
    ),
    ("ten times as many", "order", lambda: night("order", DAY, 3000), "volume", ("in words", "10 times as many"), True),
]


@pytest.mark.parametrize("item", [item[1:] for item in BAD_NIGHT], ids=[item[0] for item in BAD_NIGHT])
def test_a_bad_night_is_caught_item_by_item(
    a_copy: Callable[[str], Landing],
    item: tuple[str, Callable[[], list[Record]], str, tuple[str, str], bool],
) -> None:
    name, make, kind, said, blocks = item
    landing = a_copy(name)
    before = {path: path.read_bytes() for path in sorted(landing.folder.accepted.rglob(PROFILE))}
    verdict = judged(landing, make())
    assert outcome(verdict, kind) == ("fail" if blocks else "warn")
    about, words = said
    assert words in str(metadata(verdict, kind)[about])
    assert verdict.passed != blocks
    after = {path: path.read_bytes() for path in sorted(landing.folder.accepted.rglob(PROFILE))}
    # A blocked extract is no part of the past; one that passed is.
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + verdict.passed


def test_created_in_the_future_is_held_back_row_by_row_or_blocks(a_copy: Callable[[str], Landing]) -> None:
    verdict = judged(a_copy("ticket"), created_a_month_off(31))
    assert not verdict.passed


def test_dates_judged_together_and_night_by_night_say_the_same(tmp_path: Path) -> None:
    """With a bad night among them, which the later ones are not held against."""
    days = [DAY - timedelta(days=back) for back in range(11, -1, -1)]
    said, kept = [], []
    for together in (True, False):
        landing = Landing(tmp_path / str(together), ORDER)
        for day in days:
            bad = day == days[-3]
            landing.land(rows(ORDER, night("order", days[-4]) if bad else night("order", day)), day)
        extracts = list(map(landing.extract, days))
        passes = [list(reversed(extracts))] if together else [[each] for each in extracts]
        verdicts = sorted((each for one in passes for each in landing.judge(*one)), key=lambda each: each.extract_date)
        said.append(
            [[(check.kind, check.outcome, check.metadata.get("nights")) for check in each.checks] for each in verdicts]
        )
        kept.append(
            {path.parent.name: path.read_text() for path in landing.folder.accepted.rglob(PROFILE)},
        )
        assert [each.extract_date for each in verdicts if not each.passed] == [days[-3]]
    assert said[0] == said[1]
    assert kept[0] == kept[1]


def test_a_date_delivered_again_replaces_its_profile(a_copy: Callable[[str], Landing]) -> None:
    landing = a_copy("order")
    path = landing.folder.accepted_partition(STREAM, BEFORE) / PROFILE
    first = read_profile(path)
    shutil.rmtree(landing.extract(BEFORE).partition)
    assert judged(landing, night("order", BEFORE)[:-40], BEFORE).passed
    assert read_profile(path).rows == first.rows - 40


def test_no_more_than_a_quarter_of_the_past_is_read(a_copy: Callable[[str], Landing]) -> None:
    """However long the history: what is older may be unreadable, and what is near may not."""
    landing = a_copy("order")
    home = landing.folder.accepted_partition(STREAM, DAY).parent
    shutil.copytree(home / BEFORE.isoformat(), home / (DAY - timedelta(days=92)).isoformat())
    (home / (DAY - timedelta(days=92)).isoformat() / PROFILE).write_text("{")
    assert judged(landing, night("order", DAY)).passed
    (home / BEFORE.isoformat() / PROFILE).write_text("{")
    (verdict,) = landing.judge(landing.extract())
    assert {outcome(verdict, kind) for kind in ("volume", "distribution")} == {"error"}
    assert not verdict.passed


def test_a_profile_holds_counts_and_nothing_of_anybody(pasts: Mapping[str, Landing]) -> None:
    for name, landing in pasts.items():
        kept = "".join(path.read_text() for path in landing.folder.accepted.rglob(PROFILE))
        personal = [column for column, asked in landing.contract.columns.items() if asked.pii != "none"]
        delivered = {record.get(column) for record in night(name, BEFORE) for column in personal}
        assert not [text for text in delivered if text and f'"{text}"' in kept]
        assert "example.org" not in kept
        assert "person" not in kept


def test_a_value_that_is_no_category_is_never_named(a_copy: Callable[[str], Landing]) -> None:
    """A column shifted by one holds people's names; what the column never held is counted only."""
    records = [_but(each, channel="ann@example.org") for each in night("ticket", DAY)]
    verdict = judged(a_copy("ticket"), records)
    assert outcome(verdict, "distribution") == "warn"
    assert "ann@example.org" not in str(verdict)
