"""The health of the data: faults by name, a second count in plain Python, and the law over nights in any order.

One warehouse, two nights: streams with gaps, quarantined rows and a source that stopped, a help desk whose tickets stop
finding their customers, random rows of every stream. Not here: what the gate asks of an extract, formulas on counts
(dbt unit tests), a whole night (tests/e2e).
"""

from __future__ import annotations

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import dbt_harness
import pytest
from dbt_harness import DbtProject, Warehouse
from random_history import random_history

from assets.versions.manifest import DefinitionChange
from assets.warehouse.data_health import hand_over_batches, restate_batches
from assets.warehouse.load import attached
from quality.gate.accepted import AcceptedBatch
from quality.gate.approvals import Approval
from storage.data_folder import warehouse_file

BERLIN = ZoneInfo("Europe/Berlin")
START = date(2026, 1, 5)
DAYS = 100
LAST = START + timedelta(days=DAYS - 1)
SELECT = "mart_data_health"
STEPS = ("matching", "batch_figure", "match_figure")
LAW = (*(f"intermediate.int_data_health__{step}" for step in STEPS), "cx_marts.main.mart_data_health")
# What must not be seen in the mart, put wherever a source may say something.
SECRET = "ann.secret@example.org"
SHOP, DESK, POLL = ("shop", "canonical", "order"), ("desk", "zendesk", "tickets"), ("poll", "qualtrics", "responses")

HALF = "volume: half as many rows as usual"

Rows = dict[str, list[dict[str, Any]]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A batch, and when the newest version among its rows came to be."""

    batch: AcceptedBatch
    newest_at: datetime | None


def told(chance: random.Random, stream: tuple[str, str, str], day: date) -> Told:
    rows, quarantined = chance.choice((0, 3, 40)), chance.choice((0, 0, 1, 7))
    warned = chance.choice((0, 0, 1))
    batch = AcceptedBatch(
        f"{stream[0]} {day}", *stream, day, rows, quarantined, "landed", "contract",
        records=rows + quarantined, checks_passed=8 - warned, checks_warned=warned, checks_failed=0,
        warned=HALF * warned,
    )  # fmt: skip
    # The last hour of a UTC day is the next day in Berlin.
    newest = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=chance.choice((-50, 3, 23)))
    return Told(batch, newest if rows else None)


class Extracts:
    """Which extracts came in which of two nights: gaps, late ones, a source that stopped, one that was judged again."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        every = [told(chance, stream, START + timedelta(days=n)) for stream in (SHOP, DESK, POLL) for n in range(DAYS)]
        stopped = START + timedelta(days=60)
        kept = [
            each
            for each in every
            if chance.random() > 0.06 and not (each.batch.source == "poll" and each.batch.extract_date > stopped)
        ]
        shop = next(each for each in kept if each.batch.source == "shop" and each.batch.extract_date > START)
        self.first_judgement = replace(shop.batch, quarantined=shop.batch.quarantined + 2, checks_warned=3)
        self.judged_again = shop.batch
        self.kept = kept
        night_of = [0 if each.batch.extract_date < LAST - timedelta(days=1) else 1 for each in kept]
        # A few come late.
        self.nights: tuple[list[Told], ...] = ([], [])
        for each, night in zip(kept, night_of, strict=True):
            is_late = each.batch is not shop.batch and chance.random() < 0.05
            self.nights[1 if is_late else night].append(
                replace(each, batch=self.first_judgement) if each.batch is shop.batch else each
            )


class Records:
    """Tickets and answers of a hundred days; from the seventieth on, most requesters are nobody the CRM knows."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.people = [f"p{number}" for number in range(50)]
        self.tickets = [self._ticket(day, number) for day in range(DAYS) for number in range(40 if day % 10 else 3)]
        self.answers = [self._answer(day, number) for day in range(DAYS) for number in range(8)]

    def nights(self) -> list[Rows]:
        parts: list[Rows] = [defaultdict(list) for _ in range(2)]
        parts[0]["salesforce.contact"] = [
            {"Id": f"003{place:015}", "Email": f"{name}@a.example", "FirstName": SECRET, "LastName": name}
            for place, name in enumerate(self.people)
        ]
        parts[0]["zendesk.users"] = [
            *({"id": name, "role": "end-user", "email": f"{name}@a.example", "name": SECRET} for name in self.people),
        ]
        for stream, rows in (("zendesk.tickets", self.tickets), ("canonical.survey_answer", self.answers)):
            for row in rows:
                # The last two days and a few records of any day come in the second night.
                is_late = row["_day"] >= DAYS - 2 or self.chance.random() < 0.03
                parts[1 if is_late else 0][stream].append(
                    {name: said for name, said in row.items() if not name.startswith("_d")}
                )
        return parts

    def _at(self, day: int) -> datetime:
        return datetime.combine(START, datetime.min.time(), UTC) + timedelta(
            days=day, minutes=self.chance.randrange(8 * 60, 16 * 60)
        )

    def _ticket(self, day: int, number: int) -> Row:
        at = self._at(day)
        lost = self.chance.random() < (0.1 if day < 70 else 0.6)
        requester = f"nobody {day} {number}" if lost else self.chance.choice(self.people)
        return {
            "id": f"7{day:03}{number:03}", "requester_id": requester, "submitter_id": requester, "status": "open",
            "subject": SECRET, "created_at": at, "updated_at": at, "via": {"channel": "email"}, "_day": day,
        }  # fmt: skip

    def _answer(self, day: int, number: int) -> Row:
        """The poll is anonymous: what it says belongs to nobody."""
        at = self._at(day)
        return {
            "_source": "poll", "answer_id": f"{day} {number}", "survey_id": "s", "question_id": "q", "score": 9,
            "is_anonymous": True, "email": SECRET, "contact_id": self.chance.choice(self.people), "comment": SECRET,
            "answered_at": at, "updated_at": at, "_day": day,
        }  # fmt: skip


# What of each object is counted, in which fact, by which key and day; what names a person in it.
STAYED = "coalesce(fact.exclusion_reason, '') not in ('deleted', 'test', 'spam', 'duplicate')"
HEARD = f"{STAYED} and fact.source_type <> 'employee'"
NAMED = (
    ("ticket", "fct_feedback", "source_ref", "date_key", "coalesce(requester_id, requester_email)",
     f"source_object = 'ticket' and {HEARD}"),
    ("survey_answer", "fct_feedback", "source_ref", "date_key",
     "case when not is_anonymous then coalesce(contact_id, origin.email) end",
     f"source_object = 'survey_answer' and {HEARD}"),
    ("feedback", "fct_feedback", "source_ref", "date_key", "contact_id",
     f"source_object = 'feedback' and {HEARD}"),
    ("order", "fct_order", "order_key", "ordered_date_key", "contact_id", STAYED),
    ("activity", "fct_journey_event", "source_ref", "date_key", "contact_id", "object = 'activity'"),
)  # fmt: skip

CHANGES = (
    DefinitionChange(START, "kpis/csat", "changed"),
    DefinitionChange(START, "macros/kpi", "changed"),
    DefinitionChange(LAST, "kpis/csat", "changed"),
    DefinitionChange(LAST, "kpis/csat", "changed"),
    DefinitionChange(LAST, "seeds/teams", "added"),
)


def tell(
    build: Warehouse,
    extracts: Sequence[Told],
    again: Sequence[AcceptedBatch] = (),
    nights_ahead: int = 1,
) -> None:
    """Hand the night that is about to begin its batches, as loading does."""
    if build._build is None:
        build._build = build.folder / "build"
        build.project.stand(build.build)
    with attached(warehouse_file(build.build)) as (connection, _):
        ((night,),) = connection.execute("select night from warehouse.night.night").fetchall()
        newest = {each.batch.batch_id: each.newest_at for each in extracts if each.newest_at}
        hand_over_batches(connection, [each.batch for each in extracts], night + nights_ahead, newest)
        restate_batches(connection, again, night + nights_ahead)


def approved(stream: tuple[str, str, str], day: date, by: str, *checks: str, because: str) -> Approval:
    content = None if checks == ("missing",) else "sha"
    at = datetime(2026, 4, 15, 8, tzinfo=UTC)
    return Approval(stream[0], stream[2], day, content, checks, by, at, because)


APPROVALS = (
    approved(SHOP, START, "anna", "missing", because="the shop was closed"),
    approved(DESK, LAST, "anna", "volume", because="the desk moved house"),
    approved(DESK, LAST, "ben", "quarantine", "volume", because="so it did"),
)


@contextmanager
def as_told(changes: Sequence[DefinitionChange], approvals: Sequence[Approval]) -> Iterator[None]:
    """Nights of the harness that know when definitions changed, and what people approved."""
    plain = dbt_harness.night_of
    known: dict[str, Any] = {"definition_changes": tuple(changes), "approvals": tuple(approvals)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_harness, "night_of", lambda *said: replace(plain(*said), **known))
        yield


@pytest.fixture(scope="module")
def extracts() -> Extracts:
    return Extracts(3)


@pytest.fixture(scope="module")
def records() -> Records:
    return Records(4)


@pytest.fixture(scope="module")
def health(
    extracts: Extracts, records: Records, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("health"), SELECT)
    noise = random_history(random.Random(5), 2, rows_per_stream=4)  # noqa: S311
    ends = (LAST - timedelta(days=2), LAST)
    for place, (brought, came, odd, as_of) in enumerate(
        zip(records.nights(), extracts.nights, noise, ends, strict=True)
    ):
        rows: Rows = defaultdict(list)
        for stream, delivered in chain(brought.items(), odd.items()):
            rows[stream].extend(delivered)
        tell(warehouse, came, [extracts.judged_again] if place else [])
        # What was approved for a date that was delivered at last is no longer built on.
        with as_told(CHANGES[: 2 if place == 0 else 5], APPROVALS[:2] if place == 0 else APPROVALS[1:]):
            warehouse.night(rows, as_of=as_of)
    return warehouse


@pytest.fixture(scope="module")
def published(health: Warehouse) -> dict[tuple[date, str, str, str], Row]:
    """The mart by day, source, stream and measure."""
    rows = health.rows("select * from cx_marts.main.mart_data_health")
    return {(row["date_day"], row["source"], row["stream"], row["measure"]): row for row in rows}


def of_measure(
    published: dict[tuple[date, str, str, str], Row], *measures: str
) -> dict[tuple[date, str, str, str], Row]:
    return {cell: row for cell, row in published.items() if cell[3] in measures}


def figures(row: Row) -> tuple[Any, ...]:
    return row["value"], row["numerator"], row["denominator"], row["status"]


def test_nights_in_any_order_equal_one_rebuild(health: Warehouse, extracts: Extracts) -> None:
    with as_told(CHANGES, APPROVALS[1:]):
        rebuilt = health.rebuilt()
    tell(rebuilt, sorted(extracts.kept, key=lambda each: each.batch.batch_id), nights_ahead=0)
    rebuilt.project.build(rebuilt.build, ["int_data_health__batch_figure", SELECT], full_refresh=True)
    assert health.differences(rebuilt, LAW) == {}


def test_freshness_counts_the_days_since_the_last_extract_and_since_the_newest_record(
    published: dict[tuple[date, str, str, str], Row], extracts: Extracts
) -> None:
    expected: dict[Any, Any] = {}
    for source, _, stream in (SHOP, DESK, POLL):
        own = [each for each in extracts.kept if each.batch.source == source]
        first = min(each.batch.extract_date for each in own)
        for day in (first + timedelta(days=n) for n in range((LAST - first).days + 1)):
            known = [each for each in own if each.batch.extract_date <= day]
            since = (day - max(each.batch.extract_date for each in known)).days
            status = "fail" if since >= 3 else "warn" if since >= 1 else "ok"
            expected[day, source, stream, "days_since_extract"] = (since, None, None, status)
            newest = [each.newest_at.astimezone(BERLIN).date() for each in known if each.newest_at]
            if newest:
                age = max(0, (day - max(newest)).days)
                expected[day, source, stream, "days_since_newest_record"] = (age, None, None, "info")
    found = of_measure(published, "days_since_extract", "days_since_newest_record")
    assert {cell: figures(row) for cell, row in found.items()} == expected


def test_a_source_that_stopped_is_told_on_every_day_since(published: dict[tuple[date, str, str, str], Row]) -> None:
    row = published[LAST, "poll", "responses", "days_since_extract"]
    assert row["value"] >= 39
    assert row["message"] == "Days since the last accepted extract of poll/responses: not as it should be."


@pytest.mark.parametrize(("window", "fail"), [(28, 3), (90, 9)])
def test_missing_extract_dates_are_counted_since_the_first(
    published: dict[tuple[date, str, str, str], Row], extracts: Extracts, window: int, fail: int
) -> None:
    expected: dict[Any, Any] = {}
    for source, _, stream in (SHOP, DESK, POLL):
        delivered = {each.batch.extract_date for each in extracts.kept if each.batch.source == source}
        for day in (min(delivered) + timedelta(days=n) for n in range((LAST - min(delivered)).days + 1)):
            due = [day - timedelta(days=n) for n in range(window)]
            due = [each for each in due if each >= min(delivered)]
            missing = len(set(due) - delivered)
            status = "fail" if missing >= fail else "warn" if missing >= 1 else "ok"
            expected[day, source, stream, f"missing_extracts_{window}"] = (missing, missing, len(due), status)
    found = of_measure(published, f"missing_extracts_{window}")
    assert {cell: figures(row) for cell, row in found.items()} == expected
    assert {status for *_, status in expected.values()} == {"ok", "warn", "fail"}


def test_each_extract_shows_what_came_what_was_quarantined_and_what_the_gate_said(
    published: dict[tuple[date, str, str, str], Row], extracts: Extracts
) -> None:
    expected: dict[Any, Any] = {}
    open_rows: dict[str, int] = defaultdict(int)
    known: dict[tuple[str, date], int] = {}
    for batch in sorted((each.batch for each in extracts.kept), key=lambda batch: batch.extract_date):
        cell = (batch.extract_date, batch.source, batch.stream)
        judged = batch.rows + batch.quarantined
        share = round(100 * batch.quarantined / judged, 4) if judged else None
        # Of few rows a share says little.
        status = "info" if share is None or judged < 30 else "fail" if share >= 5 else "warn" if share >= 1 else "ok"
        warned = batch.checks_warned or 0
        expected[*cell, "landed_records"] = (batch.records, None, None, "info")
        expected[*cell, "accepted_rows"] = (batch.rows, batch.rows, judged, "info")
        expected[*cell, "quarantined_share"] = (share, batch.quarantined, judged, status)
        expected[*cell, "checks_passed"] = (100 * (8 - warned) / 8, 8 - warned, 8, "info")
        expected[*cell, "checks_warned"] = (warned, warned, 8, "warn" if warned else "ok")
        expected[*cell, "checks_failed"] = (0, 0, 8, "ok")
        open_rows[batch.source] += batch.quarantined
        known[batch.source, batch.extract_date] = open_rows[batch.source]
    names = {measure for *_, measure in expected}
    assert {cell: figures(row) for cell, row in of_measure(published, *names).items()} == expected
    for (source, day), rows in known.items():
        stream = next(each.batch.stream for each in extracts.kept if each.batch.source == source)
        assert published[day, source, stream, "quarantined_open"]["value"] == rows


def test_a_batch_judged_again_shows_the_newest_judgement(
    published: dict[tuple[date, str, str, str], Row], extracts: Extracts
) -> None:
    batch = extracts.judged_again
    row = published[batch.extract_date, "shop", "order", "quarantined_share"]
    assert row["numerator"] == batch.quarantined == extracts.first_judgement.quarantined - 2


def test_match_rates_are_those_of_the_records_and_held_against_the_median_of_the_days_before(
    published: dict[tuple[date, str, str, str], Row], records: Records
) -> None:
    by_day: defaultdict[date, list[str]] = defaultdict(list)
    for ticket in records.tickets:
        by_day[ticket["created_at"].astimezone(BERLIN).date()].append(ticket["requester_id"])
    found = {cell[0]: row for cell, row in published.items() if cell[1:] == ("zendesk", "ticket", "match_rate")}
    # Days that hold random rows too are not recounted.
    own = {day: requesters for day, requesters in by_day.items() if found[day]["n"] in (None, len(requesters))}
    assert len(own) > 90
    rates = {
        day: round(100 * sum(not each.startswith("nobody") for each in requesters) / len(requesters), 4)
        for day, requesters in own.items()
    }
    hidden = {day for day, requesters in own.items() if len(set(requesters)) < 5}
    assert hidden
    statuses = set()
    for day, requesters in own.items():
        row = found[day]
        if day in hidden:
            assert [row[name] for name in ("value", "numerator", "denominator", "n", "threshold")] == [None] * 5
            assert (row["status"], row["message"][-23:]) == ("info", "hidden, too few people.")
            continue
        matched = sum(not each.startswith("nobody") for each in requesters)
        assert (row["value"], row["numerator"], row["denominator"]) == (rates[day], matched, len(requesters))
        before = [day - timedelta(days=n) for n in range(1, 29)]
        if not all(each in own or each < START for each in before):
            continue
        earlier = [rates[each] for each in before if each in own and each not in hidden]
        if len(earlier) < 7:
            assert (row["threshold"], row["status"]) == (None, "info")
            continue
        usual = median(earlier)
        chance = (usual / 100 * len(requesters) + 2) / (len(requesters) + 4)
        noise = 300 * math.sqrt(chance * (1 - chance) / len(requesters))
        gap = usual - rates[day]
        status = "fail" if gap > max(25, noise) else "warn" if gap > max(10, noise) else "ok"
        statuses.add(status)
        assert row["threshold"] == pytest.approx(max(0, usual - max(10, noise)), abs=2e-4)
        assert row["status"] == status, (day, rates[day], usual)
    assert {"ok", "fail"} <= statuses


def test_whether_those_who_are_named_are_found_is_what_28_days_of_records_say(
    health: Warehouse, published: dict[tuple[date, str, str, str], Row]
) -> None:
    """Counted from the facts and what their records name, people and all, without the models in between."""
    said = defaultdict(list)
    for origin, fact, key, day, names, condition in NAMED:
        for row in health.rows(
            f"select origin.source, strptime({day}::varchar, '%Y%m%d')::date as day, {names} is not null as is_named, "
            f"fact.customer_key, origin.{origin}_key as record from cx_marts.main.{fact} as fact "
            f"join intermediate.int_{origin}__unioned as origin on origin.{origin}_key = fact.{key} "
            f"where {condition} and {day} between 20200101 and 20991231"
        ):
            said[row["source"], origin].append(row)
    found = of_measure(published, "named_found_28")
    expected = {}
    for (source, origin), rows in said.items():
        for day in {row["day"] for row in rows if row["day"] <= LAST}:
            window = [row for row in rows if day - timedelta(days=28) < row["day"] <= day]
            named = [row for row in window if row["is_named"]]
            if not named:
                continue
            matched = sum(row["customer_key"] != -1 for row in named)
            people = {row["customer_key"] if row["customer_key"] != -1 else ("nobody", row["record"]) for row in window}
            share = 10 * math.ceil(10 * matched / len(named))
            status = "fail" if share <= 10 else "warn" if share <= 20 else "ok"
            if len(named) < 30:
                status = "warn" if share == 0 else "info"
            shown = (None, None, None, "info") if matched and len(people) < 5 else (share, None, None, status)
            expected[day, source, origin, "named_found_28"] = shown
    assert {cell: figures(row) for cell, row in found.items()} == expected
    assert {status for *_, status in expected.values()} >= {"ok", "warn", "info"}


def test_a_source_of_anonymous_answers_has_nothing_to_match_and_is_no_failure(
    published: dict[tuple[date, str, str, str], Row],
) -> None:
    rows = [row for cell, row in published.items() if cell[1:] == ("poll", "survey_answer", "match_rate")]
    assert len(rows) == DAYS
    assert {(row["value"], row["denominator"], row["n"], row["status"]) for row in rows} == {(None, 0, 8, "info")}
    assert rows[0]["message"].endswith("nothing to measure.")


def test_use_of_feedback_is_what_its_mart_says_hidden_months_included(
    health: Warehouse, published: dict[tuple[date, str, str, str], Row]
) -> None:
    months = health.rows("select * from cx_marts.main.mart_feedback_utilisation")
    assert {row["is_suppressed"] for row in months} == {True, False}
    for month in months:
        for part in ("linked", "themed", "responded", "actioned", "used"):
            row = published[month["month_start"], "feedback", month["source_type"], f"feedback_{part}"]
            assert (row["value"], row["numerator"], row["n"]) == (month[f"{part}_rate"], month[part], month["items"])
    assert len(of_measure(published, "feedback_used")) == len(months)


def test_a_changed_definition_is_told_on_the_business_date_that_first_had_it(
    published: dict[tuple[date, str, str, str], Row],
) -> None:
    found = of_measure(published, "definition_changed", "definition_added", "definition_removed")
    assert {cell: row["value"] for cell, row in found.items()} == {
        (START, "kpis", "csat", "definition_changed"): 1,
        (START, "macros", "kpi", "definition_changed"): 1,
        (LAST, "kpis", "csat", "definition_changed"): 2,
        (LAST, "seeds", "teams", "definition_added"): 1,
    }


def test_what_is_built_on_somebodys_word_says_whose_and_why(
    published: dict[tuple[date, str, str, str], Row],
) -> None:
    ((cell, row),) = of_measure(published, "approved").items()
    assert cell[:3] == (LAST, "desk", "tickets")
    assert (row["area"], row["value"], row["status"]) == ("approval", 2, "warn")
    assert row["message"] == (
        "Approved by a person of desk/tickets: ben on 2026-04-15 (quarantine, volume): so it did; "
        "anna on 2026-04-15 (volume): the desk moved house."
    )


def test_what_the_checks_of_an_extract_warned_of_is_said_in_words(
    published: dict[tuple[date, str, str, str], Row], extracts: Extracts
) -> None:
    said = {cell: row["message"] for cell, row in of_measure(published, "checks_warned").items()}
    warned = {cell: message for cell, message in said.items() if HALF in message}
    assert warned
    assert all(message == f"Checks that warned of {cell[1]}/{cell[2]}: {HALF}." for cell, message in warned.items())
    assert {cell for cell in said if published[cell]["status"] == "warn"} == set(warned)


def test_nothing_anybody_said_or_is_called_reaches_the_mart(
    published: dict[tuple[date, str, str, str], Row],
) -> None:
    wording = re.compile(r"[A-Z][A-Za-z0-9 ]+ of [a-z0-9_]+/[a-z0-9_/]+: [a-z, ]+(: [A-Za-z., ]+)?\.")
    left_out = re.compile(
        r"\d+ records? of [a-z0-9_]+/[a-z0-9_]+( \([\w .-]+\))? (is|are) left out of .+ because .+: .+\."
    )
    for row in published.values():
        wanted = left_out if row["area"] == "left_out" else wording
        assert wanted.fullmatch(row["message"]) or row["area"] == "approval", row["message"]
        assert "@" not in str(row)
        assert "secret" not in str(row)


def test_a_night_that_brings_nothing_moves_nothing(health: Warehouse) -> None:
    with as_told(CHANGES, APPROVALS[1:]):
        health.night({}, as_of=LAST)
    assert health.values("select count(*) from cx_marts._touched.mart_data_health") == [0]


def test_the_tests_every_night_runs_hold(health: Warehouse) -> None:
    assert health.project.run(health.build, "test", "--select", SELECT, "int_data_health__matching") >= 3
