"""What is usual of a figure, from its own past: how many rows, which share, which quartiles. Pure numbers.

What lives here: the statistics, over many series at once (the last axis is the past, the axes before it are
streams, columns or simulated companies). Not here: which figures an extract has (profiles.py) and what is said of
them (quality/gate/past_checks.py, distribution.py).

Two thresholds run through all of it. UNUSUAL: neither chance nor the spread this figure has shown explains it.
IMPOSSIBLE: beyond that, no closed office and no busy day explains it. A night brings dozens of figures per stream,
so each threshold asks for two things at once: far beyond what sampling does, and far beyond what the past did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]

USUAL, UNUSUAL, IMPOSSIBLE = 0, 1, 2

# The past of a count, by days ago: eight weeks give a weekday's usual count, a quarter holds last month's peak, too.
WEEKS = 8
COUNT_DAYS = 91
# The past of all else: extracts.
SHARE_NIGHTS = 28

# Nights of the past without which nothing is judged: a whole week, so that every weekday was seen. Nothing is
# impossible before two weeks, nor while a weekday was seen once only.
LEAST_NIGHTS = 7
_SETTLED_NIGHTS = 14
_SEEN_TWICE = 2
# Standard deviations beyond which chance is no explanation, for one count a night and for dozens of shares.
_COUNT_DEVIATIONS = 3.5
_SHARE_DEVIATIONS = 4.0
# A night a month ago was a peak, not a busy night.
_PEAK_DEVIATIONS = 4.0
# While a weekday was seen once at most, there is no spread to speak of: only what is far outside all nights counts.
_YOUNG_DEVIATIONS = 6.0
_YOUNG_RATIO = 2.0
# Rows below which an extract is never too large to be accepted: a list of contacts typed in on one day.
_MANY_ROWS = 1000
# A value is missed where so many rows of it were to be expected, and no night was without this many.
_EXPECTED_ROWS, _NEVER_FEWER = 12, 2
# Values whose quartiles say something, and those by which a night may be impossible.
_SOME_VALUES, _ENOUGH_VALUES = 10, 30
# Of so many nights, the most extreme one on either side may be a slip.
_NIGHTS_WITH_A_SLIP = 14


@dataclass(frozen=True)
class Counted:
    """A count against its past: what it is, and what would have been usual.

    Attributes:
        level: `USUAL`, `UNUSUAL` or `IMPOSSIBLE`.
        usual: The count to be expected.
        low: Lower end of what is usual.
        high: Upper end.
        more: Whether it lies above.
    """

    level: Levels
    usual: Floats
    low: Floats
    high: Floats
    more: NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """A share or a set of quartiles against its past: what it is, and between what the past lay."""

    level: Levels
    low: Floats
    high: Floats


def count(
    today: ArrayLike,
    past: ArrayLike,
    *,
    min_ratio: float = 0.15,
    max_ratio: float = 6.0,
    min_nights: int = _SETTLED_NIGHTS,
) -> Counted:
    """A night's count against the same weekday of the last weeks, with the spread of counts of that size.

    Counts are held against each other on the scale of square roots, where chance alone spreads all of them alike,
    small and large; what they spread beyond it is measured. Three things may explain a count: the weekday's median,
    the same moved by how the last two weeks or the last three nights went (growth, seasons, a new normal), and the
    peak of a month ago (surveys that are sent monthly). What the quietest weekday explains is no failure, because a
    holiday is like a Sunday.

    Args:
        today: Rows, one per series.
        past: Rows by days ago (1 to `COUNT_DAYS`) on the last axis; NaN: no extract.
        min_ratio: Impossible below this part of the quietest weekday.
        max_ratio: Impossible above this multiple of the busiest weekday, and of all but one night.
        min_nights: Nights of the past without which nothing is impossible.
    """
    now = _root(np.asarray(today, dtype=float))
    then = _root(np.asarray(past, dtype=float))
    nights = np.isfinite(then).sum(-1)
    weeks = then[..., : WEEKS * 7].reshape(*then.shape[:-1], WEEKS, 7)
    weekdays = middle(weeks, -2)
    own, seen = weekdays[..., 6], np.isfinite(weeks[..., 6]).sum(-1)
    spread = _spread(weeks)

    relative = then / np.tile(weekdays, COUNT_DAYS // 7)
    noise = np.where(own > 0, spread / own, 0.0)[..., None]
    course = np.stack([middle(relative[..., :14]), middle(relative[..., :3])], axis=-1)
    # Three nights say something only where they agree on more than their noise.
    course = np.where(np.abs(course - 1) > noise * np.array([0.0, 1.5]), course, 1.0)
    course = np.concatenate([np.ones_like(course[..., :1]), course], axis=-1)
    month_ago = np.fmax.reduce(np.concatenate([relative[..., 24:34], relative[..., 55:65]], axis=-1), axis=-1)
    was_peak = month_ago - 1 > _PEAK_DEVIATIONS * noise[..., 0]
    peak = np.where(was_peak, np.fmax(month_ago, course.max(-1)), course.max(-1))
    ordered = np.sort(np.where(np.isfinite(then), then, -np.inf), axis=-1)
    second = ordered[..., -2]
    # Where most nights are empty, no weekday says when the next rows come.
    irregular = (then <= _root(0.0)).sum(-1) * 2 > nights
    low, high = own * course.min(-1), own * course.max(-1)
    highest = np.where(irregular, np.fmax(own * peak, second), own * peak)

    with np.errstate(invalid="ignore"):
        mature = (nights >= min_nights) & (seen >= _SEEN_TWICE)
        less = mature & ((now - low) < -_COUNT_DEVIATIONS * spread)
        more = mature & ((now - highest) > _COUNT_DEVIATIONS * spread)
        quietest = np.fmin.reduce(weekdays, axis=-1) * course.min(-1)
        busiest = np.fmax.reduce(weekdays, axis=-1) * peak
        lost = less & (np.asarray(today) < min_ratio * rows(quietest))
        lost &= (now - quietest) < -_COUNT_DEVIATIONS * spread
        flood = more & ~irregular & (np.asarray(today) > max_ratio * np.maximum(rows(busiest), 1))
        flood &= np.asarray(today) > _YOUNG_RATIO * rows(second)
        flood &= np.asarray(today) >= _MANY_ROWS

        young = ~mature & (nights >= LEAST_NIGHTS)
        all_nights = middle(then)
        spread_young = np.fmax(1.4826 * middle(np.abs(then - all_nights[..., None])), 1.0)
        smallest, largest = np.fmin.reduce(then, axis=-1), np.fmax.reduce(then, axis=-1)
        less_young = young & ((now - smallest) < -_YOUNG_DEVIATIONS)
        less_young &= np.asarray(today) * _YOUNG_RATIO < rows(smallest)
        more_young = young & ((now - largest) > _YOUNG_DEVIATIONS * spread_young)
        more_young &= np.asarray(today) > rows(largest) * _YOUNG_RATIO
    level = np.where(less | more | less_young | more_young, UNUSUAL, USUAL)
    return Counted(
        level=np.where(lost | flood, IMPOSSIBLE, level),
        usual=rows(np.where(mature, own * course[..., 1], all_nights)),
        low=rows(np.where(mature, low - 2 * spread, smallest)),
        high=rows(np.where(mature, high + 2 * spread, largest)),
        more=more | more_young,
    )


def share(
    part: ArrayLike,
    whole: ArrayLike,
    past_part: ArrayLike,
    past_whole: ArrayLike,
    *,
    least: ArrayLike = 0.05,
) -> Held:
    """A share of rows against the shares of the nights before; the most extreme night of the past may be a slip.

    Args:
        part: Rows of a kind, one per series.
        whole: Rows.
        past_part: The same of the nights before, on the last axis; NaN: not known.
        past_whole: Rows of these nights.
        least: A smaller move than this is nothing to look at.
    """
    x, n = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    xs, ns = np.asarray(past_part, dtype=float), np.asarray(past_whole, dtype=float)
    # A handful of rows says little of the share of hundreds.
    comparable = np.isfinite(xs) & np.isfinite(ns) & (ns > 0) & (ns >= n[..., None] / 4)
    nights = comparable.sum(-1)
    now = _arc(x, n)
    then = np.where(comparable, _arc(xs, ns), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        usual_rows = middle(np.where(comparable, ns, np.nan))
        low, high = _edges(then)
        deviation = np.sqrt(1 / np.maximum(n, 1) + 1 / np.maximum(usual_rows, 1))
        beyond = np.maximum(low - now, now - high) / deviation
        low_share, high_share = np.sin(low / 2) ** 2, np.sin(high / 2) ** 2
        actual = x / np.maximum(n, 1)
        moved = np.maximum(low_share - actual, actual - high_share)
        # Few nights have not shown yet how far a share goes.
        further = np.maximum(0.75, 2 * LEAST_NIGHTS / np.maximum(nights, 1)) * (high_share - low_share)
        unusual = (beyond > _SHARE_DEVIATIONS) & (moved >= np.maximum(np.asarray(least), further))
        # What was there every night and is gone altogether.
        expected = n * middle(np.where(comparable, xs / ns, np.nan))
        always = np.fmin.reduce(np.where(comparable, xs, np.nan), axis=-1) >= _NEVER_FEWER
        swallowed = (x == 0) & (expected >= _EXPECTED_ROWS) & always
    level = np.where((nights >= LEAST_NIGHTS) & (unusual | swallowed), UNUSUAL, USUAL)
    return Held(level, low_share, high_share)


def quartiles(
    n: ArrayLike,
    now: ArrayLike,
    past_n: ArrayLike,
    past: ArrayLike,
    *,
    least: ArrayLike,
    least_part: ArrayLike,
    impossible_gap: ArrayLike,
    impossible_ratio: ArrayLike,
) -> Held:
    """The middle half of a night's values against the middle halves of the nights before.

    Args:
        n: Values, one per series.
        now: Their three quartiles, on the last axis.
        past_n: Values of the nights before, on the last axis; NaN: not known.
        past: Their quartiles, on the last two axes: night, quartile.
        least: A smaller move of the median than this is nothing to look at,
        least_part: nor one of a smaller part of the median.
        impossible_gap: Impossible once the middle halves are apart by this and by as much as they are wide.
        impossible_ratio: Impossible once the median is this many times the usual one, or that part of it.
    """
    n, now = np.asarray(n, dtype=float), np.asarray(now, dtype=float)
    ns, then = np.asarray(past_n, dtype=float), np.asarray(past, dtype=float)
    comparable = np.isfinite(ns) & (ns >= np.maximum(5, n / 4)[..., None])
    nights = comparable.sum(-1)
    then = np.where(comparable[..., None], then, np.nan)
    low, high = _edges(then[..., 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        smallest = np.fmax(least, np.asarray(least_part) * np.abs(middle(then[..., 1])))
        moved = _moves(n, now, then, smallest)
        positive = (now[..., 0] > 0) & (np.fmin.reduce(then[..., 0], axis=-1) > 0)
        logs = _moves(n, np.log(np.abs(now)), np.log(np.abs(then)), np.full(n.shape, np.log(1.5)))
        unusual = moved | (positive & logs)
        width = middle(then[..., 2] - then[..., 0])
        lowest, _ = _edges(then[..., 0])
        _, highest = _edges(then[..., 2])
        gap = np.maximum(lowest - now[..., 2], now[..., 0] - highest)
        apart = (width > 0) & (gap >= np.maximum(width, np.asarray(impossible_gap, dtype=float)))
        settled = (n >= _ENOUGH_VALUES) & (nights >= _SETTLED_NIGHTS)
        ratio = np.maximum(now[..., 1] / high, low / now[..., 1])
        times = (now[..., 1] > 0) & (low > 0) & (ratio >= np.asarray(impossible_ratio, dtype=float))
    level = np.where((nights >= LEAST_NIGHTS) & (n >= _SOME_VALUES) & unusual, UNUSUAL, USUAL)
    return Held(np.where(unusual & settled & (apart | times), IMPOSSIBLE, level), low, high)


def middle(values: Floats, axis: int = -1) -> Floats:
    """The median of what is not NaN; NaN of nothing."""
    ordered = np.sort(np.moveaxis(values, axis, -1), axis=-1)
    known = np.isfinite(ordered).sum(-1)
    lower, upper = np.maximum(known - 1, 0) // 2, known // 2
    upper = np.minimum(upper, np.maximum(known - 1, 0))
    picked = [np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0] for place in (lower, upper)]
    return np.where(known > 0, (picked[0] + picked[1]) / 2, np.nan)


def rows(root: Floats) -> Floats:
    """A count back from the scale of square roots."""
    return np.maximum((np.maximum(root, 0) / 2) ** 2 - 0.375, 0)


def _root(counts: ArrayLike) -> Floats:
    """Counts on a scale where chance alone spreads each with a standard deviation of one (Anscombe)."""
    return 2 * np.sqrt(np.asarray(counts, dtype=float) + 0.375)


def _arc(part: Floats, whole: Floats) -> Floats:
    """Shares on a scale where chance alone spreads each by one over the square root of the rows."""
    return 2 * np.arcsin(np.sqrt((part + 0.375) / (whole + 0.75)))


def _spread(weeks: Floats) -> Floats:
    """How far a weekday's count lies from the median of its other weeks, robustly; at least what chance does."""
    others = np.stack([middle(np.delete(weeks, week, axis=-2), -2) for week in range(WEEKS)], axis=-2)
    # A day that is always closed says nothing of how open days spread.
    closed = (weeks <= _root(0.0)) & (others <= _root(0.0))
    off = np.where(closed, np.nan, np.abs(weeks - others))
    return np.fmax(1.4826 * middle(off.reshape(*off.shape[:-2], -1)), 1.0)


def _edges(values: Floats) -> tuple[Floats, Floats]:
    """Between what a past lay; of two weeks and more the most extreme one on either side is left out."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(ordered).sum(-1)
    slip = np.where(known >= _NIGHTS_WITH_A_SLIP, 1, 0)
    low = np.take_along_axis(ordered, slip[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.maximum(known - 1 - slip, 0)[..., None], axis=-1)[..., 0]
    return low, high


def _moves(n: Floats, now: Floats, then: Floats, least: Floats) -> NDArray[np.bool_]:
    """Whether a median moved further than its sampling, its values' spread and its own past explain."""
    low, high = _edges(then[..., 1])
    width = middle(then[..., 2] - then[..., 0])
    beyond = np.maximum(low - now[..., 1], now[..., 1] - high)
    sampling = 0.93 * np.fmax(width, now[..., 2] - now[..., 0]) / np.sqrt(np.maximum(n, 1))
    spread = np.fmax(width, high - low)
    moved: NDArray[np.bool_] = (
        (beyond > 0) & (beyond >= 0.75 * spread) & (beyond >= _SHARE_DEVIATIONS * sampling) & (beyond >= least)
    )
    return moved
