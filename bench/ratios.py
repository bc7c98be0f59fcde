"""The ratios, what each is to stay below, and why: the one table of bounds.

What lives here: how a ratio is worked out of the figures of measurements, its bounds. Not here: taking measurements
(measurements.py), writing them down (results.py).

A ratio compares CPU of one run, so it holds on any machine; two runs of the same night differ by up to a tenth, by more
where other work shares the processors. `goals` are for a quiet machine. `guard` is what no change may exceed at size S
on a machine of CI: the value measured when it was set, and room for noise, so that what grows by half is caught.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.model_groups import HAND_TUNED

Figures = Mapping[str, Any]
Values = dict[str, float]

_GB = 10**9
_EACH = ("map", "path", "cell", "kpi daily")
# Models below are made of fixed costs, and noise.
_SECONDS_OF_A_MODEL = 0.2


@dataclass(frozen=True)
class Ratio:
    """A ratio.

    Attributes:
        id: Its name.
        says: What is divided by what.
        needs: The measurements it is worked out from; all of one size, or of a company of their own.
        values: How; several where it is of several things, by what they are called.
        goals: What it is to stay below, by size; "" where it has none.
        guard: What it may not exceed in `make bench-quick`; None: it is not held there.
        reason: Why just these bounds.
    """

    id: str
    says: str
    needs: tuple[str, ...]
    values: Callable[..., Values]
    goals: Mapping[str, float] = field(default_factory=dict)
    guard: float | None = None
    reason: str = ""


def median_cost(costs: Sequence[Mapping[str, float]], what: str = "cpu_seconds") -> float:
    """The median of one figure of several costs."""
    return statistics.median(cost[what] for cost in costs)


def _sql(statements: Figures) -> Values:
    return {"": _median(run["night"]["sql_seconds"] / run["full"]["sql_seconds"] for run in statements["runs"])}


def _of_heavy_tables(statements: Figures) -> Values:
    return {short: _median(_group(run, "night", g) / _group(run, "full", g) for run in statements["runs"])
            for short, g in statements["groups"].items() if short in _EACH}  # fmt: skip


def _of_any_model(statements: Figures) -> Values:
    names = {name for run in statements["runs"] for side in ("full", "night") for name in run[side]["models"]}
    full, night = (
        {name: _median(run[side]["models"].get(name, 0.0) for run in statements["runs"]) for name in names}
        for side in ("full", "night")
    )
    found = {
        name: night[name] / full[name]
        for name in full
        if full[name] > 0 and max(full[name], night[name]) >= _SECONDS_OF_A_MODEL
    }
    return _worst(found)


def _against_hand(statements: Figures) -> Values:
    return {
        short: _median(
            _group(run, "full", statements["groups"][short]) / run["by_hand"][short]["cpu_seconds"]
            for run in statements["runs"]
        )
        for short in HAND_TUNED
    }


def _derived(statements: Figures) -> Values:
    run = statements["runs"][-1]
    found = {
        name: rows["derived"] / max(1, rows["changed"])
        for name, rows in run["rows"].items()
        if run["night"]["models"][name] >= _SECONDS_OF_A_MODEL
    }
    return _worst(found)


def _whole(nights: Figures) -> Values:
    return {"": median_cost(nights["night"]) / median_cost(nights["first"])}


def _outside_sql(nights: Figures, statements: Figures) -> Values:
    sql = _median(run["night"]["sql_seconds"] for run in statements["runs"])
    return {"": (median_cost(nights["night"]) - sql) / median_cost(nights["first"])}


def _little_memory(memory: Figures) -> Values:
    return {"": memory["1GB"]["sql_seconds"] / memory["5GB"]["sql_seconds"]}


def _peak_of_little(memory: Figures) -> Values:
    return {"GB": memory["1GB"]["cost"]["peak_bytes"] / _GB}


def _late_nights(sixty: Figures) -> Values:
    return {"": median_cost(sixty["late"]) / median_cost(sixty["early"])}


def _twice(history: Figures) -> Values:
    return {"": median_cost(history["twice"]["night"]) / median_cost(history["once"]["night"])}


def _nested_loops(statements: Figures) -> Values:
    loops = [run[side]["nested_loop"] for run in statements["runs"] for side in ("full", "night")]
    worst = max(loops, key=lambda loop: loop["ratio"])
    return {worst["node"].rpartition(".")[2]: worst["ratio"]}


def _differing(statements: Figures) -> Values:
    return {"sample": float(sum(sum(run["differing_rows"].values()) for run in statements["runs"]))}


def _differing_by_hand(statements: Figures) -> Values:
    return {short: float(max(run["by_hand"][short]["differing_rows"] for run in statements["runs"]))
            for short in HAND_TUNED}  # fmt: skip


def _failed_histories(histories: Figures) -> Values:
    return {f"failed of {histories['passed'] + len(histories['failed'])} properties": float(len(histories["failed"]))}


def _peak(within: Figures) -> Values:
    return {"GB": within["default"]["peak_bytes"] / _GB}


def _peak_within(within: Figures) -> Values:
    return {"GB": within["2GB"]["peak_bytes"] / _GB}


def _against_bare(stock: Figures) -> Values:
    return {"": _median(night["wall_seconds"] / bare["wall_seconds"]
                        for night, bare in zip(stock["night"], stock["bare"], strict=True))}  # fmt: skip


def _against_stock(stock: Figures) -> Values:
    return {"": median_cost(stock["night"]) / median_cost(stock["stock"])}


def _first_against_pandas(tickets: Figures) -> Values:
    return {"": median_cost(tickets["first"]) / median_cost(tickets["pandas"])}


def _night_against_pandas(tickets: Figures) -> Values:
    return {"": median_cost(tickets["night"]) / median_cost(tickets["pandas"])}


def _differing_days(tickets: Figures) -> Values:
    return {"created, backlog": float(tickets["differing_days"])}


def _pull_of_an_api(pulls: Figures) -> Values:
    return _pull(pulls["rest"])


def _pull_of_a_database(pulls: Figures) -> Values:
    return _pull(pulls["postgres"])


def _pull(pulled: Figures) -> Values:
    ours, bare = median_cost(pulled["ours"]), median_cost(pulled["bare"])
    rates = (f"{pulled['rows'] / seconds:,.0f}" for seconds in (ours, bare))
    return {" to ".join(rates) + " rows per CPU second": ours / bare}


RATIOS = (
    Ratio("B1", "SQL: a night / everything anew", ("statements",), _sql, {"M": 0.20, "L": 0.12}, 0.75,
          "half a percent of the rows is new; what a statement costs even so weighs more where all is small"),
    Ratio("B2", "SQL of a heavy table: a night / anew", ("statements",), _of_heavy_tables, {"M": 0.20}, None,
          "kept up by difference, a table costs what changed; at size S they are hundredths of seconds"),
    Ratio("B3", "SQL of any model: a night / anew", ("statements",), _of_any_model, {"M": 0.70, "L": 0.70}, None,
          "a model whose night costs more than making it anew is better made anew; at size S it is hundredths"),
    Ratio("B4", "SQL of a heavy table anew: ours / by hand", ("statements",), _against_hand, {"M": 1.3}, 3.0,
          "what a later night needs to know is written down as well"),
    Ratio("B5", "rows derived / rows changed, any model", ("statements",), _derived, {"M": 5, "L": 5}, None,
          "a key is replaced whole, though one of its rows changed"),
    Ratio("B6", "whole night / whole first night", ("nights",), _whole, {"M": 0.25, "L": 0.15}, 0.80,
          "starting Dagster, dbt and the gate costs the same in both, so a small company gains less"),
    Ratio("B7", "small night outside SQL / small first night", ("nights", "statements"), _outside_sql, {"S": 0.30},
          0.60, "what is asked for every night, whatever came"),
    Ratio("B8", "SQL anew: within 1 GB / within 5 GB", ("memory",), _little_memory, {"M": 1.25}, None,
          "what does not fit goes to disk and comes back"),
    Ratio("B8 peak", "peak memory of dbt within 1 GB", ("memory",), _peak_of_little, {"M": 1.3}, None,
          "beside DuckDB stand Python and the parsed project"),
    Ratio("B9", "nights of the ninth week / of the first", ("sixty nights",), _late_nights, {"": 1.1}, None,
          "the company itself grows a little in eight weeks"),
    Ratio("B10", "night with twice the history / with once", ("twice the history",), _twice, {"": 1.2}, None,
          "what is old is copied by reference, and not read"),
    Ratio("B11", "rows out of a nested loop / its larger input", ("statements",), _nested_loops,
          {"S": 10, "M": 10, "L": 10}, 50,
          "days met with the windows they lie in put out tens, a join that became pairs hundreds at size S"),
    Ratio("B12", "rows that differ, night against rebuild", ("statements",), _differing, {"S": 0, "M": 0, "L": 0}, 0,
          "the law"),
    Ratio("B12 long", "random histories that differ from a rebuild", ("random histories",), _failed_histories,
          {"": 0}, None, "the law"),
    Ratio("B13", "first night: peak memory of all processes", ("first night within",), _peak, {"L": 8}, None,
          "a machine of 24 GB does other work as well"),
    Ratio("B13 2GB", "the same with JOURNEYMART_MEMORY=2GB", ("first night within",), _peak_within, {"L": 4}, None,
          "two processes may hold that much at once"),
    Ratio("B14", "seconds: whole night / bare dbt build in it", ("stock",), _against_bare, {"S": 1.3}, None,
          "the gate, the audit and publishing run beside or after dbt"),
    Ratio("B15 first", "tickets alone: first night / a script of pandas", ("tickets alone",), _first_against_pandas,
          {"": 2.5}, None, "it checks nothing, knows nobody, fills one table"),
    Ratio("B15 night", "tickets alone: a night / the script again", ("tickets alone",), _night_against_pandas,
          {"": 1.2}, None, "it reads all files every day"),
    Ratio("P1", "whole night / dbt build the stock way of Dagster", ("stock",), _against_stock, {}, None,
          "it judges nothing and publishes nothing"),
    Ratio("P2", "rows that differ, ours against by hand", ("statements",), _differing_by_hand,
          {"S": 0, "M": 0, "L": 0}, 0, "who is faster must tell the same"),
    Ratio("P4 rest", "a pull: of an API / requests and orjson alone", ("pulls",), _pull_of_an_api, {"": 2.0}, None,
          "half the rows per CPU second of a client that keeps none"),
    Ratio("P4 postgres", "a pull: of a database / ADBC alone", ("pulls",), _pull_of_a_database, {"": 1.43}, None,
          "seven tenths of the rows per CPU second of a client that keeps none"),
    Ratio("P3", "days that differ, ours against the script of pandas", ("tickets alone",), _differing_days,
          {"": 0}, None, "who is faster must tell the same"),
)  # fmt: skip


def _group(run: Figures, side: str, models: list[str]) -> float:
    return float(sum(run[side]["models"].get(name, 0.0) for name in models))


def _worst(found: Values) -> Values:
    name = max(found, key=lambda each: found[each], default=None)
    return {} if name is None else {name: found[name]}


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))
