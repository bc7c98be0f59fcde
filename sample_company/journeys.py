"""The journeys that happened: which events belong together, how far each journey came, and how it felt.

What lives here: the definition of journeys as the company tells it in words, recomputed with pandas. Not here: the
events themselves (moments.py). Nothing here is shared with the pipeline, on purpose: tests compare the two.

Leads and anchors begin journeys. A new one begins with the first in its thread, after an anchor, or after a gap; so a
purchase is any number of leads and at most one order, and a request for help is a chain of contacts about one topic.
What belongs to an order, a deal or a ticket goes where that record went; what belongs to nothing goes, within the
window, to the customer's latest journey that knows its touchpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from sample_company.kpis import end_of_day

EVENT_COLUMNS = (
    "object", "event", "record", "person", "touchpoint", "channel", "direction", "at", "order_id", "ticket_id", "topic",
    "scale", "score",
)  # fmt: skip
"""One row per event: what it happened to (`object`, `event`, `record`), whose it is (None: nobody known), and what it
belongs to: an order or deal, or a ticket with its topic. `scale` and `score` (0 to 1) are those of an answer."""

TEXTS = tuple(name for name in EVENT_COLUMNS if name not in {"at", "score"})


@dataclass(frozen=True)
class Step:
    """One step of a journey, reached by its touchpoints."""

    name: str
    touchpoints: tuple[str, ...]
    is_required: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of journey.

    Attributes:
        name: What it is called.
        thread: What its leads and anchors are lined up by.
        leads: Touchpoints that begin or continue a journey.
        anchors: Touchpoints that begin a journey and let nothing join after them.
        steps: In order.
        window_days: From its start to the day it is judged.
        gap_days: Longer silence between leads begins another journey.
        exits: Touchpoints at which it is given up.
        touches: Touchpoints that belong to it and lead nowhere.
    """

    name: str
    thread: Literal["customer", "customer_topic", "record"]
    leads: tuple[str, ...]
    anchors: tuple[str, ...]
    steps: tuple[Step, ...]
    window_days: int
    gap_days: int = 0
    exits: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()

    @property
    def by_time(self) -> set[str]:
        """Touchpoints whose events and answers join by time when they belong to no record."""
        reached = {touchpoint for step in self.steps for touchpoint in step.touchpoints}
        return (reached | set(self.touches)) - set(self.leads) - set(self.anchors)

    @property
    def known(self) -> set[str]:
        """Every touchpoint of this kind of journey."""
        return self.by_time | set(self.leads) | set(self.anchors) | set(self.exits)


_SEEN = ("ad_seen", "lead_registered")
_LOOKED = ("website_visit", "app_visit", "store_visit", "product_demo", "sales_call")
_BOUGHT = ("order_web", "order_app", "order_store", "order_phone", "order_other")
_ASKED = tuple(f"support_{way}" for way in ("email", "phone", "chat", "web", "app", "social", "store", "other"))

KINDS = (
    Kind(
        "purchase", "customer", leads=_SEEN + _LOOKED, anchors=_BOUGHT, window_days=60, gap_days=14,
        steps=(
            Step("awareness", _SEEN, is_required=False),
            Step("consideration", _LOOKED, is_required=False),
            Step("order", _BOUGHT),
            Step("dispatch", ("order_shipped",), is_required=False),
            Step("delivery", ("order_delivered", "order_delivered_late")),
        ),
        exits=("order_cancelled", "order_returned"), touches=("delivery_notice", "order_survey"),
    ),
    Kind(
        "sales", "record", leads=(), anchors=("deal_opened",), window_days=180,
        steps=(Step("opened", ("deal_opened",)), Step("won", ("order_sales",))), exits=("deal_lost",),
    ),
    Kind(
        "onboarding", "customer", leads=(), anchors=("customer_registered",), window_days=60,
        steps=(
            Step("signup", ("customer_registered",)),
            Step("welcome", ("onboarding_call",), is_required=False),
            Step("first_use", ("login",)),
        ),
    ),
    Kind(
        "support", "customer_topic", leads=(*_ASKED, "support_outreach"), anchors=(), window_days=30, gap_days=7,
        steps=(
            Step("contact", (*_ASKED, "support_outreach")),
            Step("answer", ("support_reply", "support_auto_reply"), is_required=False),
            Step("solution", ("support_solved",)),
        ),
        touches=("support_survey",),
    ),
    Kind(
        "renewal", "record", leads=(), anchors=("renewal_opened",), window_days=180,
        steps=(Step("opened", ("renewal_opened",)), Step("won", ("renewal_won",))), exits=("renewal_lost",),
    ),
)  # fmt: skip

STEPS = max(len(kind.steps) for kind in KINDS)
BY_TIME = ["at", "row"]
BEGINNING, END = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")


def bound(events: pd.DataFrame) -> pd.DataFrame:
    """Events in order of time, each with the `journey` it belongs to (a number; -1: none) and its kind.

    Among events of one moment the order given decides.
    """
    events = events.reset_index(drop=True).astype(dict.fromkeys(TEXTS, "str")).astype({"at": "datetime64[us]"})
    events["row"] = np.arange(len(events))
    events = events.sort_values(BY_TIME).reset_index(drop=True)
    events["is_answer"] = events["object"] == "survey_answer"
    events["journey"], events["kind"] = -1, ""
    events["is_begin"], events["is_contact"] = False, False
    first = 0
    for kind in KINDS:
        first = _begin(events, kind, first)
    _join_by_record(events)
    for kind in KINDS:
        _join_by_time(events, kind)
    return events


def _begin(events: pd.DataFrame, kind: Kind, first: int) -> int:
    """Number the journeys that leads and anchors of one kind begin, from `first`; returns the next free number."""
    begins = ~events["is_answer"] & events["touchpoint"].isin((*kind.leads, *kind.anchors))
    rows = events[begins].copy()
    rows["thread"] = _threads(rows, kind)
    rows = rows[rows["thread"].notna()].sort_values(["thread", *BY_TIME])
    before = rows.shift()
    silence = rows["at"] - before["at"]
    is_new = (rows["thread"] != before["thread"]) | before["touchpoint"].isin(kind.anchors)
    is_new |= silence > pd.Timedelta(days=kind.gap_days)
    numbers = first - 1 + is_new.cumsum()
    events.loc[rows.index, "journey"] = numbers
    events.loc[rows.index, "kind"] = kind.name
    events.loc[rows.index, "is_begin"] = is_new
    events.loc[rows.index, "is_contact"] = rows["direction"] == "inbound"
    return first + int(is_new.sum())


def _threads(rows: pd.DataFrame, kind: Kind) -> pd.Series:
    """What the leads and anchors are lined up by. Of nobody known, a record stands alone and a visit leads nowhere."""
    alone = rows["object"] + " " + rows["record"]
    alone = alone.where(rows["touchpoint"].isin(kind.anchors) | (kind.name == "support"))
    if kind.thread == "record":
        return alone
    theirs = rows["person"]
    if kind.thread == "customer_topic":
        theirs = theirs + " about " + rows["topic"].fillna("nothing")
    return theirs.where(rows["person"].notna(), alone)


def _join_by_record(events: pd.DataFrame) -> None:
    """What belongs to a ticket, or else to an order, goes to the journey of that record, if it has one."""
    about = events["ticket_id"].fillna(events["order_id"])
    for name in ("ticket", "order"):
        begun = events[(events["journey"] >= 0) & (events["object"] == name)]
        home = begun.drop_duplicates("record").set_index("record")
        rows = events.index[(events["journey"] < 0) & (about == events[f"{name}_id"])]
        rows = rows[about[rows].isin(home.index)]
        events.loc[rows, "journey"] = about[rows].map(home["journey"]).astype(int)
        events.loc[rows, "kind"] = about[rows].map(home["kind"])


def _join_by_time(events: pd.DataFrame, kind: Kind) -> None:
    """What belongs to no record goes to the person's latest journey that began by then, within its window."""
    touchpoint, is_answer = events["touchpoint"], events["is_answer"]
    listed = np.where(is_answer, touchpoint.isin(kind.known), touchpoint.isin(kind.by_time))
    free = (events["journey"] < 0) & events["person"].notna() & events["order_id"].isna() & events["ticket_id"].isna()
    rows = events[free & listed]
    started = events[(events["kind"] == kind.name) & events["is_begin"] & events["person"].notna()]
    if rows.empty or started.empty:
        return
    latest = pd.merge_asof(
        rows[["at", "row", "person"]].reset_index(),
        started[["at", "person", "journey"]].assign(started_at=started["at"]),
        on="at", by="person",
    )  # fmt: skip
    latest = latest[latest["at"] <= latest["started_at"] + pd.Timedelta(days=kind.window_days)]
    events.loc[latest["index"], "journey"] = latest["journey"].astype(int).to_numpy()
    events.loc[latest["index"], "kind"] = kind.name


def journeys(events: pd.DataFrame, handoffs: pd.Series, as_of: date) -> pd.DataFrame:
    """One row per journey of `bound` events.

    Args:
        events: As `bound` gives them.
        handoffs: By ticket, how often it was handed from one to another.
        as_of: Day at whose end, in the reporting time zone, windows are judged.
    """
    there = [kind for kind in KINDS if (events["kind"] == kind.name).any()]
    found = pd.concat([_of_kind(events[events["kind"] == kind.name], kind, as_of) for kind in there])
    tickets = events[(events["object"] == "ticket") & (events["journey"] >= 0)].drop_duplicates("record")
    handed = tickets["record"].map(handoffs).fillna(0).groupby(tickets["journey"]).sum()
    found["n_handoffs"] = handed.reindex(found.index).fillna(0).astype(int)
    return found.join(_feelings(events)).reset_index()


def _of_kind(events: pd.DataFrame, kind: Kind, as_of: date) -> pd.DataFrame:
    by_journey = events.groupby("journey")
    begins = events[events["is_begin"]].set_index("journey")
    table = pd.DataFrame({"kind": kind.name, "started_at": begins["at"], "person": begins["person"]})
    name = _name(events, kind).reindex(table.index)
    table["anchor_object"], table["anchor_record"] = name["object"], name["record"]
    table["window_ends_at"] = table["started_at"] + pd.Timedelta(days=kind.window_days)
    table["last_event_at"], table["n_events"] = by_journey["at"].max(), by_journey.size()
    reached = _steps(events, kind).reindex(table.index)
    for number in range(STEPS):
        at = reached[number] if number < len(kind.steps) else pd.Series(pd.NaT, index=table.index)
        table[f"step_{number + 1}_at"] = at.astype("datetime64[us]")
    required = reached[[number for number, step in enumerate(kind.steps) if step.is_required]]
    done_at = required.max(axis=1).where(required.notna().all(axis=1))
    table["completed_at"] = done_at.where(done_at <= table["window_ends_at"])
    table["is_completed"] = table["completed_at"].notna()
    table["is_matured"] = table["window_ends_at"] <= end_of_day(as_of)
    _exit(table, events, reached, kind)
    _count_contacts(table, events)
    return table


def _name(events: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """What a journey is known by: its anchor, or else its first event."""
    named = events[~events["is_answer"] & events["touchpoint"].isin((*kind.leads, *kind.anchors))]
    named = named.assign(rank=~named["touchpoint"].isin(kind.anchors))
    return named.sort_values(["rank", *BY_TIME]).drop_duplicates("journey").set_index("journey")[["object", "record"]]


def _steps(events: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """By journey and number of the step, when it was reached. Answers reach no step.

    Required steps are reached one after the other; an optional one between the required ones around it.
    """
    acts = events[~events["is_answer"]]
    everyone = acts["journey"].unique()
    reached = pd.DataFrame(index=everyone)
    last = pd.Series(BEGINNING, index=everyone)
    is_lost = pd.Series(False, index=everyone)
    order = [n for n, step in enumerate(kind.steps) if step.is_required]
    for number in order:
        at = _first(acts, kind.steps[number], after=last).where(~is_lost)
        reached[number], is_lost, last = at, at.isna(), at.fillna(last)
    for number, step in enumerate(kind.steps):
        if step.is_required:
            continue
        after = _bound_by(reached[[n for n in order if n < number]].max(axis=1), BEGINNING)
        before = _bound_by(reached[[n for n in order if n > number]].min(axis=1), END)
        reached[number] = _first(acts, step, after, before)
    return reached[sorted(reached.columns)]


def _bound_by(times: pd.Series, otherwise: pd.Timestamp) -> pd.Series:
    """Times of a neighbour; where it is missing it does not bound."""
    return times.astype("datetime64[us]").fillna(otherwise)


def _first(acts: pd.DataFrame, step: Step, after: pd.Series, before: pd.Series | None = None) -> pd.Series:
    rows = acts[acts["touchpoint"].isin(step.touchpoints)]
    rows = rows[rows["at"] >= rows["journey"].map(after)]
    if before is not None:
        rows = rows[rows["at"] <= rows["journey"].map(before)]
    return rows.groupby("journey")["at"].min().reindex(after.index)


def _exit(table: pd.DataFrame, events: pd.DataFrame, reached: pd.DataFrame, kind: Kind) -> None:
    """Why and where a journey ended before its time; one that just ran out of it was dropped."""
    given_up = events[~events["is_answer"] & events["touchpoint"].isin(kind.exits)].drop_duplicates("journey")
    given_up = given_up.set_index("journey").reindex(table.index)
    names = [step.name for step in kind.steps]
    dropped = given_up["at"].isna() & table["is_matured"] & ~table["is_completed"]
    table["exited_at"] = given_up["at"]
    table["exit_reason"] = given_up["touchpoint"].where(~dropped, "dropped")
    there = reached.notna()
    until = given_up["at"].fillna(reached.max(axis=1))
    table["exit_step"] = _last(there & reached.le(until, axis=0), names).where(table["exit_reason"].notna())
    table["current_step"] = _last(there, names)


def _last(is_reached: pd.DataFrame, names: list[str]) -> pd.Series:
    """Name of the last step reached, in the order of steps."""
    place = (is_reached * np.arange(1, len(names) + 1)).max(axis=1)
    return place.map(dict(enumerate(names, start=1)))


def _count_contacts(table: pd.DataFrame, events: pd.DataFrame) -> None:
    """Contacts are what the customer began; one by another channel than the contact before it is a switch."""
    contacts = events[events["is_contact"]].sort_values(["journey", *BY_TIME])
    before = contacts.groupby("journey")["channel"].shift()
    switches = (contacts["channel"] != before) & before.notna() & (before != "unknown")
    switches &= contacts["channel"] != "unknown"
    table["n_contacts"] = contacts.groupby("journey").size().reindex(table.index).fillna(0).astype(int)
    table["n_switches"] = switches.groupby(contacts["journey"]).sum().reindex(table.index).fillna(0).astype(int)


def _feelings(events: pd.DataFrame) -> pd.DataFrame:
    """The best, the worst and the last answer of each journey; of equals the earlier."""
    answers = events[events["is_answer"] & (events["journey"] >= 0) & events["score"].notna()]
    chosen = {
        "peak": answers.sort_values(["score", *BY_TIME], ascending=[False, True, True]),
        "trough": answers.sort_values(["score", *BY_TIME]),
        "end": answers.sort_values(BY_TIME, ascending=False),
    }
    parts = []
    for name, ranked in chosen.items():
        one = ranked.drop_duplicates("journey").set_index("journey")[["score", "touchpoint", "scale"]]
        parts.append(one.add_prefix(f"{name}_"))
    return pd.concat(parts, axis=1)
