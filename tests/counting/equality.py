"""Whether a mart says what was counted, and what it says otherwise.

Not here: what should be there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

# Figures are published with four decimals.
ROUNDING = 1.01e-4


def same(published: Any, counted: Any, tolerance: float = ROUNDING) -> bool:
    """Equal: nothing to nothing, numbers but for rounding (or their tenth digit)."""
    if pd.isna(published) or pd.isna(counted):
        return bool(pd.isna(published) and pd.isna(counted))
    try:
        return math.isclose(float(published), float(counted), rel_tol=1e-10, abs_tol=tolerance)
    except (TypeError, ValueError):
        return bool(published == counted)


def unequal(
    published: Mapping[Any, Mapping[str, Any]],
    counted: Mapping[Any, Mapping[str, Any]],
    columns: Iterable[str] | None = None,
    is_same: Callable[[Any, Any], bool] = same,
) -> list[tuple[Hashable, ...]]:
    """The cells that differ, and the rows that only one side has.

    Args:
        published: Rows by key.
        counted: What should be there, by the same keys.
        columns: What is compared; None: whatever was counted.
        is_same: How.
    """
    asked = None if columns is None else tuple(columns)
    found: list[tuple[Hashable, ...]] = [
        (key, "only published" if key in published else "only counted") for key in published.keys() ^ counted.keys()
    ]
    return found + [
        (key, name, published[key][name], row.get(name))
        for key, row in counted.items()
        if key in published
        for name in asked or row
        if not is_same(published[key][name], row.get(name))
    ]
