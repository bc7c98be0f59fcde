"""How often the gate cries wolf, and what it misses: simulated companies without and with defects, in a table.

What lives here: the simulation; `python -m tests.gate_simulation` prints the table. Not here: what it is held to
(unit/test_gate_simulation.py).

Clean companies are judged night by night with the statistics of the gate, all series of a kind at once. Defects are
put into extracts of a stream of 300 rows a day and judged by the checks themselves, profile by profile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from quality.contract.model import Contract
from quality.gate import past_checks
from quality.gate.check_result import CheckResult
from quality.past import usual
from quality.past.distribution import held_quartiles
from quality.past.profiles import Profile
from quality.past.usual import COUNT_DAYS, IMPOSSIBLE, SHARE_NIGHTS, UNUSUAL
from tests.gate_kit import column, contract

SERIES, NIGHTS = 200, 98
# The nights of a series on which a defect may happen.
LATEST = (60, NIGHTS)
FIRST_DATE = date(2026, 3, 2)

Floats = NDArray[np.float64]

CHANNELS = ("phone", "email", "chat", "store", "social")
SHARES = np.array([0.35, 0.3, 0.17, 0.12, 0.06])
SCORES = np.array([0.03, 0.01, 0.02, 0.02, 0.02, 0.05, 0.06, 0.12, 0.2, 0.2, 0.27])

STREAM: Contract = contract(
    {
        "channel": column("text"),
        "note": column("text"),
        "amount": column("decimal"),
        "score": column("double"),
        "created_at": column("timestamp"),
    }
)


@dataclass(frozen=True)
class Extracts:
    """Extracts of many series: what their profiles hold; the axes are series and night."""

    rows: Floats
    channels: Floats
    empty: Floats
    amounts: Floats
    scores: Floats
    ages: Floats
    known: Floats


@dataclass(frozen=True)
class Clean:
    """What became of the nights of a clean company, by series: how many blocked, how many warnings there were."""

    blocked: NDArray[np.int64]
    warned: NDArray[np.int64]

    def per_90(self, counted: NDArray[np.int64]) -> float:
        """The mean over the series, per 90 nights."""
        return float(counted.mean()) * 90 / NIGHTS


def _weekly(random: np.random.Generator, factors: tuple[float, ...]) -> Floats:
    """Factors by weekday; each series begins on a weekday of its own."""
    start = random.integers(0, 7, (SERIES, 1))
    return np.array(factors)[(np.arange(NIGHTS) + start) % 7]


def _counts(random: np.random.Generator, mean: Floats, spread: float) -> Floats:
    """Counts around a mean that itself varies by this part from night to night."""
    mean = np.broadcast_to(mean, (SERIES, NIGHTS))
    return random.poisson(mean * random.gamma(spread**-2, spread**2, mean.shape)).astype(float)


def desk_closed_on_weekends(random: np.random.Generator) -> Floats:
    """A hundred rows on a working day, fewer on Fridays, none on weekends, and a bank holiday a month."""
    rows = _counts(random, 100 * _weekly(random, (1.25, 1, 1, 0.95, 0.85, 0, 0)), 0.1)
    return np.where(random.random(rows.shape) < 1 / 30, 0, rows)


def small_crm(random: np.random.Generator) -> Floats:
    """Five rows on a working day, more or less, and now and then a list of contacts."""
    rows = _counts(random, 5 * _weekly(random, (1.1, 1, 1, 1, 0.9, 0.1, 0.1)), 0.8)
    lists = random.integers(50, 400, rows.shape)
    return rows + np.where(random.random(rows.shape) < 1 / 90, lists, 0)


def tiny_shop(random: np.random.Generator) -> Floats:
    """Two orders a day."""
    return _counts(random, np.array(2.0), 0.4)


def large_desk_with_a_holiday(random: np.random.Generator) -> Floats:
    """Two thousand rows on a working day, a third of it on weekends, and two holidays that are like half a Sunday."""
    week = _weekly(random, (1.15, 1.05, 1, 1, 0.95, 0.45, 0.35))
    holidays = np.argsort(random.random(week.shape), axis=1)[:, :2]
    np.put_along_axis(week, holidays, 0.17, axis=1)
    return _counts(random, 2000 * week, 0.06)


def seasonal_shop(random: np.random.Generator) -> Floats:
    """Sixty orders a day, from half of it to half as many again within three months."""
    phase = random.random((SERIES, 1)) * 2 * np.pi
    season = 1 + 0.5 * np.sin(2 * np.pi * np.arange(NIGHTS) / 180 + phase)
    return _counts(random, 60 * season * _weekly(random, (0.9, 0.9, 1, 1, 1.1, 1.3, 1.1)), 0.12)


def monthly_surveys(random: np.random.Generator) -> Floats:
    """Four hundred invitations a month: most answers come within three days, then a trickle."""
    since = (np.arange(NIGHTS) + random.integers(0, 30, (SERIES, 1))) % 30
    return _counts(random, 250 * np.exp(-since / 1.5) * (since < 12) + 0.3, 0.2)


def steady_stream(random: np.random.Generator) -> Floats:
    """Three hundred rows a day, the stream that gets the defects."""
    return _counts(random, 300 * _weekly(random, (1.1, 1.05, 1, 1, 1, 0.95, 0.9)), 0.05)


COMPANIES: Mapping[str, Callable[[np.random.Generator], Floats]] = {
    "desk closed on weekends": desk_closed_on_weekends,
    "small CRM": small_crm,
    "tiny shop": tiny_shop,
    "large desk with a holiday": large_desk_with_a_holiday,
    "seasonal shop": seasonal_shop,
    "monthly surveys": monthly_surveys,
}


def extracts_of(random: np.random.Generator, rows: Floats) -> Extracts:
    """What the columns of extracts of these sizes hold; the mix of each night varies beyond chance."""
    n = rows.astype(int)
    mix = random.gamma(SHARES * 150, size=(*rows.shape, len(SHARES)))
    channels = random.multinomial(n, mix / mix.sum(-1, keepdims=True)).astype(float)
    empty = random.binomial(n, random.beta(12, 28, rows.shape)).astype(float)
    known = random.binomial(n, random.beta(20, 30, rows.shape)).astype(float)
    level = np.exp(random.normal(0, 0.05, rows.shape))[..., None]
    amounts = np.exp(3.5 + 0.8 * _normal(_order_statistics(random, rows))) * level
    scores = np.searchsorted(np.cumsum(SCORES), _order_statistics(random, rows)).astype(float)
    ages = np.exp(0.5 + 1.2 * _normal(_order_statistics(random, rows)))
    return Extracts(rows, channels, empty, amounts, scores, ages, known)


def _order_statistics(random: np.random.Generator, rows: Floats) -> Floats:
    """The quartiles of so many random numbers between 0 and 1, on a new last axis; of none, NaN."""
    n = np.maximum(rows, 1)
    ranks = [np.clip(np.ceil(n * part), 1, n) for part in (0.25, 0.5, 0.75)]
    drawn, rank_before = np.zeros(rows.shape), np.zeros(rows.shape)
    found = []
    for rank in ranks:
        step, above = rank - rank_before, n - rank + 1
        drawn = drawn + (1 - drawn) * np.where(step > 0, random.beta(np.maximum(step, 0.5), above), 0.0)
        found.append(drawn)
        rank_before = rank
    return np.where(rows[..., None] > 0, np.clip(np.stack(found, axis=-1), 1e-9, 1 - 1e-9), np.nan)


def _normal(uniform: Floats) -> Floats:
    """Normal values of these probabilities (a logistic curve is near enough)."""
    return np.log(uniform / (1 - uniform)) / 1.702


@cache
def clean(name: str) -> Clean:
    """Judge every night of every series of a clean company, its first nights included."""
    random = np.random.default_rng(sum(name.encode()))
    made = extracts_of(random, COMPANIES[name](random))
    blocked, warned = np.zeros(SERIES, dtype=int), np.zeros(SERIES, dtype=int)
    for night in range(NIGHTS):
        for level in levels(made, night):
            blocked += level == IMPOSSIBLE
            warned += level == UNUSUAL
    return Clean(blocked, warned)


def levels(made: Extracts, night: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What the volume and what the distribution of a night say, by series."""
    past = np.full((SERIES, COUNT_DAYS), np.nan)
    seen = min(night, COUNT_DAYS)
    past[:, :seen] = made.rows[:, night - seen : night][:, ::-1]
    counted = usual.count(made.rows[:, night], past)
    look = _looks(made, night)
    look = np.where(counted.more, np.minimum(look, UNUSUAL), look)
    return counted.level, look


def _looks(made: Extracts, night: int) -> NDArray[np.int64]:
    """The worst of what the columns of a night say; nights without rows are not in their past."""
    worst = np.zeros(SERIES, dtype=int)
    now, nights = made.rows[:, night], _with_rows(made.rows, night)
    if not nights.shape[1]:
        return worst
    ns = _pick(made.rows, nights)
    parts = [(made.channels[..., place], 0.05) for place in range(len(CHANNELS))]
    parts += [(made.empty, 0.05), (made.known, 0.2)]
    for part, least in parts:
        held = usual.share(part[:, night], now, _pick(part, nights), ns, least=least)
        worst = np.maximum(worst, held.level)
    for values, is_age, is_amount in (
        (made.amounts, False, True),
        (made.scores, False, False),
        (made.ages, True, False),
    ):
        picked = np.stack([ns, *(_pick(values[..., place], nights) for place in range(3))], axis=-1)
        today = np.concatenate([now[:, None], values[:, night]], axis=-1)
        worst = np.maximum(worst, held_quartiles(today, picked, is_age=is_age, is_amount=is_amount).level)
    return np.where(now > 0, worst, 0)


def _with_rows(rows: Floats, night: int) -> NDArray[np.int64]:
    """The last nights with rows of each series, newest first; -1: there are no more."""
    order = np.where(rows[:, :night] > 0, np.arange(night), -1)
    return -np.sort(-order, axis=1)[:, :SHARE_NIGHTS]


def _pick(figures: Floats, nights: NDArray[np.int64]) -> Floats:
    return np.where(nights >= 0, np.take_along_axis(figures, np.maximum(nights, 0), axis=1), np.nan)


def profile_of(made: Extracts, series: int, night: int) -> Profile:
    """The profile of one extract."""
    rows = int(made.rows[series, night])

    def four(values: Floats) -> tuple[int, float, float, float]:
        return (rows, *map(float, values[series, night]))  # type: ignore[return-value]

    channels = {name: int(made.channels[series, night, place]) for place, name in enumerate(CHANNELS)}
    return Profile(
        extract_date=FIRST_DATE + timedelta(days=night),
        contract=STREAM.fingerprint,
        is_history=False,
        delivered=rows,
        rows=rows,
        again=0,
        keys=rows,
        known=int(made.known[series, night]),
        empty={"note": int(made.empty[series, night])},
        values={"channel": {name: count for name, count in channels.items() if count}},
        numbers={"amount": four(made.amounts), "score": four(made.scores)} if rows else {},
        ages={"created_at": four(made.ages)} if rows else {},
    )


def judged(profile: Profile, past: list[Profile]) -> list[CheckResult]:
    """What the gate's own checks say of a profile; the past is newest first."""
    volume, many_more = past_checks.volume(STREAM, profile, past)
    return [volume, past_checks.distribution(STREAM, profile, past, many_more=many_more)]


def _fewer(profile: Profile, part: float) -> Profile:
    """The extract with this part of its rows, or this many times as many."""

    def scaled(counts: Mapping[str, int]) -> dict[str, int]:
        return {name: round(count * part) for name, count in counts.items()}

    rows = round(profile.rows * part)
    return replace(
        profile,
        delivered=rows,
        rows=rows,
        keys=rows,
        known=round((profile.known or 0) * part),
        empty=scaled(profile.empty),
        values={name: scaled(values or {}) for name, values in profile.values.items()},
        numbers={name: (rows, *rest) for name, (_, *rest) in profile.numbers.items()},  # type: ignore[misc]
        ages={name: (rows, *rest) for name, (_, *rest) in profile.ages.items()},  # type: ignore[misc]
    )


def _frozen(profile: Profile, before: Profile) -> Profile:
    return replace(before, extract_date=profile.extract_date, again=before.rows, known=before.keys)


def _amounts_times_100(profile: Profile, _: Profile) -> Profile:
    rows, *quartiles = profile.numbers["amount"]
    return replace(profile, numbers={**profile.numbers, "amount": (rows, *(100 * each for each in quartiles))})  # type: ignore[arg-type]


def _a_month_off(profile: Profile, _: Profile) -> Profile:
    rows, *quartiles = profile.ages["created_at"]
    return replace(profile, ages={"created_at": (rows, *(each + 30 for each in quartiles))})  # type: ignore[arg-type]


def _inverted(profile: Profile, _: Profile) -> Profile:
    rows, low, middle, high = profile.numbers["score"]
    return replace(profile, numbers={**profile.numbers, "score": (rows, 10 - high, 10 - middle, 10 - low)})


def _missing(profile: Profile, _: Profile) -> Profile:
    channels = dict(profile.values["channel"] or {})
    lost = channels.pop("store", 0)
    less = _fewer(profile, 1 - lost / profile.rows)
    return replace(less, values={"channel": channels})


def _renamed(profile: Profile, _: Profile) -> Profile:
    channels = dict(profile.values["channel"] or {})
    return replace(profile, values={"channel": {**channels, "shop": channels.pop("store", 0)}})


def _twice(profile: Profile, _: Profile) -> Profile:
    return replace(_fewer(profile, 2), repeated=profile.rows, keys=profile.keys, known=profile.known)


# Each gets the night's profile and the one before; the second figure: nothing else could explain it, so it blocks.
DEFECTS: Mapping[str, tuple[Callable[[Profile, Profile], Profile], bool]] = {
    "half lost": (lambda profile, _: _fewer(profile, 0.5), False),
    "80 % lost": (lambda profile, _: _fewer(profile, 0.2), False),
    "emptied": (lambda profile, _: Profile(profile.extract_date, profile.contract, False, 0, 0), True),
    "doubled": (lambda profile, _: _fewer(profile, 2), False),
    "x10": (lambda profile, _: _fewer(profile, 10), True),
    "frozen": (_frozen, True),
    "amounts x100": (_amounts_times_100, True),
    "dates a month off": (_a_month_off, True),
    "scores inverted": (_inverted, True),
    "one value missing": (_missing, False),
    "one value renamed": (_renamed, False),
    "duplicate file": (_twice, False),
}


@cache
def defects() -> dict[str, tuple[float, float]]:
    """By defect: the share of series in which its first night warns or blocks, and the share in which it blocks."""
    random = np.random.default_rng(300)
    made = extracts_of(random, steady_stream(random))
    found = dict.fromkeys(DEFECTS, (0.0, 0.0))
    for series in range(SERIES):
        night = int(random.integers(*LATEST))
        past = [profile_of(made, series, each) for each in range(night - 1, max(night - 1 - COUNT_DAYS, -1), -1)]
        for name, (spoil, _) in DEFECTS.items():
            outcomes = {result.outcome for result in judged(spoil(profile_of(made, series, night), past[0]), past)}
            caught, blocked = found[name]
            found[name] = caught + (outcomes != {"pass"}) / SERIES, blocked + ("fail" in outcomes) / SERIES
    return found


def table() -> Iterator[str]:
    """The table, line by line."""
    yield f"Clean companies, {SERIES} series of {NIGHTS} nights each, per 90 nights:"
    yield f"{'':28}{'blocks':>8}{'warnings':>10}{'worst series':>16}"
    for name in COMPANIES:
        made = clean(name)
        worst = f"{made.blocked.max()} and {made.warned.max()}"
        yield f"{name:28}{made.per_90(made.blocked):8.2f}{made.per_90(made.warned):10.2f}{worst:>16}"
    yield ""
    yield f"Defects in a stream of 300 rows a day, {SERIES} series, on the first night:"
    yield f"{'':28}{'caught':>8}{'blocked':>10}"
    for name, (caught, blocked) in defects().items():
        yield f"{name:28}{caught:8.1%}{blocked:10.1%}"


if __name__ == "__main__":
    sys.stdout.write("\n".join([*table(), ""]))
