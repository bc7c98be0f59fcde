"""The journey marts counted again, from their definitions, one period at a time. Slow and plain on purpose.

What lives here: what mart_journey_map, mart_journey_path and mart_channel_consistency must say of given facts. Not
here: how events become journeys (fct_journey is taken as it is), any SQL of the models.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from dbt_harness import Warehouse
from hidden_recount import hidden_in_table, hidden_siblings

from tests.counting.calendar import BERLIN, local_day
from tests.counting.differences import difference, of_places, of_score, of_share
from tests.counting.intervals import interval_of_a_quantile, interval_of_a_score, interval_of_a_share, quantile

Row = dict[str, Any]
Cells = dict[tuple[Any, ...], Row]
Cell = tuple[str, str, str, str]
"""Of the map in one period: journey, segment, step, touchpoint."""
MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
FLOOR = 0.4


@dataclass
class Facts:
    """What the marts are made of, with each event's day, segment, touchpoint and stage."""

    as_of: date
    events: list[Row]
    journeys: list[Row]
    steps: dict[str, list[Row]]
    stages: dict[str, int]
    served: dict[tuple[str, str], str]
    answers: list[Row]
    tickets: list[Row]
    preferred: dict[int, str]
    limits: dict[str, float]
    ends_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.ends_at = datetime.combine(self.as_of + timedelta(days=1), datetime.min.time(), BERLIN)

    def first_of_year(self) -> date:
        """The first of the last 365 days."""
        return self.as_of - timedelta(days=364)

    def periods(self) -> Iterator[tuple[str, date, date]]:
        """Each period with its first and last day."""
        first = min(event["day"] for event in self.events).replace(day=1)
        while first <= self.as_of:
            following = (first + timedelta(days=32)).replace(day=1)
            yield "month", first, min(following - timedelta(days=1), self.as_of)
            first = following
        yield "last_365_days", self.first_of_year(), self.as_of


def read_facts(warehouse: Warehouse) -> Facts:
    """Read what the marts are made of."""
    marts = "cx_marts.main"
    day = "strptime(cast({} as varchar), '%Y%m%d')::date"
    events = warehouse.rows(
        f"""select e.* exclude (touchpoint_key), {day.format("e.date_key")} as day, t.touchpoint, t.stage,
        t.stage_order, c.segment from {marts}.fct_journey_event e join {marts}.dim_touchpoint t using (touchpoint_key)
        join {marts}.dim_customer c on c.customer_key = e.customer_key"""
    )
    journeys = warehouse.rows(
        f"""select j.*, {day.format("j.start_date_key")} as day, c.segment
        from {marts}.fct_journey j join {marts}.dim_customer c on c.customer_key = j.customer_key"""
    )
    steps = defaultdict(list)
    for step in warehouse.rows(f"select * from {marts}.dim_journey_step order by step_order"):
        steps[step["journey"]].append(step)
    answers = warehouse.rows(
        f"""select a.*, {day.format("a.answered_date_key")} as day,
        t.channel as ticket_channel, o.channel as order_channel from {marts}.fct_survey_answer a
        left join {marts}.fct_ticket t using (ticket_key) left join {marts}.fct_order o using (order_key)
        where a.is_counted"""
    )
    tickets = warehouse.rows(f"select * from {marts}.fct_ticket where removed_kind is null")
    served = warehouse.rows("select * from seeds.journey_touchpoints where step is not null")
    preferred = warehouse.rows(f"select * from {marts}.dim_customer where preferred_channel is not null")
    return Facts(
        as_of=warehouse.as_of,
        events=events,
        journeys=journeys,
        steps=dict(steps),
        stages={step["step"]: step["step_order"] for step in steps["customer"]},
        served={(row["journey"], row["touchpoint"]): row["step"] for row in served},
        answers=answers,
        tickets=tickets,
        preferred={row["customer_key"]: row["preferred_channel"] for row in preferred},
        limits={step["step"]: step["target_minutes"] for step in steps["support"]},
    )


def one_or_own(customer: int, key: int) -> int:
    """Who a record is of: a customer, or where nobody is known, somebody of its own."""
    return customer if customer != -1 else -1 - key


def journey_map(facts: Facts) -> Cells:
    """(journey, segment, step, touchpoint, period, first day) -> what the map must say; hidden figures are None."""
    cells: Cells = {}
    hidden: dict[str, set[Cell]] = defaultdict(set)
    for period, first, of_period in map_by_period(facts):
        in_months = hidden if period != "month" else {}
        for part, found in _hide(of_period, in_months).items():
            if first >= facts.first_of_year():
                hidden[part] |= found
        cells |= {(*cell, period, first): row for cell, row in of_period.items()}
    return cells


def map_by_period(facts: Facts) -> Iterator[tuple[str, date, Cells]]:
    """Each period with its first day and its cells, nothing hidden; `_flow`, `_score` and `_exit` are their people."""
    for period, first, last in facts.periods():
        flow = [*_typed_units(facts, first, last), *_customer_units(facts, first, last)]
        yield period, first, _period_cells(facts, flow, list(_answers(facts, first, last)))


def _typed_units(facts: Facts, first: date, last: date) -> Iterator[Row]:
    """A row per journey, reached step and touchpoint ('all' too) of the journeys that started in these days."""
    touched: dict[tuple[int, str], set[str]] = defaultdict(set)
    for event in facts.events:
        if event["journey_key"] != -1 and event["step"] and event["object"] != "survey_answer":
            touched[event["journey_key"], event["step"]].add(event["touchpoint"])
    for journey in facts.journeys:
        if not first <= journey["day"] <= last:
            continue
        steps = facts.steps[journey["journey"]]
        for place, step in enumerate(steps):
            reached = journey[f"step_{step['step_order']}_at"]
            if reached is None:
                continue
            later = (journey[f"step_{other['step_order']}_at"] for other in steps[place + 1 :])
            following = next((at for at in later if at is not None and at <= journey["window_ends_at"]), None)
            is_over = following is None and not journey["is_completed"] and place + 1 < len(steps)
            for touchpoint in {"all"} | touched[journey["journey_key"], step["step"]]:
                yield {
                    "cell": (journey["journey"], step["step"], touchpoint),
                    "segment": journey["segment"],
                    "who": one_or_own(journey["customer_key"], journey["journey_key"]),
                    "progressed": journey["is_matured"] and following is not None,
                    "dropped": journey["is_matured"] and is_over,
                    "still_open": not journey["is_matured"] and is_over,
                    "minutes": _minutes(reached, following),
                }


def _customer_units(facts: Facts, first: date, last: date) -> Iterator[Row]:
    """A row per known customer and touchpoint or stage they had an event at in these days."""
    mine: dict[int, list[Row]] = defaultdict(list)
    for event in sorted(facts.events, key=lambda event: (event["occurred_at"], event["event_key"])):
        if event["customer_key"] != -1 and event["touchpoint"] != "unknown" and event["day"] <= facts.as_of:
            mine[event["customer_key"]].append(event)
    for customer, events in mine.items():
        firsts: dict[tuple[str, str], Row] = {}
        for event in events:
            if first <= event["day"] <= last:
                firsts.setdefault((event["stage"], event["touchpoint"]), event)
                firsts.setdefault((event["stage"], "all"), event)
        for (stage, touchpoint), event in firsts.items():
            begun = event["occurred_at"]
            following = next(
                (
                    other["occurred_at"]
                    for other in events
                    if begun <= other["occurred_at"] <= begun + MONTH and other["stage_order"] > event["stage_order"]
                ),
                None,
            )
            is_mature = begun + MONTH <= facts.ends_at
            is_over = following is None and event["stage_order"] < max(facts.stages.values())
            yield {
                "cell": ("customer", stage, touchpoint),
                "segment": event["segment"],
                "who": customer,
                "progressed": is_mature and following is not None,
                "dropped": is_mature and is_over,
                "still_open": not is_mature and is_over,
                "minutes": _minutes(begun, following),
            }


def _minutes(start: datetime, finish: datetime | None) -> float | None:
    return None if finish is None or finish < start else math.floor((finish - start).total_seconds()) / 60


def _answers(facts: Facts, first: date, last: date) -> Iterator[Row]:
    """A row per answer of these days and cell it counts in."""
    contacts: dict[int, list[datetime]] = defaultdict(list)
    for event in facts.events:
        if event["direction"] == "inbound" and event["day"] <= facts.as_of:
            contacts[event["customer_key"]].append(event["occurred_at"])
    for event in facts.events:
        if event["score_norm"] is None or event["touchpoint"] == "unknown" or not first <= event["day"] <= last:
            continue
        at, customer = event["occurred_at"], event["customer_key"]
        places = [("customer", event["stage"], one_or_own(customer, event["event_key"]))]
        if (event["journey"], event["touchpoint"]) in facts.served:
            step = facts.served[event["journey"], event["touchpoint"]]
            places.append((event["journey"], step, one_or_own(customer, event["journey_key"])))
        for journey, step, who in places:
            for touchpoint in ("all", event["touchpoint"]):
                yield {
                    "cell": (journey, step, touchpoint),
                    "segment": event["segment"],
                    "who": who,
                    "scale": event["score_scale"],
                    "score": event["score_norm"],
                    "is_judged": customer != -1 and at + QUARTER <= facts.ends_at,
                    "is_back": any(at < other <= at + QUARTER for other in contacts[customer]),
                }


def _grouped(rows: Iterable[Row]) -> dict[tuple[str, str, str, str], list[Row]]:
    groups: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        journey, step, touchpoint = row["cell"]
        for segment in ("all", row["segment"]):
            groups[journey, segment, step, touchpoint].append(row)
    return groups


def _period_cells(facts: Facts, flow: list[Row], said: list[Row]) -> Cells:
    scales: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for row in said:
        scales[row["cell"]][row["scale"]] += 1
    shown = {cell: min(count, key=lambda scale: (-count[scale], scale)) for cell, count in scales.items()}
    flows = _grouped(flow)
    answers = _grouped(row for row in said if row["scale"] == shown[row["cell"]])
    every_scale = _grouped(said)
    rows: Cells = {}
    for cell in {*flows, *answers}:
        journey, segment, step, touchpoint = cell
        scale = shown.get((journey, step, touchpoint))
        whole = [
            row
            for (other, of, _, at), group in every_scale.items()
            if other == "customer" and of == segment and at != "all"
            for row in group
            if row["scale"] == scale
        ]
        of_step = [row for row in every_scale.get((journey, segment, step, "all"), []) if row["scale"] == scale]
        is_last = step == facts.steps[journey][-1]["step"]
        rows[cell] = {
            **_flow_figures(flows.get(cell, []), is_last),
            **_score_figures(answers.get(cell, []), whole, of_step, touchpoint),
            **_exit_figures(answers.get(cell, [])),
            "score_scale": scale,
        }
        rows[cell]["opportunity_size"] = (
            None if rows[cell]["score_gap"] is None else rows[cell]["entered"] * max(0.0, -rows[cell]["score_gap"])
        )
    return rows


def _flow_figures(units: list[Row], is_last: bool) -> Row:
    progressed, dropped = (sum(unit[name] for unit in units) for name in ("progressed", "dropped"))
    minutes = [unit["minutes"] for unit in units if unit["progressed"] and unit["minutes"] is not None]
    people = len({unit["who"] for unit in units})
    return {
        "entered": len(units),
        "customers": people,
        "progressed": progressed,
        "dropped": dropped,
        "still_open": sum(unit["still_open"] for unit in units),
        "progress_rate": progressed / (progressed + dropped) if progressed + dropped and not is_last else None,
        "minutes_to_next_p50": quantile(minutes, 0.5),
        "minutes_to_next_p90": quantile(minutes, 0.9),
        "is_low_n": len(units) < 30,
        "_flow": people,
    }


def _score_figures(answers: list[Row], whole: list[Row], of_step: list[Row], touchpoint: str) -> Row:
    names = ("score_mean", "score_ci_low", "score_ci_high", "score_p10", "score_p50", "score_p90", "share_below_floor",
             "journey_score_mean", "score_gap", "channel_gap")  # fmt: skip
    figures: Row = {"scores": len(answers), **dict.fromkeys(names), "is_peak": False, "is_trough": False}
    figures["_score"] = len({row["who"] for row in answers})
    if not answers:
        return figures
    scores = [row["score"] for row in answers]
    mean, journey_mean = float(np.mean(scores)), float(np.mean([row["score"] for row in whole]))
    gap = mean - journey_mean
    figures |= {"score_mean": mean, "journey_score_mean": journey_mean, "score_gap": gap}
    figures |= {f"score_p{q}": quantile(scores, q / 100) for q in (10, 50, 90)}
    figures["share_below_floor"] = sum(score <= FLOOR for score in scores) / len(scores)
    if touchpoint != "all":
        figures["channel_gap"] = mean - float(np.mean([row["score"] for row in of_step]))
    estimate = of_places(scores, 1)
    if estimate is not None:
        middle, half = estimate
        low, high = max(0.0, middle - half), min(1.0, middle + half)
        can_differ = len(scores) >= 30 and len({row["cell"] for row in whole}) > 1 and touchpoint != "all"
        figures |= {"score_ci_low": low, "score_ci_high": high}
        figures["is_peak"] = can_differ and low > journey_mean and gap >= 0.1
        figures["is_trough"] = can_differ and high < journey_mean and gap <= -0.1
    return figures


def _exit_figures(answers: list[Row]) -> Row:
    judged = [row for row in answers if row["is_judged"]]
    low, other = ([row for row in judged if (row["score"] <= FLOOR) == wanted] for wanted in (True, False))
    rates = [1 - sum(row["is_back"] for row in rows) / len(rows) if rows else None for rows in (low, other)]
    return {
        "low_scores": len(low),
        "exit_rate_after_low": rates[0],
        "exit_rate_otherwise": rates[1],
        "_exit": len({row["who"] for row in judged}),
    }


PARTS = {
    "_flow": ("entered", "customers", "progressed", "dropped", "still_open", "progress_rate", "minutes_to_next_p50",
              "minutes_to_next_p90", "opportunity_size"),
    "_score": ("scores", "score_mean", "score_ci_low", "score_ci_high", "score_p10", "score_p50", "score_p90",
               "share_below_floor", "journey_score_mean", "score_gap", "is_peak", "is_trough", "channel_gap",
               "opportunity_size"),
    "_exit": ("low_scores", "exit_rate_after_low", "exit_rate_otherwise"),
}  # fmt: skip


def _hide(cells: Cells, in_months: dict[str, set[Cell]]) -> dict[str, set[Cell]]:
    """Hide small parts of cells of one period, and what would give them away; say which cells, part by part.

    `in_months` are the cells hidden in a month that lies in the period, part by part.
    """
    hidden: dict[str, set[Cell]] = {}
    for part in PARTS:
        hidden[part] = set()
        for journey, step in {(cell[0], cell[2]) for cell in cells}:
            people = {(cell[3], cell[1]): row[part] for cell, row in cells.items() if cell[0::2] == (journey, step)}
            must = {(cell[3], cell[1]) for cell in in_months.get(part, ()) if cell[0::2] == (journey, step)}
            places = hidden_in_table(people, must & set(people))
            hidden[part] |= {(journey, segment, step, touchpoint) for touchpoint, segment in places}
    for part, figures in PARTS.items():
        for cell in hidden[part]:
            cells[cell] |= dict.fromkeys(figures)
    for (journey, segment, step, _), row in cells.items():
        if (journey, segment, step, "all") in hidden["_score"]:
            row["channel_gap"] = None
    for cell, row in cells.items():
        row["is_suppressed"] = cell in hidden["_flow"] or (row["_flow"] == 0 and cell in hidden["_score"])
    return hidden


def journey_paths(facts: Facts) -> Cells:
    """(journey, from, to, period, first day) -> what the paths must say; hidden figures are None."""
    ways = ways_of(facts)
    cells: Cells = {}
    in_months: set[tuple[str, str, str]] = set()
    for period, first, last in facts.periods():
        groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for way in ways:
            if first <= way["day"] <= last:
                groups[way["way"]].append(way)
        hidden = _hidden_ways(groups, in_months if period != "month" else set())
        if first >= facts.first_of_year():
            in_months |= hidden
        for journey in {way[0] for way in groups}:
            mine = {way: rows for way, rows in groups.items() if way[0] == journey}
            cells |= {(*way, period, first): row for way, row in _ranked(mine, hidden).items()}
    return cells


def _hidden_ways(
    groups: dict[tuple[str, str, str], list[Row]], must: set[tuple[str, str, str]]
) -> set[tuple[str, str, str]]:
    """The ways to hide, among those from the same touchpoint."""
    families: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (journey, origin, goal), rows in groups.items():
        families[journey, origin][goal] = len({row["who"] for row in rows})
    return {
        (*family, goal)
        for family, people in families.items()
        for goal in hidden_siblings(people, {way[2] for way in must if way[:2] == family})
    }


def _ways(
    events: list[Row], is_near: Callable[[Row, Row], bool], can_end: Callable[[Row], bool]
) -> Iterator[tuple[str, str, Row, float | None]]:
    if not events:
        return
    yield "start", events[0]["touchpoint"], events[0], None
    for event, following in itertools.pairwise(events):
        if is_near(event, following):
            yield (
                event["touchpoint"],
                following["touchpoint"],
                event,
                _minutes(event["occurred_at"], following["occurred_at"]),
            )
        else:
            if can_end(event):
                yield event["touchpoint"], "end", event, None
            yield "start", following["touchpoint"], following, None
    if can_end(events[-1]):
        yield events[-1]["touchpoint"], "end", events[-1], None


def ways_of(facts: Facts) -> list[Row]:
    """Every way somebody went: `way` (journey, from, to), `day`, `who`, `minutes`."""
    return [*_typed_ways(facts), *_customer_ways(facts)]


def _typed_ways(facts: Facts) -> Iterator[Row]:
    members = defaultdict(list)
    for event in sorted(facts.events, key=lambda event: (event["occurred_at"], event["event_key"])):
        members[event["journey_key"]].append(event)
    for journey in facts.journeys:
        is_open = journey["is_open"]
        found = _ways(members[journey["journey_key"]], lambda *_: True, lambda _, is_open=is_open: not is_open)
        for origin, goal, _, minutes in found:
            who = one_or_own(journey["customer_key"], journey["journey_key"])
            yield {"way": (journey["journey"], origin, goal), "day": journey["day"], "who": who, "minutes": minutes}


def _customer_ways(facts: Facts) -> Iterator[Row]:
    members = defaultdict(list)
    for event in sorted(facts.events, key=lambda event: (event["occurred_at"], event["event_key"])):
        if event["customer_key"] != -1 and event["day"] <= facts.as_of:
            members[event["customer_key"]].append(event)
    for customer, events in members.items():
        found = _ways(
            events,
            lambda event, following: following["occurred_at"] <= event["occurred_at"] + MONTH,
            lambda event: event["occurred_at"] + MONTH <= facts.ends_at,
        )
        for origin, goal, event, minutes in found:
            yield {"way": ("customer", origin, goal), "day": event["day"], "who": customer, "minutes": minutes}


def _ranked(
    groups: dict[tuple[str, str, str], list[Row]], hidden: set[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Row]:
    people = {way: len({row["who"] for row in rows}) for way, rows in groups.items()}
    leaving = Counter[str]()
    for (_, origin, _), rows in groups.items():
        leaving[origin] += len(rows)
    most = sorted(groups, key=lambda way: (-len(groups[way]), way))[:50]
    rows: dict[tuple[str, str, str], Row] = {}
    for place, way in enumerate(most, start=1):
        minutes = [row["minutes"] for row in groups[way] if row["minutes"] is not None]
        figures: Row = {
            "transitions": len(groups[way]),
            "customers": people[way],
            "share_of_from": len(groups[way]) / leaving[way[1]],
            "minutes_p50": quantile(minutes, 0.5),
            "minutes_p90": quantile(minutes, 0.9),
            "path_rank": place,
        }
        rows[way] = (dict.fromkeys(figures) if way in hidden else figures) | {"is_suppressed": way in hidden}
    return rows


def channels(facts: Facts) -> Cells:
    """(kpi, channel, period, first day) -> what the consistency mart must say; hidden figures are None."""
    records = list(channel_records(facts))
    cells: Cells = {}
    in_months: dict[str, set[str]] = defaultdict(set)
    for period, first, last in facts.periods():
        for kpi in {record["kpi"] for record in records}:
            mine = [record for record in records if record["kpi"] == kpi and first <= record["day"] <= last]
            rows = _channel_rows(kpi, mine, in_months[kpi] if period != "month" else set())
            if first >= facts.first_of_year():
                in_months[kpi] |= {channel for channel, row in rows.items() if row["is_suppressed"]}
            cells |= {(kpi, channel, period, first): row for channel, row in rows.items()}
    return cells


def channel_records(facts: Facts) -> Iterator[Row]:
    """Every record a KPI of the channels counts: `kpi`, `channel`, `day`, `who` and what it measures."""
    good, bad = ("promoter", "positive"), ("detractor", "negative")
    for answer in facts.answers:
        if answer["metric"] in ("csat", "ces") or (answer["metric"] == "nps" and answer["survey_kind"] != "relational"):
            channel = next(
                name
                for name in (answer["ticket_channel"], answer["order_channel"], answer["channel"])
                if name not in (None, "unknown")
            )
            yield {
                "kpi": "nps_transactional" if answer["metric"] == "nps" else answer["metric"],
                "channel": channel,
                "day": answer["day"],
                "who": one_or_own(answer["customer_key"], answer["answer_key"]),
                "good": answer["answer_class"] in good,
                "bad": answer["answer_class"] in bad,
                "level": answer["score_norm"],
                "floor": FLOOR,
                "is_beyond": answer["score_norm"] <= FLOOR,
            }
    for ticket in facts.tickets:
        for kpi, at, step in (
            ("first_reply_minutes", "first_reply_at", "answer"),
            ("full_resolution_minutes", "last_solved_at", "solution"),
        ):
            if ticket[kpi] is not None and (ticket["is_customer_initiated"] or kpi == "full_resolution_minutes"):
                yield {
                    "kpi": kpi,
                    "channel": ticket["channel"],
                    "day": local_day(ticket[at]),
                    "who": one_or_own(ticket["customer_key"], ticket["ticket_key"]),
                    "level": ticket[kpi],
                    "floor": facts.limits[step],
                    "is_beyond": ticket[kpi] > facts.limits[step],
                }
    for journey in facts.journeys:
        if journey["journey"] == "support" and journey["is_matured"]:
            yield {
                "kpi": "journeys_with_switch",
                "channel": journey["first_channel"],
                "day": journey["day"],
                "who": one_or_own(journey["customer_key"], journey["journey_key"]),
                "good": journey["n_switches"] > 0,
            }
    for event in facts.events:
        is_ours = event["direction"] == "outbound" and (
            event["object"] == "activity" or event["event"] == "created_by_us"
        )
        if is_ours and event["customer_key"] in facts.preferred and event["channel"] not in ("unknown", "other"):
            yield {
                "kpi": "preferred_channel_match",
                "channel": event["channel"],
                "day": event["day"],
                "who": event["customer_key"],
                "good": event["channel"] == facts.preferred[event["customer_key"]],
            }


def _channel_rows(kpi: str, records: list[Row], must: set[str]) -> dict[str, Row]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for record in records:
        groups[record["channel"]].append(record)
        groups["all"].append(record)
    people = {channel: len({row["who"] for row in rows}) for channel, rows in groups.items()}
    hidden = hidden_siblings(people, must)
    rows: dict[str, Row] = {}
    for channel, members in groups.items():
        others = [record for record in records if record["channel"] != channel] if channel != "all" else []
        row = _channel_figures(kpi, members) | {"customers": people[channel]}
        whole = _channel_figures(kpi, groups["all"])["value"]
        row["difference"] = None if channel == "all" else row["value"] - whole
        row["is_different"] = (
            None if channel == "all" else _differ(row, _channel_figures(kpi, others)) if others else False
        )
        del row["_estimate"]
        if channel in hidden:
            row = dict.fromkeys(row)
        row["all_value"] = None if "all" in hidden else whole
        row["floor_value"] = members[0].get("floor")
        rows[channel] = row | {"is_suppressed": channel in hidden, "is_low_n": len(members) < 30}
    return rows


def _differ(own: Row, others: Row) -> bool:
    change = own["value"] - others["value"]
    if own["_estimate"] is not None:
        low, high = difference(own["_estimate"], others["_estimate"], change)
        return low > 0 or high < 0
    # Medians: how far either could lie from where it was seen, towards the other.
    below, above = (
        (change > 0, own["value"], own["ci_low"], others["ci_high"], others["value"]),
        (change < 0, own["value"], own["ci_high"], others["ci_low"], others["value"]),
    )
    return any(
        holds and None not in (mine, theirs) and abs(change) > math.hypot(value - mine, theirs - other)
        for holds, value, mine, theirs, other in (below, above)
    )


def _channel_figures(kpi: str, rows: list[Row]) -> Row:
    n = len(rows)
    levels = sorted(row["level"] for row in rows if "level" in row)
    figures: Row = {"numerator": None, "denominator": n, "n": n, "_estimate": None}
    if kpi.endswith("_minutes"):
        low, high = interval_of_a_quantile(levels, 0.5)
        figures |= {"value": quantile(levels, 0.5), "ci_low": low, "ci_high": high}
    elif kpi == "nps_transactional":
        good, bad = sum(row["good"] for row in rows), sum(row["bad"] for row in rows)
        low, high = interval_of_a_score(good, bad, n)
        figures |= {"numerator": good - bad, "value": 100 * (good - bad) / n}
        figures |= {"ci_low": low, "ci_high": high}
        figures["_estimate"] = of_score(good, bad, n)
    else:
        good = sum(row["good"] for row in rows)
        low, high = interval_of_a_share(good, n)
        figures |= {"numerator": good, "value": 100 * good / n, "ci_low": low, "ci_high": high}
        figures["_estimate"] = of_share(good, n)
    figures |= {f"p{q}": quantile(levels, q / 100) for q in (10, 50, 90)}
    figures["share_below_floor"] = sum(row["is_beyond"] for row in rows) / n if levels else None
    return figures
