"""What is true of the nights at one moment: all that alerts are decided by. Plain values.

Not here: finding it out (look.py), what is wrong about it (causes.py).

Nothing here was delivered by a source: names of streams, steps, checks and KPIs, dates and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from orchestration.config.sources_file import AlertKeys, NightKeys

Outcome = Literal["running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class Promise:
    """What the company file promises, and who is told when it is not kept."""

    company: str
    first_date: date
    nights: NightKeys
    alerts: AlertKeys


@dataclass(frozen=True)
class Seen:
    """The version readers see; `published_at` bears an offset."""

    version: str
    as_of: date
    published_at: datetime


@dataclass(frozen=True)
class LastNight:
    """The newest night: when it began, with an offset, and how it stands.

    `failed_step` is the key of the step it failed in; empty: it did not fail, or in no step.
    """

    began: datetime
    outcome: Outcome
    failed_step: str = ""


@dataclass(frozen=True)
class Blocked:
    """One check that keeps one extract out, and how many of its rows are in quarantine."""

    stream: str
    extract_date: date
    check: str
    rows: int | None
    quarantined: int


@dataclass(frozen=True)
class Worse:
    """A KPI of which dbt says that it changed, and that got worse.

    Attributes:
        kpi: Code.
        name: Name.
        unit: Unit of the values.
        decimals: Decimals to show.
        value: Of the window up to `until`.
        before: Of the window before.
        since: First day of the window.
        until: Its last day.
        is_beyond_chance: It would be taken for a change with all compared KPIs looked at together.
    """

    kpi: str
    name: str
    unit: str
    decimals: int
    value: float
    before: float
    since: date
    until: date
    is_beyond_chance: bool


@dataclass(frozen=True)
class Restated:
    """A KPI of which figures of a closed month are others than they were closed with.

    Attributes:
        kpi: Code.
        month: First day of the month.
        figures: How many of its figures: of the company and of its parts.
        example: The first of them, from what to what.
    """

    kpi: str
    month: date
    figures: int
    example: str


@dataclass(frozen=True)
class Sampled:
    """What the sample of a night said that was derived anew.

    Attributes:
        differing: Models of which keys differ, and of how many they do.
        is_built_anew: The version was built from nothing, so nothing in it stands from nights before.
    """

    differing: Mapping[str, int]
    is_built_anew: bool


@dataclass(frozen=True)
class Facts:
    """What is true at one moment.

    Attributes:
        now: In the reporting time zone.
        seen: What readers see; None: nothing.
        night: The newest night; None: there was none.
        blocked: What keeps extracts out.
        worse: KPIs that got worse; None: the figures are those looked at last time.
        restated: Closed months whose figures changed; None: the figures are those looked at last time.
        sampled: What the night's sample said; None: that of this version was looked at last time.
        damage: What is wrong with what readers see, in a sentence without its full stop; None: nothing.
        stopped: A night was asked for and ended before its first step.
    """

    now: datetime
    seen: Seen | None
    night: LastNight | None
    blocked: tuple[Blocked, ...]
    worse: tuple[Worse, ...] | None
    restated: tuple[Restated, ...] | None = ()
    sampled: Sampled | None = None
    damage: str | None = None
    stopped: bool = False
