"""The quantile of Student's t, from its definition.

What lives here: what the truth about the sample company needs of it. Not here: intervals (emotions.py).
"""

from __future__ import annotations

import math
from functools import cache

WITHIN = 0.95


@cache
def student(df: int) -> float:
    """The quantile of t of a two-sided 95 % interval, by halving what is left of its own integral."""
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    # With x = sqrt(df) tan(a), the density is the cosine to the power of df - 1; Simpson's rule adds it up.
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        steps = 400
        width = middle / steps
        inside = [
            math.cos(step * width) ** (df - 1) * (1 if step in (0, steps) else 4 if step % 2 else 2)
            for step in range(steps + 1)
        ]
        if scale * sum(inside) * width / 3 < WITHIN / 2:
            low = middle
        else:
            high = middle
    return math.sqrt(df) * math.tan(low)
