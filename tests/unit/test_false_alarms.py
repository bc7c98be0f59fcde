"""How often chance alone is called a change: counted out, not sampled, from the project's own formulas.

Two windows of the same customers differ by chance. Every outcome of either is weighed with how probable it is, and
those that the interval of the difference calls a change are added up: false alarms, nominally 5 of 100. What lives
here: shares, scores, rates and means of places on a scale, for every n from 1 to 200, equal and unequal; how often the
interval of a quantile holds it. Not here: the intervals of whole cells (tests/integration/test_kpi_recount.py).

`JOURNEYMART_CHAOS=long` weighs all pairs of n, of scores all of equal n and those among every seventh n and the one
after it; else all of equal n, and some of unequal. `pytest -s` prints the worst.
"""

from __future__ import annotations

import itertools
import math
import os
import random
from functools import cache, lru_cache
from typing import Any

import duckdb
import jinja2
import numpy as np
import pytest

from tests.checkout import CHECKOUT
from tests.counting.differences import of_amounts, of_places, of_rate, of_score, of_share

LONG = os.environ.get("JOURNEYMART_CHAOS") == "long"
MOST = 200
ALLOWED = 0.06
FILES = ("student", "kpi_value", "means", "differences", "quantiles")
Numbers = np.ndarray[Any, np.dtype[np.float64]]

_log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 2000)))])


# -- the project's formulas -----------------------------------------------------------------------------------------


class _Adapter:
    """Gives dispatched macros their own spelling of DuckDB, as dbt does."""

    def dispatch(self, name: str) -> Any:
        return getattr(formulas(), f"duckdb__{name}")


@cache
def formulas() -> Any:
    """The macros that say what an interval is, as dbt renders them."""
    folder = CHECKOUT.composed_project() / "macros" / "kpi"
    text = "".join((folder / f"{name}.sql").read_text(encoding="utf-8") for name in FILES)
    environment = jinja2.Environment()  # noqa: S701 (SQL, not HTML)
    environment.globals |= {"adapter": _Adapter(), "return": lambda said: said}
    return environment.from_string(text).module


def computed(rows: str, **columns: str) -> dict[str, Numbers]:
    """Columns of expressions over the rows of a query."""
    asked = ", ".join(f"cast({expression} as double) as {name}" for name, expression in columns.items())
    with duckdb.connect() as connection:
        return connection.execute(f"select {asked} from ({rows}) as rows").fetchnumpy()


def is_change(now: tuple[Numbers, Numbers], before: tuple[Numbers, Numbers]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which pairs of outcomes differ by more than their margins; (estimate, margin) of all outcomes of either."""
    (one, margin), (other, margin_before) = now, before
    return (one[:, None] - other[None, :]) ** 2 > margin[:, None] ** 2 + margin_before[None, :] ** 2


@cache
def shares() -> list[tuple[Numbers, Numbers]]:
    """Estimates and margins of 0 to n of n, by n."""
    found = computed(
        f"select whole, part from range({MOST + 1}) as wholes (whole), range({MOST + 1}) as parts (part) "
        "where part <= whole order by whole, part",
        whole="whole",
        estimate=formulas().share_estimate("part", "whole"),
        margin=f"coalesce({formulas().share_margin('part', 'whole')}, 'inf')",
    )
    ends = np.searchsorted(found["whole"], np.arange(MOST + 2))
    return [(found["estimate"][low:high], found["margin"][low:high]) for low, high in itertools.pairwise(ends)]


@cache
def scores(n: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Promoters, detractors, estimate and margin of every outcome of n answers."""
    found = computed(
        f"select p, d, {n} as n from range({n + 1}) as promoters (p) "
        f"cross join range({n + 1}) as detractors (d) where p + d <= {n}",
        p="p",
        d="d",
        estimate=formulas().nps_estimate("p", "d", "n"),
        margin=formulas().nps_margin("p", "d", "n"),
    )
    return found["p"], found["d"], found["estimate"], found["margin"]


# -- how probable outcomes are --------------------------------------------------------------------------------------


def binomial(n: int, p: float) -> Numbers:
    """How probable 0 to n of n are."""
    return multinomial(np.stack([np.arange(n + 1), n - np.arange(n + 1)]), (p, 1 - p))


def multinomial(counts: Numbers, shares: tuple[float, ...]) -> Numbers:
    """How probable outcomes are, a row of `counts` for each kind of answer."""
    counts = counts.astype(np.int64)
    found = _log_factorial[counts.sum(axis=0)].copy()
    for number, share in zip(counts, shares, strict=True):
        found -= _log_factorial[number]
        found += number * math.log(share) if share > 0 else np.where(number == 0, 0.0, -np.inf)
    return np.exp(found)


def poisson(mean: float, most: int) -> Numbers:
    """How probable 0 to `most` events are."""
    events = np.arange(most + 1)
    return np.exp(events * math.log(mean) - mean - _log_factorial[events])


def likely(weights: Numbers, left: float = 1e-6) -> tuple[np.ndarray[Any, np.dtype[np.int64]], float]:
    """The most probable outcomes, and how probable all others are together."""
    order = np.argsort(weights)[::-1]
    so_far = np.cumsum(weights[order])
    kept = int(np.searchsorted(so_far, 1 - left)) + 1
    return order[:kept], max(0.0, 1 - float(so_far[min(kept, len(order)) - 1]))


def told(what: str, worst: tuple[float, ...]) -> None:
    rate, *where = worst
    print(f"\n{what}: at worst {100 * rate:.2f} false alarms of 100, at {where}")


# -- false alarms ---------------------------------------------------------------------------------------------------


def unequal() -> list[tuple[int, int]]:
    """Pairs of n: all, or the small ones and some."""
    if LONG:
        return list(itertools.combinations(range(1, MOST + 1), 2))
    few = (*range(1, 9), 10, 12, 15, 20, 30, 60, 120)
    return [(n, m) for n in few for m in {n + 1, 2 * n, 5 * n, 57, 119, 188, MOST} if n < m <= MOST]


@pytest.mark.promise("quiet")
@pytest.mark.parametrize("pairs", ["equal", "unequal"])
def test_chance_changes_no_share_in_more_than_six_of_a_hundred(pairs: str) -> None:
    every = np.linspace(0, 1, 201)
    probable = [np.array([binomial(n, p) for p in every]) for n in range(MOST + 1)]
    worst: tuple[float, ...] = (0.0,)
    for n, m in [(n, n) for n in range(1, MOST + 1)] if pairs == "equal" else unequal():
        alarms = ((probable[n] @ is_change(shares()[n], shares()[m])) * probable[m]).sum(axis=1)
        worst = max(worst, (float(alarms.max()), n, m, float(every[alarms.argmax()])))
    told(f"shares, {pairs} n", worst)
    assert worst[0] <= ALLOWED


@pytest.mark.promise("quiet")
@pytest.mark.parametrize("pairs", ["equal", "unequal"])
def test_chance_changes_no_score_in_more_than_six_of_a_hundred(pairs: str) -> None:
    steps = (0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99, 1)
    minds = [(p, d) for p in steps for d in steps if d <= p and p + d <= 1 + 1e-9]
    if pairs == "equal":
        sizes = [(n, n) for n in (range(1, MOST + 1) if LONG else (*range(1, 31), 40, 60, 90))]
    else:
        sizes = [(n, m) for n, m in unequal() if (n % 7 < 2 and m % 7 < 2 if LONG else m <= 60)]
    worst = max((score_alarms(n, m, p, d), n, m, p, d) for n, m in sizes for p, d in minds)
    told(f"scores, {pairs} n", worst)
    assert worst[0] <= ALLOWED


def score_alarms(n: int, m: int, p: float, d: float) -> float:
    """False alarms of n answers after m, of whom p promote and d detract; what is left out counts as one."""
    weights, estimates, margins, left = likely_scores(n, p, d)
    weights_before, *before, left_before = likely_scores(m, p, d)
    alarms = left + left_before
    # In pieces that stay in the processor's cache: millions of pairs at once take twice as long.
    for at in range(0, len(weights), 32):
        piece = slice(at, at + 32)
        changes = is_change((estimates[piece], margins[piece]), (before[0], before[1]))
        alarms += float(weights[piece] @ (changes @ weights_before))
    return alarms


# As many as one n is weighed against.
@lru_cache(maxsize=5000)
def likely_scores(n: int, p: float, d: float) -> tuple[Numbers, Numbers, Numbers, float]:
    """The most probable outcomes of n answers: how probable, estimates and margins; how probable all others are."""
    promoters, detractors, estimate, margin = scores(n)
    weights = multinomial(np.stack([promoters, detractors, n - promoters - detractors]), (p, d, max(0.0, 1 - p - d)))
    kept, others = likely(weights)
    return weights[kept], estimate[kept], margin[kept], others


@pytest.mark.promise("quiet")
def test_chance_changes_no_rate_in_more_than_six_of_a_hundred() -> None:
    """Events are Poisson counts; as many customers on either side, or up to thirty times as many."""
    most = 700
    events = computed(
        f"select events, 1 as whole from range({most + 1}) as counts (events)",
        estimate=formulas().rate_estimate("events", "whole"),
        margin=formulas().rate_margin("events", "whole"),
    )
    worst: tuple[float, ...] = (0.0,)
    for mean in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100, 200):
        for times in (1, 1.1, 1.5, 2, 3, 5, 10, 30):
            if mean * times > 400:
                continue
            (now, left), (before, left_before) = likely(poisson(mean, most)), likely(poisson(mean * times, most))
            changes = is_change(
                (events["estimate"][now], events["margin"][now]),
                (events["estimate"][before] / times, events["margin"][before] / times),
            )
            alarms = poisson(mean, most)[now] @ changes @ poisson(mean * times, most)[before]
            worst = max(worst, (float(alarms) + left + left_before, mean, times))
    told("rates", worst)
    assert worst[0] <= ALLOWED


def places(n: int) -> tuple[Numbers, Numbers, Numbers]:
    """How many of n answers are 1, 2, 3, 4 and 5; estimate and margin of their mean place."""
    counts = np.array([row for row in itertools.product(range(n + 1), repeat=5) if sum(row) == n])
    by_place = 25 * np.arange(5)
    rows = ", ".join(
        f"({total}, {squares})" for total, squares in zip(counts @ by_place, counts @ by_place**2, strict=True)
    )
    found = computed(
        f"select cast(total as decimal(38, 0)) as total, cast(squares as decimal(38, 0)) as squares, {n} as n "
        f"from (values {rows}) as sums (total, squares)",
        estimate=formulas().scale_mean_estimate("total", "n", 100),
        margin=f"coalesce({formulas().scale_mean_margin('total', 'squares', 'n', 100)}, 'inf')",
    )
    return counts.T, found["estimate"], found["margin"]


@pytest.mark.promise("quiet")
def test_chance_changes_no_mean_of_places_on_a_scale_in_more_than_six_of_a_hundred() -> None:
    """Answers 1 to 5 of customers of many minds; of those who know only the ends, a mean is a share."""
    chance = random.Random(5)  # noqa: S311 (no secrets here)
    minds = [(0, 0, 0, 0.5, 0.5), (0, 0, 0, 0.9, 0.1), (0.5, 0, 0, 0, 0.5), (0.1, 0, 0, 0, 0.9), (0, 0, 0.2, 0.6, 0.2)]
    for width in (0.2, 0.5, 1, 3):
        for _ in range(12):
            drawn = [chance.gammavariate(width, 1) for _ in range(5)]
            minds.append(tuple(value / sum(drawn) for value in drawn))  # type: ignore[arg-type]
    outcomes = {n: places(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)}
    worst: tuple[float, ...] = (0.0,)
    for n, m in ((1, 8), (2, 2), (2, 8), (3, 3), (3, 10), (4, 4), (5, 5), (5, 10), (6, 6), (7, 7), (8, 8)):
        (counts, *now), (counts_before, *before) = outcomes[n], outcomes[m]
        changes = is_change((now[0], now[1]), (before[0], before[1]))
        for mind in minds:
            alarms = multinomial(counts, mind) @ changes @ multinomial(counts_before, mind)
            worst = max(worst, (float(alarms), n, m))
    told("means of places", worst)
    assert worst[0] <= ALLOWED


def test_subtracting_values_instead_finds_changes_in_every_second_pair_of_single_answers() -> None:
    """What the estimates are for: 10 and 0 are as likely after each other as before, and neither is news."""
    raw = (np.array([0.0, 100.0]), np.array([18.0, 18.0]))
    assert float(binomial(1, 0.5) @ is_change(raw, raw) @ binomial(1, 0.5)) == pytest.approx(0.5)
    assert not is_change(shares()[1], shares()[1]).any()
    assert not is_change(scores(1)[2:], scores(1)[2:]).any()


# -- intervals of values --------------------------------------------------------------------------------------------


def test_the_interval_of_a_quantile_holds_it_at_every_n() -> None:
    """How many of n values lie below a quantile is a binomial, whatever they are: the values here are their ranks."""
    for q in (0.5, 0.9):
        ranks = "list_transform(range(cast(n as bigint)), lambda place: place + 1)"
        ends = computed(
            f"select n, {ranks} as values from range(1, {MOST + 1}) as sizes (n)",
            n="n",
            low=f"coalesce({formulas().quantile_interval_end('values', 'n', str(q), '-')}, 0)",
            high=f"coalesce({formulas().quantile_interval_end('values', 'n', str(q), '+')}, n + 1)",
        )
        for n, low, high in zip(ends["n"].astype(int), ends["low"].astype(int), ends["high"].astype(int), strict=True):
            assert binomial(n, q)[low:high].sum() >= 0.95


def test_the_formulas_are_those_of_samples_with_answers_added() -> None:
    """The estimate and the margin of each, beside plain statistics of the enlarged sample."""
    for n in (1, 2, 7, 30, 31, 200):
        for part in {0, 1, n // 3, n}:
            assert [float(ends[part]) for ends in shares()[n]] == pytest.approx(of_share(part, n), rel=1e-5)
    for p, d, estimate, margin in zip(*scores(9), strict=True):
        assert (estimate, margin) == pytest.approx(of_score(p, d, 9), rel=1e-6)
    counts, estimates, margins = places(4)
    for count, estimate, margin in zip(counts.T, estimates, margins, strict=True):
        answers = [25.0 * place for place, number in enumerate(count) for _ in range(number)]
        assert (estimate, margin) == pytest.approx(of_places(answers, 100), rel=1e-6)
    found = computed(
        "select 9 as events, 20 as whole",
        estimate=formulas().rate_estimate("events", "whole"),
        margin=formulas().rate_margin("events", "whole"),
    )
    assert (found["estimate"][0], found["margin"][0]) == pytest.approx(of_rate(9, 20))


@pytest.mark.parametrize("cents", [[999] * 3, [999_999_999_999_999] * 1000, [1], [1, 2], [10**16, 10**16 - 1, 10**16]])
def test_equal_amounts_have_no_spread_at_all_and_others_all_they_have(cents: list[int]) -> None:
    """In whole cents, however large; where there is none, nothing bounds the next amount."""
    total, squares = sum(cents), sum(cent * cent for cent in cents)
    found = computed(
        f"select cast('{total}' as decimal(38, 0)) as total, cast('{squares}' as decimal(38, 0)) as squares, "
        f"{len(cents)} as n",
        spread=formulas().squared_deviations("total", "squares", "n"),
        margin=f"coalesce({formulas().sample_mean_margin('total', 'squares', 'n')}, -1)",
    )
    expected = of_amounts([cent - min(cents) for cent in cents])
    assert (float(found["spread"][0]) == 0) == (len(set(cents)) == 1)
    assert float(found["margin"][0]) == pytest.approx(expected[1] if expected else -1, rel=1e-5)
