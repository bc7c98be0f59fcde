"""Made-up journey marts for tests of the journey page: the columns the report reads, plausible rows, fixed by a seed.

Not here: any formula of the marts. The figures only have to look like theirs: counts that add up, means inside their
intervals, some cells hidden, some small.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from storage.data_folder import marts_file

AS_OF = date(2026, 6, 29)
SEGMENTS = ("all", "business", "private", "tiny")

_TABLES: Mapping[str, str] = {
    "dim_touchpoint": """
        touchpoint_key bigint, touchpoint varchar, touchpoint_name varchar, stage varchar, stage_name varchar,
        stage_order integer, channel varchar, channel_class varchar, owner_department varchar, initiated_by varchar
    """,
    "dim_journey_step": """
        journey varchar, journey_name varchar, unit varchar, order_mode varchar, gap_days integer, window_days integer,
        target_days integer, step varchar, step_order integer, step_name varchar, stage varchar, is_required boolean,
        target_minutes double
    """,
    "mart_journey_map": """
        journey varchar, segment varchar, step varchar, step_order integer, stage varchar, touchpoint varchar,
        touchpoint_key bigint, channel varchar, channel_class varchar, owner_department varchar, initiated_by varchar,
        period varchar, period_start date, entered bigint, customers bigint, progressed bigint, dropped bigint,
        still_open bigint, progress_rate double, minutes_to_next_p50 double, minutes_to_next_p90 double,
        target_minutes double, score_scale varchar, scores bigint, score_mean double, score_ci_low double,
        score_ci_high double, score_p10 double, score_p50 double, score_p90 double, share_below_floor double,
        journey_score_mean double, score_gap double, is_peak boolean, is_trough boolean, low_scores bigint,
        exit_rate_after_low double, exit_rate_otherwise double, channel_gap double, opportunity_size double,
        is_suppressed boolean, is_low_n boolean
    """,
    "mart_journey_path": """
        journey varchar, period varchar, period_start date, from_touchpoint varchar, to_touchpoint varchar,
        transitions bigint, customers bigint, share_of_from double, minutes_p50 double, minutes_p90 double,
        path_rank integer, is_suppressed boolean
    """,
    "mart_channel_consistency": """
        kpi varchar, channel varchar, period varchar, period_start date, numerator double, denominator double, n bigint,
        customers bigint, value double, ci_low double, ci_high double, all_value double, difference double,
        is_different boolean, p10 double, p50 double, p90 double, floor_value double, share_below_floor double,
        is_suppressed boolean, is_low_n boolean
    """,
}

_STAGES = ("awareness", "consideration", "purchase", "delivery", "onboarding", "support", "loyalty", "exit")
_STAGE_NAMES = (
    "Awareness",
    "Consideration",
    "Purchase",
    "Delivery",
    "Onboarding",
    "Use and support",
    "Loyalty and advocacy",
    "Exit",
)


@dataclass(frozen=True)
class Touchpoint:
    """One made-up touchpoint; `score` is its mean on `scale`, None where nobody is asked."""

    name: str
    title: str
    stage: str
    channel: str
    owner: str
    share: float
    scale: str | None = None
    score: float | None = None


TOUCHPOINTS = (
    Touchpoint("ad_seen", "Advert clicked", "awareness", "social", "marketing", 0.9),
    Touchpoint("campaign_email", "Campaign e-mail", "awareness", "email", "marketing", 0.6),
    Touchpoint("lead_registered", "Contact left by a lead", "awareness", "web", "marketing", 0.2),
    Touchpoint("website_visit", "Website visit", "consideration", "web", "marketing", 0.8),
    Touchpoint("store_visit", "Store visit", "consideration", "store", "sales", 0.2),
    Touchpoint("product_demo", "Product demo", "consideration", "web", "sales", 0.1, "csat 1-5", 0.78),
    Touchpoint("order_web", "Order on the website", "purchase", "web", "sales", 0.6, "csat 1-5", 0.74),
    Touchpoint("order_app", "Order in the app", "purchase", "app", "sales", 0.3, "csat 1-5", 0.81),
    Touchpoint("order_store", "Purchase in the store", "purchase", "store", "sales", 0.1, "csat 1-5", 0.88),
    Touchpoint("order_shipped", "Order handed to the carrier", "delivery", "post", "logistics", 0.8),
    Touchpoint("order_delivered", "Order delivered", "delivery", "post", "logistics", 0.7, "csat 1-5", 0.79),
    Touchpoint("order_delivered_late", "Order delivered late", "delivery", "post", "logistics", 0.2, "csat 1-5", 0.48),
    Touchpoint("onboarding_call", "Onboarding call", "onboarding", "phone", "customer_success", 0.2, "csat 1-5", 0.84),
    Touchpoint("login", "Login", "support", "app", "product", 0.5),
    Touchpoint("support_email", "Support by e-mail", "support", "email", "support", 0.3, "csat 1-5", 0.66),
    Touchpoint("support_phone", "Support by phone", "support", "phone", "support", 0.2, "csat 1-5", 0.57),
    Touchpoint("support_chat", "Support by chat", "support", "chat", "support", 0.15, "csat 1-5", 0.73),
    Touchpoint("support_solved", "Ticket solved", "support", "other", "support", 0.4, "ces 1-7", 0.62),
    Touchpoint("support_reply", "First answer to a ticket", "support", "other", "support", 0.4, "ces 1-7", 0.55),
    Touchpoint("relationship_survey", "Relationship survey", "loyalty", "email", "marketing", 0.5, "nps 0-10", 0.69),
    Touchpoint("referral", "Referral", "loyalty", "web", "marketing", 0.05, "nps 0-10", 0.92),
    Touchpoint("order_cancelled", "Order cancelled", "exit", "other", "sales", 0.05),
    Touchpoint("order_returned", "Order returned", "exit", "post", "logistics", 0.08, "csat 1-5", 0.39),
)

_JOURNEYS: Mapping[str, tuple[str, str, Sequence[tuple[str, str, str, bool, Sequence[str]]]]] = {
    "customer": (
        "Whole customer journey",
        "customer",
        [
            (stage, name, stage, False, [t.name for t in TOUCHPOINTS if t.stage == stage])
            for stage, name in zip(_STAGES, _STAGE_NAMES, strict=True)
        ],
    ),
    "purchase": (
        "Purchase",
        "customer",
        [
            ("awareness", "Awareness", "awareness", False, ["ad_seen", "lead_registered"]),
            ("consideration", "Consideration", "consideration", False, ["website_visit", "store_visit"]),
            ("order", "Order", "purchase", True, ["order_web", "order_app", "order_store"]),
            ("dispatch", "Dispatch", "delivery", False, ["order_shipped"]),
            ("delivery", "Delivery", "delivery", True, ["order_delivered", "order_delivered_late"]),
        ],
    ),
    "support": (
        "Support",
        "customer_topic",
        [
            ("contact", "Contact", "support", True, ["support_email", "support_phone", "support_chat"]),
            ("answer", "Answer", "support", False, ["support_reply"]),
            ("solution", "Solution", "support", True, ["support_solved"]),
        ],
    ),
}

KPIS = {
    "csat": (80.0, "percent"),
    "ces": (71.0, "percent"),
    "nps_transactional": (31.0, "points"),
    "first_reply_minutes": (95.0, "minutes"),
    "full_resolution_minutes": (1500.0, "minutes"),
    "journeys_with_switch": (12.0, "percent"),
    "preferred_channel_match": (64.0, "percent"),
}


def write_marts(build: Path, *, months: int = 4, customers: int = 2_000, is_empty: bool = False) -> Path:
    """Write the marts the report reads into a build folder.

    Args:
        build: Where `marts/cx_marts.duckdb` is to lie.
        months: Months before and with the last one.
        customers: Customers of a month.
        is_empty: Whether no night has brought anything: the tables are there, the facts have no row.
    """
    path = marts_file(build)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        "dim_touchpoint": list(_touchpoints()),
        "dim_journey_step": [] if is_empty else list(_steps()),
        "mart_journey_map": [] if is_empty else list(_map(months, customers)),
        "mart_journey_path": [] if is_empty else list(_paths(months, customers)),
        "mart_channel_consistency": [] if is_empty else list(_channels(months)),
    }
    with duckdb.connect(path) as connection:
        for table, columns in _TABLES.items():
            connection.execute(f"create or replace table {table} ({columns})")
            if rows[table]:
                names = dict.fromkeys(name for row in rows[table] for name in row)
                connection.register(
                    "made_up", pa.table({name: [row.get(name) for row in rows[table]] for name in names})
                )
                connection.execute(f"insert into {table} by name from made_up")
                connection.unregister("made_up")
    return path


def change(build: Path, *statements: str) -> None:
    """Change what `write_marts` wrote."""
    with duckdb.connect(marts_file(build)) as connection:
        for statement in statements:
            connection.execute(statement)


def _touchpoints() -> Iterator[dict[str, Any]]:
    for key, point in enumerate(TOUCHPOINTS, start=1):
        stage = _STAGES.index(point.stage)
        yield {
            "touchpoint_key": key,
            "touchpoint": point.name,
            "touchpoint_name": point.title,
            "stage": point.stage,
            "stage_name": _STAGE_NAMES[stage],
            "stage_order": stage + 1,
            "channel": point.channel,
            "channel_class": "human",
            "owner_department": point.owner,
            "initiated_by": "customer",
        }


def _steps() -> Iterator[dict[str, Any]]:
    for journey, (name, unit, steps) in _JOURNEYS.items():
        for order, (step, step_name, stage, is_required, _) in enumerate(steps, start=1):
            yield {
                "journey": journey,
                "journey_name": name,
                "unit": unit,
                "order_mode": "ordered",
                "gap_days": 14,
                "window_days": 30,
                "target_days": 10,
                "step": step,
                "step_order": order,
                "step_name": step_name,
                "stage": stage,
                "is_required": is_required,
                "target_minutes": 4320.0 if step == "delivery" else None,
            }


def _periods(months: int) -> list[tuple[str, date]]:
    starts = [AS_OF.replace(day=1)]
    while len(starts) < months:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    return [("month", start) for start in starts] + [("last_365_days", AS_OF - timedelta(days=364))]


def _map(months: int, customers: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311 - made-up figures
    points = {point.name: point for point in TOUCHPOINTS}
    for journey, (_, _, steps) in _JOURNEYS.items():
        for segment in SEGMENTS:
            size = {"all": 1.0, "business": 0.3, "private": 0.69, "tiny": 0.003}[segment]
            for period, start in _periods(months):
                people = customers * size * (6 if period == "last_365_days" else 1) * chance.uniform(0.85, 1.15)
                for order, (step, _, stage, _, names) in enumerate(steps, start=1):
                    common = {
                        "journey": journey,
                        "segment": segment,
                        "step": step,
                        "step_order": order,
                        "stage": stage,
                        "period": period,
                        "period_start": start,
                        "target_minutes": 4320.0 if step == "delivery" else None,
                    }
                    last = order == len(steps)
                    parts = [points[name] for name in names]
                    for point in parts:
                        yield common | _cell(chance, point, round(people * point.share), last)
                    asked = [point for point in parts if point.score is not None]
                    whole = max(asked, key=lambda point: point.share, default=parts[0])
                    entered = round(people * min(1.0, 1.15 * max(point.share for point in parts)))
                    yield (
                        common
                        | _cell(chance, whole, entered, last)
                        | {
                            "touchpoint": "all",
                            "touchpoint_key": -1,
                            **dict.fromkeys(("channel", "channel_class", "owner_department", "initiated_by"), "all"),
                            "is_peak": False,
                            "is_trough": False,
                        }
                    )


_JOURNEY_MEANS = {"csat 1-5": 0.71, "ces 1-7": 0.60, "nps 0-10": 0.70}


def _cell(chance: random.Random, point: Touchpoint, entered: int, is_last: bool) -> dict[str, Any]:
    described = {
        "touchpoint": point.name,
        "touchpoint_key": 1 + TOUCHPOINTS.index(point),
        "channel": point.channel,
        "channel_class": "human",
        "owner_department": point.owner,
        "initiated_by": "customer",
        "is_suppressed": entered < 5,
        "is_low_n": entered < 30,
    }
    if entered < 5:
        return described | {"is_low_n": False, "is_peak": False, "is_trough": False}
    still_open = round(entered * 0.08)
    progressed = round((entered - still_open) * chance.uniform(0.45, 0.8))
    counts: dict[str, Any] = {
        "entered": entered,
        "customers": entered,
        "progressed": None if is_last else progressed,
        "dropped": 0 if is_last else entered - still_open - progressed,
        "still_open": 0 if is_last else still_open,
        "progress_rate": None if is_last else round(progressed / (entered - still_open), 4),
        "minutes_to_next_p50": None if is_last else round(chance.uniform(60, 3000), 1),
        "minutes_to_next_p90": None if is_last else round(chance.uniform(3000, 12000), 1),
    }
    scores = round(entered * 0.3)
    if point.score is None or point.scale is None or scores < 5:
        return described | counts | {"scores": 0, "is_peak": False, "is_trough": False}
    mean = min(0.98, max(0.02, round(point.score + chance.uniform(-0.02, 0.02), 4)))
    half = round(1.96 * 0.28 / scores**0.5, 4)
    journey_mean = _JOURNEY_MEANS[point.scale]
    gap = round(mean - journey_mean, 4)
    return (
        described
        | counts
        | {
            "score_scale": point.scale,
            "scores": scores,
            "score_mean": mean,
            "score_ci_low": max(0.0, round(mean - half, 4)),
            "score_ci_high": min(1.0, round(mean + half, 4)),
            "score_p10": 0.25,
            "score_p50": 0.75,
            "score_p90": 1.0,
            "share_below_floor": round(max(0.02, 0.5 - mean / 2), 4),
            "journey_score_mean": journey_mean,
            "score_gap": gap,
            "is_peak": mean - half > journey_mean and gap >= 0.1 and scores >= 30,
            "is_trough": mean + half < journey_mean and gap <= -0.1 and scores >= 30,
            "low_scores": round(scores * 0.2),
            "exit_rate_after_low": round(0.5 - mean / 4, 4),
            "exit_rate_otherwise": 0.2143,
            "channel_gap": round(chance.uniform(-0.1, 0.1), 4),
            "opportunity_size": round(max(0.0, -gap) * entered, 1),
        }
    )


def _paths(months: int, customers: int) -> Iterator[dict[str, Any]]:
    ways = {
        "customer": ["start", "ad_seen", "website_visit", "order_web", "order_shipped", "order_delivered", "end"],
        "purchase": ["start", "website_visit", "order_web", "order_shipped", "order_delivered_late", "end"],
        "support": ["start", "support_email", "support_reply", "support_solved", "end"],
    }
    for journey, way in ways.items():
        steps = list(itertools.pairwise(way))
        steps += [(before, "support_email") for before in way[2:-1] if before != "support_email"]
        for period, start in _periods(months):
            size = customers * (6 if period == "last_365_days" else 1)
            for rank, (origin, target) in enumerate(steps, start=1):
                transitions = round(size / rank)
                yield {
                    "journey": journey,
                    "period": period,
                    "period_start": start,
                    "from_touchpoint": origin,
                    "to_touchpoint": target,
                    "transitions": transitions,
                    "customers": transitions,
                    "share_of_from": 0.7 if rank < len(way) else 0.1,
                    "minutes_p50": None if origin == "start" or target == "end" else 95.5 * rank,
                    "minutes_p90": None if origin == "start" or target == "end" else 900.0 * rank,
                    "path_rank": rank,
                    "is_suppressed": False,
                }


def _channels(months: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(11)  # noqa: S311 - made-up figures
    for kpi, (value, unit) in KPIS.items():
        spread = value * (0.08 if unit == "percent" else 0.3)
        for period, start in _periods(months):
            for channel in ("all", "app", "chat", "email", "phone", "store", "web"):
                n = 6 if channel == "store" else chance.randint(40, 900)
                own = value if channel == "all" else round(value + chance.uniform(-spread, spread), 2)
                half = round(spread * 4 / n**0.5, 2)
                hidden = channel == "store" and kpi == "ces"
                figures = {
                    "numerator": own * n / 100,
                    "denominator": float(n),
                    "n": n,
                    "customers": n,
                    "value": own,
                    "ci_low": own - half,
                    "ci_high": own + half,
                    "all_value": value,
                    "difference": round(own - value, 2),
                    "p10": own / 4,
                    "p50": own,
                    "p90": own * 2,
                }
                yield {
                    "kpi": kpi,
                    "channel": channel,
                    "period": period,
                    "period_start": start,
                    **(dict.fromkeys(figures) if hidden else figures),
                    "is_different": channel != "all" and not hidden and abs(own - value) > half,
                    "is_suppressed": hidden,
                    "is_low_n": not hidden and n < 30,
                }
