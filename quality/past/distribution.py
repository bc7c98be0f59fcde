"""Whether an extract looks like the stream it comes from, column by column, against the stream's own past.

What lives here: which figures of a profile are held against which of the past, and the words for what is found. Not
here: the figures themselves (profiles.py), the statistics (usual.py), how many rows there are (quality/gate).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from quality.contract.model import Contract
from quality.past import usual
from quality.past.profiles import Profile, Quartiles
from quality.past.usual import IMPOSSIBLE, SHARE_NIGHTS, UNUSUAL, USUAL

# Of the rows of the night before this share, and no fewer than these rows, mean that its file came again.
_AGAIN_SHARE, _AGAIN_ROWS = 0.9, 10
# Nights of the past and rows of today without which a value that was never seen is no news.
_SETTLED_NIGHTS, _NEW_ROWS = 14, 5
# A median that moved less is nothing to look at, and one of times is impossible only if it moved by a week and more.
_LEAST_AGE_DAYS, _IMPOSSIBLE_AGE_DAYS, _LEAST_PART = 2.0, 7.0, 0.2
# No price list changes this much over a night; a wrong unit does.
_IMPOSSIBLE_RATIO = 20.0
# Sizes that have a name.
_SIZES = (
    (0.1, "a tenth as many"),
    (0.2, "a fifth as many"),
    (0.25, "a quarter as many"),
    (1 / 3, "a third as many"),
    (0.5, "half as many"),
    (2 / 3, "two thirds as many"),
    (1.5, "half as many again"),
    (2.0, "twice as many"),
    (3.0, "three times as many"),
)
# Shares that are not of one column and vary by themselves.
_LEAST_OF_ROWS = 0.2


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it usually is.

    Attributes:
        about: The column, or what of the extract.
        words: What a person reads; counts, and values only that the column had before.
        level: `UNUSUAL` or `IMPOSSIBLE`.
    """

    about: str
    words: str
    level: int = UNUSUAL


@dataclass(frozen=True)
class _Share:
    """A share of rows, of today and then of the nights before; NaN: not known.

    Attributes:
        about: The column, or what of the extract.
        before: Words before the share,
        after: and after it.
        part: Rows of the kind.
        whole: All rows.
        least: A smaller move than this is nothing to look at.
    """

    about: str
    before: str
    after: str
    part: Sequence[float]
    whole: Sequence[float]
    least: float = 0.05


def findings(contract: Contract, profile: Profile, past: Sequence[Profile], *, many_more: bool) -> list[Finding]:
    """What of an extract is not as it usually is.

    Args:
        contract: Of the stream.
        profile: The extract's.
        past: Profiles of the nights before, newest first.
        many_more: Far more rows came than usual: a mass change, whose rows may well be others.
    """
    if profile.is_history:
        return []
    changed = list(_changed(profile, past))
    nights = [night for night in past if night.rows][:SHARE_NIGHTS]
    if not profile.rows or not nights:
        return changed
    found = [
        *changed,
        *_moved_shares([*_shares_of_rows(profile, nights), *_shares_of_columns(contract, profile, nights)]),
        *_new_values(contract, profile, nights),
        *_moved_quartiles(contract, profile, nights),
    ]
    if many_more:
        found = [Finding(each.about, each.words) for each in found]
    return [*_again(profile, nights), *found]


def by_days_ago(day: date, past: Sequence[Profile], figure: Callable[[Profile], int | None]) -> usual.Floats:
    """A figure of the nights before a date, by how many days ago they were; NaN where there was none."""
    figures = np.full(usual.COUNT_DAYS, np.nan)
    for night in past:
        figures[(day - night.extract_date).days - 1] = _or_nan(figure(night))
    return figures


def in_words(day: date, rows: int, usually: float, low: float, high: float) -> str:
    """A number of rows against what is usual, as a person would say it."""
    between = _between(low, high, _whole)
    if not rows:
        return f"no rows at all on a {day:%A}, where {between} are usual"
    ratio = (rows + 0.5) / (usually + 0.5)
    how_many, _ = min(((words, abs(np.log(ratio / size))) for size, words in _SIZES), key=lambda each: each[1])
    if ratio > _SIZES[-1][0]:
        how_many = f"{ratio:.0f} times as many"
    return f"{how_many} rows as on a usual {day:%A}: {rows} where {between} are usual"


def _changed(profile: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """Of a dump, how many rows changed: none at all may mean that it is an old one."""
    if profile.changed is None:
        return
    held = usual.count(profile.changed, by_days_ago(profile.extract_date, past, lambda night: night.changed))
    if held.level != USUAL:
        between = _between(float(held.low), float(held.high), _whole)
        yield Finding("changed rows", f"{profile.changed} since the dump before, where {between} are usual")


def _shares_of_rows(profile: Profile, past: Sequence[Profile]) -> Iterator[_Share]:
    every = (profile, *past)
    rows = [each.rows for each in every]
    twice = [each.repeated for each in every]
    yield _Share("rows that come twice", "", " of the rows say what another one says", twice, rows, _LEAST_OF_ROWS)
    known = [_or_nan(each.known) for each in every]
    keys = [each.keys for each in every]
    yield _Share("known keys", "", " of the keys came in the last extracts", known, keys, _LEAST_OF_ROWS)


def _shares_of_columns(contract: Contract, profile: Profile, past: Sequence[Profile]) -> Iterator[_Share]:
    every = (profile, *past)
    rows = [each.rows for each in every]
    for name in contract.columns:
        if name in profile.empty:
            empty = [_or_nan(each.empty.get(name)) for each in every]
            yield _Share(name, "empty in ", " of the rows", empty, rows)
        histograms = [each.values.get(name) for each in every]
        before = {value for histogram in histograms[1:] for value in histogram or ()}
        for value in sorted({value for histogram in histograms for value in histogram or ()}):
            # Only what the column had before is named: something else may be anything, a person's name included. Nor is
            # what looks like an address, whatever it is.
            said = "a new value" if value not in before else "a value" if "@" in value else f"'{value}'"
            part = [np.nan if histogram is None else histogram.get(value, 0) for histogram in histograms]
            yield _Share(name, f"{said} in ", " of the rows", part, rows)


def _moved_shares(shares: Sequence[_Share]) -> Iterator[Finding]:
    part = np.array([share.part for share in shares], dtype=float)
    whole = np.array([share.whole for share in shares], dtype=float)
    least = np.array([share.least for share in shares])
    held = usual.share(part[:, 0], whole[:, 0], part[:, 1:], whole[:, 1:], least=least)
    for place, share in enumerate(shares):
        if held.level[place] != USUAL:
            now = _percent(part[place, 0] / whole[place, 0])
            between = _between(held.low[place], held.high[place], _percent)
            yield Finding(share.about, f"{share.before}{now}{share.after}, usual is {between}")


def _new_values(contract: Contract, profile: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """Values that never came before, and columns of few values that have many now."""
    for name in contract.columns:
        settled = [night.values[name] for night in past if night.values.get(name)]
        if len(settled) < _SETTLED_NIGHTS or name not in profile.values:
            continue
        before = {value for values in settled for value in values or ()}
        now = profile.values[name]
        if now is None:
            yield Finding(name, f"many different values, where the last {len(settled)} extracts had {len(before)}")
        elif (rows := sum(count for value, count in now.items() if value not in before)) >= _NEW_ROWS:
            yield Finding(name, f"{rows} rows with a value that the last {len(settled)} extracts did not have")


def _moved_quartiles(contract: Contract, profile: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """Amounts and scores, and how long before the end of the extract date times lie."""
    asked: list[tuple[str, Literal["numbers", "ages"]]] = [(name, "numbers") for name in profile.numbers]
    asked += [(name, "ages") for name in profile.ages]
    if not asked:
        return

    def of(each: Profile, name: str, kind: Literal["numbers", "ages"]) -> Quartiles:
        return (each.numbers if kind == "numbers" else each.ages).get(name) or (0, np.nan, np.nan, np.nan)

    now = np.array([of(profile, *each) for each in asked], dtype=float)
    then = np.array([[of(night, *each) for night in past] for each in asked], dtype=float)
    is_age = np.array([kind == "ages" for _, kind in asked])
    is_amount = np.array([kind == "numbers" and contract.columns[name].type == "decimal" for name, kind in asked])
    held = held_quartiles(now, then, is_age=is_age, is_amount=is_amount)
    for place, (name, kind) in enumerate(asked):
        if held.level[place] != USUAL:
            unit = _days if kind == "ages" else _number
            what = "the middle one lies" if kind == "ages" else "the middle one is"
            since = " before the end of the extract date" if kind == "ages" else ""
            between = _between(held.low[place], held.high[place], unit)
            words = f"{what} {unit(now[place, 2])}{since}, usual is {between}"
            yield Finding(name, words, int(held.level[place]))


def held_quartiles(now: ArrayLike, then: ArrayLike, *, is_age: ArrayLike, is_amount: ArrayLike) -> usual.Held:
    """Numbers and ages against their past, by what they are.

    Args:
        now: Values and their quartiles, on the last axis.
        then: The same of the nights before, on the last two axes.
        is_age: Days before the end of the extract date.
        is_amount: Money: prices may double over a night, where the scores of everybody do not turn round.
    """
    now, then = np.asarray(now, dtype=float), np.asarray(then, dtype=float)
    return usual.quartiles(
        now[..., 0],
        now[..., 1:],
        then[..., 0],
        then[..., 1:],
        least=np.where(is_age, _LEAST_AGE_DAYS, 0.0),
        least_part=np.where(is_age, 0.0, _LEAST_PART),
        impossible_gap=np.where(is_age, _IMPOSSIBLE_AGE_DAYS, np.where(is_amount, np.inf, 0.0)),
        impossible_ratio=np.where(is_age, np.inf, _IMPOSSIBLE_RATIO),
    )


def _again(profile: Profile, past: Sequence[Profile]) -> Iterator[Finding]:
    """The rows of the extract before, delivered once more."""
    compared = [night for night in past if night.again is not None]
    if profile.again is None or len(compared) < usual.LEAST_NIGHTS or profile.again < _AGAIN_SHARE * profile.rows:
        return
    usually = sum(night.again or 0 for night in compared) / sum(night.rows for night in compared)
    often = sum((night.again or 0) >= _AGAIN_SHARE * night.rows for night in compared)
    # A table that is sent whole each night repeats itself; a quiet night may.
    if often > 1 or usually > _LEAST_OF_ROWS or profile.rows < _AGAIN_ROWS:
        return
    words = f"{profile.again} of {profile.rows} rows are those of {past[0].extract_date.isoformat()} again"
    yield Finding("same rows", words, IMPOSSIBLE)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _between(low: float, high: float, unit: Callable[[float], str]) -> str:
    first, last = unit(low), unit(high)
    return first if first == last else f"{first} to {last}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _days(value: float) -> str:
    return f"{value:.1f} days"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _number(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")
