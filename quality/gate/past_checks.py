"""The checks of an extract against those before it: how many rows, how old, how they look.

Pure: from profiles to outcomes. Not here: what is usual (quality/past).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from quality.contract.model import Contract
from quality.gate.check_result import IN_WORDS, OUTCOMES, CheckResult
from quality.past import usual
from quality.past.distribution import by_days_ago, findings, in_words
from quality.past.profiles import Profile
from quality.past.usual import USUAL

# Without a limit in the contract: the newest row may be this much older than it ever was in the last weeks, and
# cannot be right once it is a week and three times as old.
_UNUSUAL_DAYS, _IMPOSSIBLE_DAYS, _IMPOSSIBLE_TIMES = 2.0, 7.0, 3.0


def volume(contract: Contract, profile: Profile, past: Sequence[Profile]) -> tuple[CheckResult, bool]:
    """As many rows as are usual for the stream and the weekday; of what is not usual, only what cannot be blocks.

    Args:
        contract: The contract.
        profile: The extract's; only what was delivered matters.
        past: Profiles of the nights before, newest first.

    Returns:
        What is said, and whether far more rows came than usual.
    """
    rows, day = profile.delivered, profile.extract_date
    if profile.is_history:
        return CheckResult("volume", "pass", {"rows": rows}), False
    limits = contract.volume
    held = usual.count(
        rows,
        by_days_ago(day, past, lambda night: night.delivered),
        min_ratio=limits.min_ratio,
        max_ratio=limits.max_ratio,
        min_nights=limits.min_nights,
    )
    metadata: dict[str, int | float | str] = {"rows": rows, "nights": len(past)}
    if held.level != USUAL:
        metadata[IN_WORDS] = in_words(day, rows, float(held.usual), float(held.low), float(held.high))
    return CheckResult("volume", OUTCOMES[int(held.level)], metadata), bool(held.more)


def freshness(
    contract: Contract, extract_date: date, rows: int, newest: datetime | None, ages: Sequence[float] = ()
) -> CheckResult:
    """The newest row is young enough, by the contract or by what is usual; a quiet day has none.

    Args:
        contract: The contract.
        extract_date: Which day's extract.
        rows: Rows delivered.
        newest: Newest value of the column that tells the age; None: there is none.
        ages: Days of the newest rows of the nights before.
    """
    column = contract.age_column
    if column is None or not rows:
        return CheckResult("freshness", "pass")
    end = datetime.combine(extract_date + timedelta(days=1), time(), UTC)
    if newest is None:
        return CheckResult("freshness", "fail" if contract.freshness else "pass", {"column": column, "values": 0})
    age = (end - newest) / timedelta(days=1)
    metadata: dict[str, int | float | str] = {"column": column, "age in days": round(age, 2)}
    if contract.freshness:
        limit = contract.freshness.max_age_days
        return CheckResult("freshness", "pass" if age <= limit else "fail", {**metadata, "limit in days": limit})
    if len(ages) < usual.LEAST_NIGHTS or age <= max(ages) + _UNUSUAL_DAYS:
        return CheckResult("freshness", "pass", metadata)
    impossible = len(ages) >= contract.volume.min_nights and age > _IMPOSSIBLE_DAYS + _IMPOSSIBLE_TIMES * max(ages)
    return CheckResult("freshness", "fail" if impossible else "warn", {**metadata, "usual up to": round(max(ages), 2)})


def distribution(contract: Contract, profile: Profile, past: Sequence[Profile], *, many_more: bool) -> CheckResult:
    """The columns look as they usually do: how full, which values, how large, how old, how new.

    Args:
        contract: The contract.
        profile: The extract's.
        past: Profiles of the nights before, newest first.
        many_more: Far more rows came than usual.
    """
    found = findings(contract, profile, past, many_more=many_more)
    said: dict[str, int | float | str] = {}
    for each in found:
        said[each.about] = f"{said[each.about]}; {each.words}" if each.about in said else each.words
    worst = max((each.level for each in found), default=USUAL)
    return CheckResult("distribution", OUTCOMES[worst], {"rows": profile.rows, "nights": len(past), **said})
