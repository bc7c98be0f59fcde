"""The published journeys against those that really happened, told from the same words by plain pandas.

Compared are the people each of whose records became one customer, strangers, and everything of nobody known.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pandas as pd
import pytest

from sample_company.emotions import LEAST_ANSWERS, PLANTED
from tests.e2e.conftest import FOURTH
from tests.e2e.installation import Installation
from tests.e2e.sample_truth import published_events, published_journeys, true_events, true_journeys

LEAST_SHARE_RESOLVED = 0.98
CLOSE = 1e-4
"""Published scores are rounded."""

TIMES = (
    "started_at",
    "window_ends_at",
    "last_event_at",
    *(f"step_{n}_at" for n in range(1, 6)),
    "completed_at",
    "exited_at",
)
WORDS = (
    "exit_reason", "exit_step", "current_step", "is_completed", "is_matured", "n_events", "n_contacts", "n_switches",
    "n_handoffs", "peak_touchpoint", "peak_scale", "trough_touchpoint", "trough_scale", "end_touchpoint", "end_scale",
)  # fmt: skip
SCORES = ("peak_score", "trough_score", "end_score")


@pytest.fixture(scope="module")
def journeys(known: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """True and published journeys side by side, the published ones in columns that end in `_published`."""
    true, found = true_journeys(known), published_journeys(known)
    return true.merge(found, on="journey_key", how="outer", suffixes=("", "_published"), indicator="side")


def unequal(rows: pd.DataFrame, here: str, there: str) -> pd.DataFrame:
    """Rows in which two columns differ; nothing equals nothing."""
    both, other = rows[here], rows[there]
    are_numbers = pd.api.types.is_float_dtype(both)
    differ = ~((both - other).abs() <= CLOSE) if are_numbers else both != other
    return rows[differ & ~(both.isna() & other.isna())]


def test_nearly_everybody_is_one_customer(known: duckdb.DuckDBPyConnection) -> None:
    people, resolved = known.sql(
        "select (select count(*) from truth_customers), (select count(*) from resolved)"
    ).fetchall()[0]
    assert resolved / people >= LEAST_SHARE_RESOLVED, f"{resolved} of {people}"


def test_every_journey_is_found_and_no_other_is_there(journeys: pd.DataFrame) -> None:
    assert set(journeys["kind"].dropna()) == {"purchase", "sales", "onboarding", "support", "renewal"}
    missed, made_up = journeys[journeys["side"] == "left_only"], journeys[journeys["side"] == "right_only"]
    assert missed[["kind", "anchor_object", "anchor_record"]].to_dict("records") == []
    assert made_up[["journey_published", "journey_key", "started_at_published"]].to_dict("records") == []
    assert not journeys["journey_key"].duplicated().any(), "two true journeys are published as one"


def test_journeys_went_as_they_really_went(journeys: pd.DataFrame) -> None:
    both = journeys[journeys["side"] == "both"]
    wrong = {}
    for column in (*TIMES, *WORDS, *SCORES):
        assert both[column].notna().any(), f"the sample has no {column} to compare"
        rows = unequal(both, column, f"{column}_published")
        if len(rows):
            shown = rows[["kind", "anchor_object", "anchor_record", column, f"{column}_published"]]
            wrong[f"{column} of {len(rows)}"] = shown.head(5).to_dict("records")
    assert wrong == {}


def test_journeys_are_of_their_kind_and_customer(journeys: pd.DataFrame) -> None:
    both = journeys[journeys["side"] == "both"]
    assert (both["kind"] == both["journey_published"]).all()
    # Strangers are customers of their own, of whom only the help desk knows.
    theirs = both[both["person"].notna()]
    assert (theirs["customer_key"] == theirs["customer_key_published"]).all()


@pytest.fixture(scope="module")
def events(known: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """True and published events side by side. Whose registration it is is known of resolved people only."""
    true, found = true_events(known), published_events(known)
    names = ["object", "event", "source_ref"]
    return true.merge(found, on=names, how="outer", suffixes=("", "_published"), indicator="side")


def test_every_event_is_there_and_no_other(events: pd.DataFrame, known: duckdb.DuckDBPyConnection) -> None:
    (resolved,) = known.sql("select list(customer_key::varchar) from resolved").fetchall()[0]
    apart = events[events["side"] != "both"]
    apart = apart[(apart["object"] != "contact") | apart["source_ref"].isin(resolved)]
    shown = apart[["side", "object", "event", "record", "source_ref", "at", "at_published"]]
    assert shown.head(10).to_dict("records") == [], f"{len(apart)} events"
    assert set(events["object"]) == {"order", "ticket", "activity", "survey_answer", "contact"}


def test_events_are_what_really_happened(events: pd.DataFrame) -> None:
    both = events[events["side"] == "both"]
    same = {name: f"{name}_published" for name in ("at", "touchpoint", "direction")}
    wrong = {}
    for column, published in {**same, "scale": "score_scale", "score": "score_norm"}.items():
        rows = unequal(both, column, published)
        if len(rows):
            wrong[column] = rows[["object", "event", "record", column, published]].head(5).to_dict("records")
    assert wrong == {}


def test_events_are_in_a_journey_where_they_really_were(events: pd.DataFrame, journeys: pd.DataFrame) -> None:
    """The journey an event is in is the one published for the true journey it belongs to."""
    published = journeys[journeys["side"] == "both"].set_index("journey")["journey_key"].to_dict()
    published[-1] = "-1"
    compared_events = events[(events["side"] == "both") & events["journey"].isin(published)]
    expected = compared_events["journey"].map(published)
    wrong = compared_events[compared_events["journey_key"] != expected]
    shown = wrong[["object", "event", "record", "at", "kind", "journey_published"]]
    assert shown.head(10).to_dict("records") == [], f"{len(wrong)} events"
    assert len(compared_events) > 0.9 * len(events)


def test_places_in_a_journey_are_counted_through(known: duckdb.DuckDBPyConnection) -> None:
    wrong = known.sql("""
        select journey_key from fct_journey_event where journey_key <> -1 group by journey_key
        having max(seq_no) <> count(*) or count(distinct seq_no) <> count(*)
            or list(event_key order by seq_no) <> list(event_key order by occurred_at, event_key)
        union all
        select journey_key from fct_journey_event where journey_key = -1 and seq_no is not null
    """).fetchall()
    assert wrong == []


STEPS_OF_JOURNEYS = f"""
with reached as (
    select
        journeys.journey,
        steps.step,
        steps.step_order,
        strftime(journeys.started_at at time zone 'Europe/Berlin', '%Y-%m-01')::date as period_start,
        journeys.customer_key,
        journeys.is_matured,
        times[steps.step_order] is not null as is_reached,
        len(list_filter(times[steps.step_order + 1:], lambda later: later <= journeys.window_ends_at)) > 0
            as has_progressed,
        journeys.is_completed,
        steps.step_order = max(steps.step_order) over (partition by steps.journey) as is_last
    from (
        select *, [step_1_at, step_2_at, step_3_at, step_4_at, step_5_at, step_6_at] as times from fct_journey
        where started_at at time zone 'Europe/Berlin' < date '{FOURTH}' + 1
    ) as journeys
    inner join dim_journey_step as steps on steps.journey = journeys.journey
)
select
    journey, step, period_start,
    count(*) as entered,
    count(distinct customer_key) as customers,
    count(*) filter (where is_matured and has_progressed) as progressed,
    count(*) filter (where is_matured and not has_progressed and not is_completed and not is_last) as dropped,
    count(*) filter (where not is_matured and not has_progressed and not is_completed and not is_last) as still_open
from reached where is_reached group by all
"""


def test_the_map_sums_the_journeys_up(known: duckdb.DuckDBPyConnection) -> None:
    wrong = known.sql(f"""
        with counted as ({STEPS_OF_JOURNEYS}),
        map as (
            select * from mart_journey_map
            where journey <> 'customer' and segment = 'all' and touchpoint = 'all' and period = 'month'
        ),
        side_by_side as (
            select
                coalesce(counted.journey, map.journey) as journey,
                coalesce(counted.step, map.step) as step,
                coalesce(counted.period_start, map.period_start) as period_start,
                coalesce(map.is_suppressed, false) as is_suppressed,
                [counted.entered, counted.progressed, counted.dropped, counted.still_open] as told,
                [map.entered, map.progressed, map.dropped, map.still_open] as published
            from counted
            full join map
                on map.journey = counted.journey and map.step = counted.step and map.period_start = counted.period_start
        )
        select * from side_by_side
        where case
            when is_suppressed then list_sum(published) is not null
            else [coalesce(n, 0) for n in published] <> [coalesce(n, 0) for n in told]
        end
    """).fetchall()
    assert wrong == []
    (cells,) = known.sql(
        "select count(*) from mart_journey_map where journey <> 'customer' and touchpoint = 'all' and not is_suppressed"
    ).fetchall()[0]
    assert cells > 0


def felt(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What the map says of the feelings at each touchpoint in the last 365 days, whoever had them."""
    return connection.sql("""
        select touchpoint, score_scale, scores, score_mean, score_ci_low, score_ci_high, journey_score_mean,
            is_peak, is_trough, is_suppressed
        from mart_journey_map
        where journey = 'customer' and segment = 'all' and period = 'last_365_days' and touchpoint <> 'all'
    """).df()


def truly_felt(installation: Installation) -> pd.DataFrame:
    told: dict[str, Any] = json.loads((installation.data / "drop" / "truth" / "emotions.json").read_text())
    rows = pd.DataFrame(told["last_365_days"])
    return rows[rows["is_shown"]]


def test_feelings_at_touchpoints_are_the_true_ones(sample: Installation, known: duckdb.DuckDBPyConnection) -> None:
    """Every figure of the map's feelings is the true one, where it is not withheld for the few who answered."""
    both = truly_felt(sample).merge(felt(known), on="touchpoint", how="outer", suffixes=("", "_published"))
    both["n"] = both["n"].fillna(0)
    withheld = both["scores"].isna()
    in_few_months = known.sql(
        "select distinct touchpoint from mart_journey_map where journey = 'customer' and segment = 'all' "
        "and period = 'month' and scores is null"
    ).df()["touchpoint"]
    assert ((both["n"] < LEAST_ANSWERS) | both["touchpoint"].isin(in_few_months))[withheld].all()
    assert both.loc[withheld, ["score_mean", "score_ci_low", "score_ci_high"]].isna().all(axis=None)
    shown = both[~withheld]
    pairs = {
        "n": "scores", "scale": "score_scale", "mean": "score_mean", "ci_low": "score_ci_low",
        "ci_high": "score_ci_high", "scale_mean": "journey_score_mean",
    }  # fmt: skip
    assert (shown["n"] > 0).any()
    for here, there in pairs.items():
        rows = shown if here == "n" else shown[shown["n"] > 0]
        wrong = unequal(rows, here, there)
        assert wrong[["touchpoint", here, there]].to_dict("records") == []


def test_the_planted_peak_and_trough_are_found_and_no_other(
    sample: Installation, known: duckdb.DuckDBPyConnection, size: str
) -> None:
    """In the small company fewer than thirty answered there, so whatever stands out may be chance: nothing is named."""
    true, published = truly_felt(sample).set_index("touchpoint"), felt(known).set_index("touchpoint")
    enough = true.loc[list(PLANTED.values()), "n"] >= LEAST_ANSWERS
    assert enough.all() if size == "standard" else not enough.any()
    for flag, touchpoint in PLANTED.items():
        stands_out = published[f"is_{flag}"].fillna(value=False).astype(bool)
        assert list(published.index[stands_out]) == ([touchpoint] if size == "standard" else [])
        told = true[f"is_{flag}"].astype(bool)
        assert list(true.index[told]) == list(published.index[stands_out])
