"""The columns of rows that travel to the scorecard, in their order; and how a row travels.

Not here: reading them (figures.py, parts.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

DEFINITION_COLUMNS = (
    "kpi",
    "name",
    "definition",
    "formula",
    "unit",
    "decimals",
    "direction",
    "timestamp_basis",
    "basis",
    "lookback_days",
    "objective",
    "owner_department",
    "source_fact",
    "method",
    "cause",
    "min_n",
    "benchmark_year",
)
_FLAGS = ("is_suppressed", "is_low_n", "is_complete_window", "is_stale")
FIGURE_COLUMNS = (
    "window_start",
    "date_day",
    *_FLAGS,
    "value",
    "ci_low",
    "ci_high",
    "n",
    "previous_value",
    "difference",
    "difference_low",
    "difference_high",
    "is_changed",
    "target",
    "is_target_met",
    "benchmark",
    "benchmark_source",
)
MEMBER_COLUMNS = (
    "member",
    "is_suppressed",
    "is_low_n",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "previous_value",
    "difference",
    "is_changed",
    "target",
    "is_target_met",
)
DIMENSION_COLUMNS = ("dimension", "name", "members")
MOMENT_COLUMNS = (
    "journey",
    "journey_name",
    "touchpoint",
    "touchpoint_name",
    "owner_department",
    "is_peak",
    "score_scale",
    "scores",
    "customers",
    "score_mean",
    "score_ci_low",
    "score_ci_high",
    "journey_score_mean",
)
CASE_COLUMNS = (
    "case_key",
    "customer_key",
    "trigger",
    "reason",
    "channel",
    "team",
    "outcome",
    "opened",
    "due",
    "value_rank",
    "value_amount",
    "value_currency",
)
RECOVERY_COLUMNS = ("month", "member", "is_suppressed", "is_low_n", "n", "value", "ci_low", "ci_high")
HEALTH_COLUMNS = ("area", "source", "stream", "measure", "day", "status", "value", "unit", "threshold", "message")
CHANGE_COLUMNS = ("day", "kind", "name", "change")
LEFT_OUT_COLUMNS = ("where", "because", "remedy", "sentence", "kpis")

Row = list[Any]


def without_what_is_hidden(row: Sequence[Any], columns: Sequence[str]) -> Row:
    """What the page may know of a row: of a hidden one nothing after its flags; no empty values at its end."""
    is_hidden = row[columns.index("is_suppressed")]
    values = list(row[: columns.index("value")] if is_hidden else row)
    while values and values[-1] is None:
        values.pop()
    return values


def as_it_travels(row: Sequence[Any]) -> Row:
    """A row as it travels: days as text."""
    return [value.isoformat() if isinstance(value, date) else value for value in row]
