"""Every KPI of a small company counted a second time from the published facts, and the published examples of formulas.

One warehouse, two nights, read by every test; which cells are compared is drawn by a seed. The company has everything a
KPI can count: orders of two and a half years, help desks of two vendors, surveys of every kind, reviews and staff. Not
here: what is hidden (suppression), how facts are made, the real extracts (tests/e2e).
"""

from __future__ import annotations

import math
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from changed_kpis import DIMENSION, KEPT, PASSED_AROUND, built_with_changes
from dbt_harness import DbtProject, Warehouse
from journey_company import AS_OF, START, JourneyCompany
from service_desk import Desk

from assets.report.kpi_explanation import Place, explain
from assets.report.marts import opened_marts
from assets.report.scorecard.figures import kpis_with_figures, last_whole_month, members_of_month
from assets.report.scorecard.parts import dimensions
from storage.data_folder import marts_file
from storage.errors import JourneymartError
from tests.counting.differences import of_share
from tests.counting.intervals import (
    interval_of_a_count,
    interval_of_a_quantile,
    interval_of_a_score,
    interval_of_a_share,
    trinomial_margin,
)
from tests.kpi_recount import (
    Cell,
    Recount,
    day_before,
    disagreements,
    draw,
    first_of,
    is_row_day,
    opened,
)

Row = dict[str, Any]
SEEDS = range(40) if os.environ.get("JOURNEYMART_CHAOS") == "long" else range(1)

# Promoters, passives, detractors; the score; centre and margin of its adjusted Wald interval; the trinomial margin.
SCORES = (
    ((5, 3, 2), 30.0, 23.08, 42.13, 48.41),
    ((50, 30, 20), 30.0, 29.13, 15.08, 15.31),
    ((400, 350, 250), 15.0, 14.96, 4.90, 4.91),
    ((0, 10, 0), 0.0, 0.0, 18.47, 0.0),
    ((1, 0, 0), 100.0, 25.0, 73.5, 0.0),
)
# Positive answers, all answers; the ends of Wilson's interval.
SHARES = ((4, 5, 37.55, 96.38), (27, 30, 74.38, 96.54), (85, 100, 76.72, 90.69), (1, 1, 20.65, 100.0))
EXAMPLES = date(2025, 2, 3)
"""The first of the days on which the published examples were answered; nobody else answered anything on them."""
POOLED = EXAMPLES + timedelta(days=20)
GROUPED = EXAMPLES + timedelta(days=21)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


class Company(JourneyCompany):
    """The small company with journeys, and beyond it all that KPIs count besides."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, contacts=150)
        for contact in self.records["contact"]:
            contact["country"] = self.chance.choice(("DE", "DE", "FR", None))
            contact["acquisition_source"] = self.chance.choice((None, "Referral", "referral", "web", "web"))
        for order in self.records["order"]:
            order["currency"] = self.chance.choice(("EUR", "EUR", "EUR", "USD"))
            order["product"] = self.chance.choice(("chair", "lamp", None))
        for ticket in self.records["ticket"]:
            ticket["is_complaint"] = self.chance.choice((None, False, False, True))
            ticket["is_escalated"] = self.chance.choice((None, False, False, True))
        self._long_ago()
        self._voices()
        self._examples()

    def _long_ago(self) -> None:
        """Orders of the year and a half before, some of customers who never came back."""
        for number in range(180):
            at = START - timedelta(minutes=self.chance.randrange(640 * 24 * 60))
            self.records["order"].append(
                {
                    "order_id": f"early{number}", "contact_id": self._someone(), "status": "completed",
                    "ordered_at": at, "created_at": at, "item_amount": self.chance.choice((None, 10.01, 99.9)),
                    "channel": self.chance.choice(("web", None)), "currency": self.chance.choice((None, "EUR")),
                }
            )  # fmt: skip

    def _voices(self) -> None:
        """Invitations, reviews and other voices, answers about preferred service, and what employees say."""
        self.records["survey_question"].append(
            {"survey_id": "staff", "question_id": "q", "metric": "enps", "scale_min": 0, "scale_max": 10,
             "scale_direction": "high_is_good", "survey_kind": "relational"}
        )  # fmt: skip
        for _ in range(60):
            self._answer("staff", None, self._moment(), self.chance.randrange(11), is_anonymous=True)
        for number in range(80):
            # Several relationship answers of one customer in one window, some at the same instant.
            at = self._moment(days=40) if number % 3 else START + timedelta(days=30)
            contact = self.chance.choice(self.contacts[:12])
            self._answer("relation", contact, at, self.chance.randrange(11), channel=self.chance.choice(("sms", None)))
        for number in range(250):
            at = self._moment()
            fate = self.chance.choice(("bounced", "sent", "completed", "completed", "sampled out"))
            self.records["survey_invitation"].append(
                {
                    "invitation_id": f"i{number}", "survey_id": self.chance.choice(("relation", "help", "staff")),
                    "contact_id": self._someone(), "channel": self.chance.choice(("email", "sms", None)),
                    "sent_at": None if fate == "sampled out" else at, "is_sampled_out": fate == "sampled out",
                    "bounced_at": at if fate == "bounced" else None,
                    "completed_at": at + timedelta(days=1) if fate == "completed" else None,
                }
            )  # fmt: skip
            self.records["feedback"].append(
                {
                    "feedback_id": f"f{number}", "contact_id": self._someone(), "occurred_at": self._moment(days=DAYS),
                    "source_type": self.chance.choice(("review", "review", "social", "interview", "employee")),
                    "channel": self.chance.choice(("web", "social", None)), "scale_min": 1, "scale_max": 5,
                    "score": self.chance.choice((None, 1, 2, 3, 4, 5)), "text": "Alles bestens",
                    "responded_at": self.chance.choice((None, at + timedelta(days=20))),
                }
            )  # fmt: skip

    def _examples(self) -> None:
        """The published examples, a day each; and a day on which one channel is tiny and delighted."""
        for place, ((promoters, passives, detractors), *_) in enumerate(SCORES):
            self._on(place, "shop", [10] * promoters + [8] * passives + [0] * detractors)
        for place, (positives, n, *_) in enumerate(SHARES):
            self._on(place, "help", [5] * positives + [3] * (n - positives))
        self._on((POOLED - EXAMPLES).days, "shop", [10], channel="web")
        self._on((POOLED - EXAMPLES).days, "shop", [10] * 20 + [7] * 30 + [3] * 50)
        # A vendor calls the answers 2, 1 and 0 about satisfaction promoter, passive and detractor too.
        self.records["survey_question"].append(
            {"survey_id": "smiles", "question_id": "q", "metric": "csat", "scale_min": 0, "scale_max": 2,
             "positive_values": [2], "scale_direction": "high_is_good", "survey_kind": "transactional"}
        )  # fmt: skip
        self._on((GROUPED - EXAMPLES).days, "smiles", [2, 2, 2, 1])
        self._on((GROUPED - EXAMPLES).days, "shop", [10, 0])

    def _on(self, place: int, survey: str, scores: list[int], **more: Any) -> None:
        for score in scores:
            self._answer(survey, None, noon(EXAMPLES + timedelta(days=place)), score, **more)


DAYS = (AS_OF - START.date()).days + 5
"""Some voices are dated after the business date, and must not be heard yet."""


def two_nights(seed: int) -> list[dict[str, list[Row]]]:
    """The company and a help desk of another vendor, told over two nights."""
    nights: list[dict[str, list[Row]]] = [defaultdict(list), defaultdict(list)]
    for told in (Company(seed).nights(2), Desk(seed, tickets=250).nights(2)):
        for night, streams in zip(nights, told, strict=True):
            for stream, rows in streams.items():
                night[stream] += rows
    return nights


@pytest.fixture(scope="module")
def built(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The first night is most of the records, the second, three weeks later, the rest and what was corrected."""
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("recount"), select="mart_kpi_daily")
    first, second = two_nights(3)
    warehouse.night(first, as_of=AS_OF - timedelta(days=21))
    warehouse.night(second, as_of=AS_OF)
    return warehouse


@pytest.fixture(scope="module")
def version(built: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(built.build) as connection:
        yield connection


@pytest.fixture(scope="module")
def recount(version: duckdb.DuckDBPyConnection) -> Recount:
    return Recount(version)


@pytest.mark.promise("figures")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_kpi_is_what_its_definition_counts(
    version: duckdb.DuckDBPyConnection, recount: Recount, seed: int
) -> None:
    assert disagreements(version, recount, draw(recount, random.Random(seed)))[:10] == []  # noqa: S311


@pytest.mark.promise("figures")
def test_what_explains_a_figure_adds_up_to_it(built: Warehouse, version: duckdb.DuckDBPyConnection) -> None:
    """The records of every KPI by source, of the company and of one member that is shown and one that is hidden."""
    for kpi, *_ in version.execute("select kpi from marts.main.dim_kpi order by kpi").fetchall():
        places = [Place(kpi)]
        for hidden in (True, False):
            places += [
                Place(kpi, *found)
                for found in version.execute(
                    "select date_day, period, member, dimension from marts.main.mart_kpi_daily "
                    "where kpi = ? and dimension <> 'all' and is_suppressed = ? "
                    "order by n desc, date_day, member limit 1",
                    [kpi, hidden],
                ).fetchall()
            ]
        for place in places:
            found = explain(built.build, place, is_stale=False)
            if found.figure["is_suppressed"]:
                assert not (found.counted or found.left_out or found.sources)
                assert found.said[0].startswith("Hidden")
                continue
            counted = {name: sum(row[name] for row in found.counted) for name in ("records", "positives", "customers")
                       if found.counted and name in found.counted[0]}  # fmt: skip
            assert counted.get("records", 0) == found.figure["n"], place
            assert counted.get("positives", found.figure["numerator"]) == found.figure["numerator"], place
            assert counted.get("customers", found.figure["denominator"]) == found.figure["denominator"], place
            assert "unknown" not in {row["source"] for row in found.counted}, place


def test_what_cannot_be_explained_is_said_with_what_can(built: Warehouse) -> None:
    with pytest.raises(JourneymartError, match=r"There is no KPI 'csatt': name one of dim_kpi, such as csat"):
        explain(built.build, Place("csatt"), is_stale=False)
    with pytest.raises(JourneymartError, match=r"enps has no period 'day': name one of quarter"):
        explain(built.build, Place("enps", period="day"), is_stale=False)
    with pytest.raises(JourneymartError, match=r"csat is told of no member 'pigeon' in any window: it has .*channel"):
        explain(built.build, Place("csat", member="pigeon"), is_stale=False)
    missing = explain(built.build, Place("csat", date(2001, 1, 1)), is_stale=False)
    assert (missing.figure, missing.counted) == ({}, [])
    assert missing.said[0].startswith("There is no such row")


def test_the_company_has_something_to_count_for_every_kpi(recount: Recount) -> None:
    counts = {kpi: recount.cells(kpi, AS_OF, "quarter", "all") for kpi in recount.kpis}
    assert [kpi for kpi, cells in counts.items() if not cells or cells["all"].n < 3] == []


def test_every_breakdown_of_a_total_adds_up_to_it(recount: Recount) -> None:
    for kpi in recount.kpis:
        ((_, total),) = recount.cells(kpi, AS_OF, "quarter", "all").items()
        for dimension in recount.dimensions(kpi):
            members = recount.cells(kpi, AS_OF, "quarter", dimension).values()
            assert sum(cell.n for cell in members) == total.n
            if total.numerator is not None:
                assert sum(cell.numerator or 0 for cell in members) == pytest.approx(total.numerator)


def test_a_version_breaks_a_kpi_down_by_what_the_recount_does(
    version: duckdb.DuckDBPyConnection, recount: Recount
) -> None:
    cells = version.execute("select distinct kpi, dimension from private.intermediate.int_kpi__cell").fetchall()
    assert set(cells) == {(kpi, dimension) for kpi in recount.kpis for dimension in recount.dimensions(kpi)}


def example(version: duckdb.DuckDBPyConnection, kpi: str, day: date, dimension: str = "all") -> list[tuple[Any, ...]]:
    """Member, numerator, n, value and interval of the cells of a day, before anything is hidden."""
    return version.execute(
        "select member, numerator, n, value, ci_low, ci_high from private.intermediate.int_kpi__cell "
        "where kpi = ? and date_day = ? and period = 'day' and dimension = ? order by member",
        [kpi, day, dimension],
    ).fetchall()


@pytest.mark.parametrize(("place", "published"), enumerate(SCORES))
def test_nps_and_its_interval_are_the_published_examples(
    version: duckdb.DuckDBPyConnection, place: int, published: Any
) -> None:
    (promoters, passives, detractors), score, centre, margin, trinomial = published
    n = promoters + passives + detractors
    ((_, numerator, answers, value, low, high),) = example(
        version, "nps_transactional", EXAMPLES + timedelta(days=place)
    )
    assert (numerator, answers, value) == (promoters - detractors, n, score)
    assert [(low + high) / 2, (high - low) / 2] == pytest.approx([centre, margin], abs=0.01)
    # The usual margin, which says 0 where everybody agrees and which no KPI shows.
    assert trinomial_margin(promoters, detractors, n) == pytest.approx(trinomial, abs=0.01)
    assert high - low > 0


@pytest.mark.parametrize(("place", "published"), enumerate(SHARES))
def test_shares_and_their_intervals_are_the_published_examples(
    version: duckdb.DuckDBPyConnection, place: int, published: tuple[int, int, float, float]
) -> None:
    positives, n, lower, upper = published
    ((_, numerator, answers, value, low, high),) = example(version, "csat", EXAMPLES + timedelta(days=place))
    assert (numerator, answers) == (positives, n)
    assert value == pytest.approx(100 * positives / n, abs=1e-4)
    assert [low, high] == pytest.approx([lower, upper], abs=0.006)


def test_one_delighted_answer_in_a_small_channel_does_not_make_the_company_loved(
    version: duckdb.DuckDBPyConnection,
) -> None:
    """The mean of the channels would be +35; of all who answered, it is -28.7."""
    by_channel = {member: value for member, _, _, value, *_ in example(version, "nps_transactional", POOLED, "channel")}
    assert by_channel == {"web": 100, "email": -30}
    ((_, numerator, n, value, *_),) = example(version, "nps_transactional", POOLED)
    assert (numerator, n) == (-29, 101)
    assert value == pytest.approx(-28.7129, abs=1e-4)


def test_satisfaction_called_promoter_by_its_vendor_is_not_in_nps(version: duckdb.DuckDBPyConnection) -> None:
    """Six answers, two of them to a question of NPS: 0, not the +50 of all six."""
    assert [row[1:4] for row in example(version, "nps_transactional", GROUPED)] == [(0, 2, 0)]
    assert [row[1:4] for row in example(version, "csat", GROUPED)] == [(3, 4, 75)]


def test_questions_nobody_answered_are_some_and_not_none(version: duckdb.DuckDBPyConnection, recount: Recount) -> None:
    """Said of the tickets themselves; their answers, and the lack of one, come from the comments alone."""
    ((unanswered, created),) = version.execute(
        "select count(*) filter (where never_answered), count(*) from marts.main.fct_ticket where removed_kind is null"
    ).fetchall()
    assert 0 < unanswered < created
    ((rate,),) = version.execute(
        "select numerator from private.intermediate.int_kpi__cell where kpi = 'unanswered_rate' "
        "and period = 'quarter' and dimension = 'all' and date_day = ?",
        [AS_OF],
    ).fetchall()
    assert rate > 0


# -- changes: a KPI, a dimension ------------------------------------------------------------------------------------


class ChangedRecount(Recount):
    """With the records of the new KPI that nothing counted before."""

    def _passed_around(self) -> pd.DataFrame:
        rows = self._ticket_measure("transferred")
        return rows.assign(positives=rows["transfers"] > 1)


@pytest.fixture(scope="module")
def changed_build(built: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_with_changes(built.build, tmp_path_factory.mktemp("changed"))


@pytest.fixture(scope="module")
def changed(changed_build: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(changed_build) as connection:
        yield connection


@pytest.fixture(scope="module")
def changed_recount(changed: duckdb.DuckDBPyConnection) -> Recount:
    return ChangedRecount(changed)


@pytest.mark.parametrize("kpi", [KEPT, PASSED_AROUND])
def test_a_kpi_is_its_row_and_its_records(
    changed_build: Path, changed: duckdb.DuckDBPyConnection, changed_recount: Recount, kpi: str
) -> None:
    """A row is all, where the records are counted already; else a branch of a record model and of the recount, too."""
    draws = [drawn for drawn in draw(changed_recount, random.Random(5)) if drawn[0] == kpi]  # noqa: S311
    assert {dimension for *_, dimension in draws} > {"all", "segment", "team"}
    assert disagreements(changed, changed_recount, draws)[:10] == []
    with opened_marts(changed_build, "the scorecard") as connection:
        shown = {page["definition"][0]: page["now"] for page in kpis_with_figures(connection, AS_OF)}
        members = {row[1] for row in members_of_month(connection, last_whole_month(AS_OF))}
    assert shown[kpi]
    assert kpi in members
    assert explain(changed_build, Place(kpi), is_stale=False).counted


def test_a_dimension_is_a_row_and_a_column(
    changed_build: Path, changed: duckdb.DuckDBPyConnection, changed_recount: Recount
) -> None:
    of_tickets = {
        kpi
        for kpi, about in changed_recount.kpis.items()
        if about["source_fact"] in ("fct_ticket", "fct_ticket_transition", "fct_sla")
        and about["method"] != "per_hundred"
    }
    draws = [drawn for drawn in draw(changed_recount, random.Random(6)) if drawn[3] == DIMENSION]  # noqa: S311
    assert {kpi for kpi, *_ in draws} == of_tickets
    assert disagreements(changed, changed_recount, draws)[:10] == []
    with opened_marts(changed_build, "the scorecard") as connection:
        assert dimensions(connection)[-1] == [DIMENSION, "Priority", "words"]
        rows = [row for row in members_of_month(connection, last_whole_month(AS_OF)) if row[0] == DIMENSION]
    assert {row[2] for row in rows} == {"low", "normal", "urgent", "unknown"}
    assert {row[1] for row in rows} <= of_tickets


def test_what_is_added_moves_no_other_figure(built: Warehouse, changed_build: Path) -> None:
    with duckdb.connect() as connection:
        for name, build in (("before", built.build), ("after", changed_build)):
            connection.execute(f"attach '{marts_file(build)}' as {name} (read_only)")
        moved = connection.execute(
            "(from before.main.mart_kpi_daily except all from after.main.mart_kpi_daily) union all "
            "(from after.main.mart_kpi_daily where kpi not in (?, ?) and dimension <> ? "
            "except all from before.main.mart_kpi_daily)",
            [KEPT, PASSED_AROUND, DIMENSION],
        ).fetchall()
    assert moved == []


# -- the recount itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "score", "centre", "margin", "trinomial"), SCORES)
def test_the_recount_knows_the_published_intervals_of_scores(
    counts: tuple[int, int, int], score: float, centre: float, margin: float, trinomial: float
) -> None:
    promoters, _, detractors = counts
    low, high = interval_of_a_score(promoters, detractors, sum(counts))
    assert [(low + high) / 2, (high - low) / 2] == pytest.approx([centre, margin], abs=0.01)
    assert trinomial_margin(promoters, detractors, sum(counts)) == pytest.approx(trinomial, abs=0.01)
    assert 100 * (promoters - detractors) / sum(counts) == score


@pytest.mark.parametrize(("positives", "n", "low", "high"), SHARES)
def test_the_recount_knows_the_published_intervals_of_shares(positives: int, n: int, low: float, high: float) -> None:
    assert list(interval_of_a_share(positives, n)) == pytest.approx([low, high], abs=0.006)


def test_intervals_of_quantiles_hold_the_quantile_of_all_as_often_as_they_say() -> None:
    """At least 95 of 100 samples of a skewed whole; where no rank is far enough out, nothing is said."""
    chance = np.random.default_rng(1)
    assert interval_of_a_quantile(np.arange(7.0), 0.5) == (None, None)
    for q, n in ((0.5, 8), (0.5, 20), (0.5, 60), (0.9, 5), (0.9, 60)):
        truth = -np.log(1 - q)
        ends = [interval_of_a_quantile(np.sort(chance.exponential(size=n)), q) for _ in range(2000)]
        held = sum((low is None or low <= truth) and (high is None or truth <= high) for low, high in ends)
        assert held / len(ends) >= 0.95


def test_the_interval_of_a_count_starts_above_nothing_and_is_not_symmetric() -> None:
    assert list(interval_of_a_count(0)) == pytest.approx([0, 3.8415], abs=1e-4)
    assert list(interval_of_a_count(10)) == pytest.approx([5.4320, 18.4095], abs=1e-3)


@pytest.mark.parametrize(
    ("period", "day", "first", "before", "is_row"),
    [
        ("day", date(2026, 3, 1), date(2026, 3, 1), date(2026, 2, 28), True),
        ("week", date(2026, 3, 1), date(2026, 2, 23), date(2026, 2, 22), True),
        ("week", date(2026, 3, 4), date(2026, 3, 2), date(2026, 3, 1), False),
        ("month", date(2024, 2, 29), date(2024, 2, 1), date(2024, 1, 31), True),
        ("month", date(2026, 6, 30), date(2026, 6, 1), date(2026, 5, 31), True),
        ("quarter", date(2026, 6, 29), date(2026, 4, 1), date(2026, 3, 31), True),
        ("rolling_28", date(2026, 3, 28), date(2026, 3, 1), date(2026, 2, 28), True),
    ],
)
def test_periods_end_where_the_calendar_says_or_on_the_business_date(
    period: str, day: date, first: date, before: date, is_row: bool
) -> None:
    assert (first_of(period, day), day_before(period, day)) == (first, before)
    assert is_row_day(period, "all", day, as_of=date(2026, 6, 29)) == (is_row and day <= date(2026, 6, 29))


def test_the_difference_of_shares_is_a_little_wider_than_newcombes(recount: Recount) -> None:
    """His example: 56 of 70 against 48 of 80 is a difference of 20.0, by him between 5.2 and 33.4.

    With one yes and one no more on either side, and t, it is 5.0 to 33.8. His way calls what chance does a change
    more often than it may (tests/unit/test_false_alarms.py).
    """
    counts = ((56, 70), (48, 80))
    cells = [
        Cell(part, n, n, n, 100 * part / n, *interval_of_a_share(part, n), of_share(part, n)) for part, n in counts
    ]
    assert list(recount.difference("csat", *cells)) == pytest.approx([60, 20, 5.01, 33.81], abs=0.01)
    assert newcombe(*counts) == pytest.approx((5.24, 33.39), abs=0.01)


def newcombe(now: tuple[int, int], before: tuple[int, int]) -> tuple[float, float]:
    """The hybrid of two Wilson intervals."""
    (one, low, high), (other, low_other, high_other) = (
        (100 * part / n, *interval_of_a_share(part, n)) for part, n in (now, before)
    )
    change = one - other
    return change - math.hypot(one - low, high_other - other), change + math.hypot(high - one, other - low_other)
