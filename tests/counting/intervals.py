"""Quantiles, and the ends of 95 % intervals, from their definitions.

What lives here: shares, scores, quantiles and counts. Not here: means and differences (differences.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959964


def quantile(values: Sequence[float], q: float) -> float | None:
    """The quantile as NumPy has it; None of nothing."""
    return float(np.quantile(values, q)) if len(values) else None


def interval_of_a_score(promoters: float, detractors: float, n: float) -> tuple[float, float]:
    """Ends of the adjusted Wald interval of an NPS: three answers more, 3/4 at either end."""
    more = n + 3
    p, d = (promoters + 0.75) / more, (detractors + 0.75) / more
    error = 100 * math.sqrt((p + d - (p - d) ** 2) / more)
    centre = 100 * (p - d)
    return max(-100.0, centre - Z * error), min(100.0, centre + Z * error)


def trinomial_margin(promoters: float, detractors: float, n: float) -> float:
    """The usual margin of an NPS, for comparison: nothing at all where everybody agrees."""
    p, d = promoters / n, detractors / n
    return Z * 100 * math.sqrt((p + d - (p - d) ** 2) / n)


def interval_of_a_share(positives: float, n: float) -> tuple[float, float]:
    """Wilson's interval of a share, in percent: the shares whose own margin just reaches what was seen."""
    seen = positives / n
    # (seen - p)^2 = Z^2 p (1 - p) / n, solved for p
    a, b, c = 1 + Z * Z / n, -(2 * seen + Z * Z / n), seen * seen
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return 100 * (-b - root) / (2 * a), 100 * (-b + root) / (2 * a)


def interval_of_a_quantile(ordered: Sequence[float], q: float) -> tuple[float | None, float | None]:
    """The order statistics around a quantile; None where no rank is far enough out."""
    n = len(ordered)
    margin = Z * math.sqrt(n * q * (1 - q))
    low, high = math.floor(n * q - margin), math.ceil(n * q + margin) + 1
    return (float(ordered[low - 1]) if low >= 1 else None), (float(ordered[high - 1]) if high <= n else None)


def interval_of_a_count(seen: float) -> tuple[float, float]:
    """The score interval of a Poisson count: the means whose own margin just reaches what was seen."""
    half = Z * math.sqrt(seen + Z * Z / 4)
    return seen + Z * Z / 2 - half, seen + Z * Z / 2 + half
