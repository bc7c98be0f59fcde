"""Whether two figures differ, counted from the definitions alone: estimates with answers added, and t.

What lives here: the estimate and the margin of a share, a score, a mean and a rate as plain statistics of a sample that
was made larger, and the interval of their difference. Not here: any SQL, what is compared with what.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sample_company.student import student

Weighted = tuple[float, float]
"""A value, and how many answers gave it."""
Estimate = tuple[float, float]
"""What an estimate is, and half the width of its interval."""


def of_sample(answers: Iterable[Weighted], added: Iterable[Weighted]) -> Estimate:
    """The mean of a sample with answers added, and its margin, by t of as many degrees as there were answers before."""
    answers = list(answers)
    enlarged = [*answers, *added]
    n, size = round(sum(weight for _, weight in answers)), sum(weight for _, weight in enlarged)
    mean = sum(value * weight for value, weight in enlarged) / size
    variance = sum(weight * (value - mean) ** 2 for value, weight in enlarged) / size
    return mean, student(n) * math.sqrt(variance / size)


def of_share(part: float, whole: float) -> Estimate:
    """A share in percent: one yes and one no are added."""
    return of_sample([(100, part), (0, whole - part)], [(100, 1), (0, 1)])


def of_score(promoters: float, detractors: float, answered: float) -> Estimate:
    """A net promoter score: three quarters of an answer at either end and one and a half in the middle are added."""
    rest = answered - promoters - detractors
    return of_sample([(100, promoters), (-100, detractors), (0, rest)], [(100, 0.75), (-100, 0.75), (0, 1.5)])


def of_places(places: Iterable[float], top: float) -> Estimate | None:
    """A mean of places on a scale up to `top`: one answer at either end is added; None for a single answer."""
    places = list(places)
    return of_sample([(place, 1) for place in places], [(0, 1), (top, 1)]) if len(places) > 1 else None


def of_amounts(amounts: Iterable[float]) -> Estimate | None:
    """A mean of what has no scale, by its own spread; None where there is none."""
    amounts = list(amounts)
    if len(set(amounts)) < 2:
        return None
    n, mean = len(amounts), math.fsum(amounts) / len(amounts)
    squares = math.fsum((amount - mean) ** 2 for amount in amounts)
    return mean, student(n - 1) * math.sqrt(squares / (n - 1) / n)


def of_rate(events: float, whole: float) -> Estimate | None:
    """Events per hundred: one event is added, and a count of events varies as much as it is large."""
    return (100 * (events + 1) / whole, 1.959964 * 100 * math.sqrt(events + 1) / whole) if whole else None


def difference(
    now: Estimate | None, before: Estimate | None, change: float, bound: float | None = None
) -> tuple[float | None, float | None]:
    """Ends of the interval of now - before, which the change itself always lies in."""
    if now is None or before is None:
        return None, None
    middle, margin = now[0] - before[0], math.hypot(now[1], before[1])
    low, high = min(middle - margin, change), max(middle + margin, change)
    return (low, high) if bound is None else (max(low, -bound), min(high, bound))
