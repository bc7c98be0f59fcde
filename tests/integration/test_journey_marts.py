"""The journey marts of a small company: what their definitions count, in any order of nights, with nothing to subtract.

One warehouse, filled in three nights and read by every test. Not here: how events become journeys, formulas on a few
rows (dbt unit tests).
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from dbt_harness import PROJECT, DbtProject, Warehouse
from journey_company import AS_OF, JourneyCompany
from journey_recount import Facts, channels, journey_map, journey_paths, map_by_period, read_facts

from tests.counting.equality import same

MARTS = ("mart_journey_map", "mart_journey_path", "mart_channel_consistency")
TABLES = (
    "intermediate.int_account__resolved",
    *(
        f"cx_marts.main.{table}"
        for table in ("dim_customer", "dim_account", "fct_journey", "fct_journey_event", *MARTS)
    ),
)
MAP_KEY = ("journey", "segment", "step", "touchpoint", "period", "period_start")


CRMS = ("salesforce", "salesforce_two", "canonical")


@pytest.fixture(scope="module")
def marts(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """On the last night nothing arrives: only time passes, so that journeys and answers come to be judged."""
    # Accounts of desks name those of the canonical source: it is a CRM here.
    warehouse = Warehouse(
        dbt_project, tmp_path_factory.mktemp("journeys"), " ".join(("dim_account", *MARTS)), crms=CRMS
    )
    first, second = JourneyCompany(5).nights(2)
    warehouse.night(first, as_of=AS_OF - timedelta(days=42))
    warehouse.night(second, as_of=AS_OF - timedelta(days=7))
    warehouse.night(as_of=AS_OF)
    return warehouse


@pytest.fixture(scope="module")
def facts(marts: Warehouse) -> Facts:
    return read_facts(marts)


def by_key(rows: Iterable[dict[str, Any]], key: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in key): row for row in rows}


def differences(
    said: dict[tuple[Any, ...], dict[str, Any]], expected: dict[tuple[Any, ...], dict[str, Any]]
) -> list[str]:
    """What a mart says otherwise than it should, cell by cell and figure by figure."""
    found = [f"{key}: only in the mart" for key in said.keys() - expected.keys()]
    found += [f"{key}: missing in the mart" for key in expected.keys() - said.keys()]
    for key in said.keys() & expected.keys():
        for name, value in expected[key].items():
            if not name.startswith(("_", "is_hidden")) and not same(said[key][name], value):
                found.append(f"{key} {name}: {said[key][name]}, not {value}")
    return sorted(found)


def test_any_nights_make_the_marts_of_one_full_rebuild(marts: Warehouse) -> None:
    assert marts.differences(marts.rebuilt(), TABLES) == {}


def test_the_map_says_what_its_definitions_count(marts: Warehouse, facts: Facts) -> None:
    said = by_key(marts.rows("select * from cx_marts.main.mart_journey_map"), MAP_KEY)
    assert differences(said, journey_map(facts))[:20] == []
    shown = Counter(row["journey"] for row in said.values() if row["entered"] and row["progress_rate"])
    assert set(shown) == {"customer", "purchase", "onboarding", "support"}
    assert any(row["is_suppressed"] for row in said.values())


def test_the_one_trough_and_the_one_peak_are_found(marts: Warehouse, facts: Facts) -> None:
    """They are in the data; the map of so few customers shows them only where no month of the year is hidden."""
    year = next(cells for period, _, cells in map_by_period(facts) if period == "last_365_days")
    in_data = {
        cell[3]: row["is_peak"]
        for cell, row in year.items()
        if cell[:2] == ("customer", "all") and (row["is_peak"] or row["is_trough"])
    }
    assert in_data == {"onboarding_call": True, "order_delivered_late": False}
    said = marts.rows(
        "select touchpoint, is_peak from cx_marts.main.mart_journey_map where journey = 'customer' and segment = 'all' "
        "and period = 'last_365_days' and (is_peak or is_trough)"
    )
    assert {row["touchpoint"]: row["is_peak"] for row in said}.items() <= in_data.items()


def test_the_paths_are_the_ways_customers_went(marts: Warehouse, facts: Facts) -> None:
    key = ("journey", "from_touchpoint", "to_touchpoint", "period", "period_start")
    said = by_key(marts.rows("select * from cx_marts.main.mart_journey_path"), key)
    assert differences(said, journey_paths(facts))[:20] == []
    assert len(said) > 200


def test_channels_are_compared_as_defined(marts: Warehouse, facts: Facts) -> None:
    said = by_key(
        marts.rows("select * from cx_marts.main.mart_channel_consistency"), ("kpi", "channel", "period", "period_start")
    )
    assert differences(said, channels(facts))[:20] == []
    assert {key[0] for key, row in said.items() if not row["is_suppressed"]} == {
        "csat", "ces", "nps_transactional", "first_reply_minutes", "full_resolution_minutes", "journeys_with_switch",
        "preferred_channel_match",
    }  # fmt: skip


@pytest.mark.parametrize("along", ["segment", "touchpoint"])
@pytest.mark.parametrize(
    "measure", ["entered", "customers", "progressed", "dropped", "still_open", "scores", "score_mean", "low_scores"]
)
def test_no_hidden_figure_is_the_total_minus_the_others(marts: Warehouse, along: str, measure: str) -> None:
    """The attack: take a shown total, subtract every shown member, and look whether one hidden member is left."""
    rows = marts.rows(f"select {', '.join(MAP_KEY)}, scores, {measure} from cx_marts.main.mart_journey_map")
    totals: dict[tuple[Any, ...], Any] = {}
    members = defaultdict(list)
    for row in rows:
        parent = tuple(row[name] for name in MAP_KEY if name != along)
        if row[along] == "all":
            totals[parent] = row[measure]
        elif measure != "score_mean" or row["scores"] != 0:
            members[parent].append(row[measure])
    attacked = [parent for parent, total in totals.items() if total is not None and members[parent].count(None) == 1]
    assert attacked == []
    assert any(None in figures and set(figures) != {None} for figures in members.values())


def test_no_channel_or_way_is_hidden_alone(marts: Warehouse) -> None:
    alone = marts.rows(
        "select kpi, period_start from cx_marts.main.mart_channel_consistency group by kpi, period, period_start "
        "having count(*) filter (where is_suppressed and channel <> 'all') = 1 "
        "and bool_or(channel = 'all' and not is_suppressed)"
    )
    assert alone == []


def test_a_customer_is_in_the_segment_of_the_first_rule_that_fits(marts: Warehouse) -> None:
    with (PROJECT / "seeds" / "segments.csv").open(encoding="utf-8") as file:
        rules = sorted(csv.DictReader(file), key=lambda rule: int(rule["priority"]))
    customers = marts.rows(
        f"""with bought as (
            select customer_key, count(*) as orders, sum(net_amount) as amount, list(distinct currency) as currencies
            from cx_marts.main.fct_order
            where is_counted and ordered_date_key > {AS_OF - timedelta(days=365):%Y%m%d}
                and ordered_date_key <= {AS_OF:%Y%m%d}
            group by all)
        select c.*, coalesce(orders, 0) as orders, amount, currencies, account_type
        from cx_marts.main.dim_customer c left join bought using (customer_key)
        left join cx_marts.main.dim_account using (account_key) where customer_key <> -1"""
    )

    def fits(rule: dict[str, str], customer: dict[str, Any]) -> bool:
        return (
            rule["crm_segment"] in ("", customer["crm_segment"])
            and rule["is_business"] in ("", str(customer["account_type"] == "Customer").lower())
            and customer["orders"] >= int(rule["min_orders_365_days"] or 0)
            and (
                not rule["min_net_amount_365_days"]
                or (
                    customer["currencies"] == [rule["currency"]]
                    and (customer["amount"] or 0) >= float(rule["min_net_amount_365_days"])
                )
            )
        )

    for customer in customers:
        assert customer["segment"] == next(rule["segment"] for rule in rules if fits(rule, customer))
    assert {customer["segment"] for customer in customers} == {rule["segment"] for rule in rules}


def test_who_may_be_written_to_has_been_asked_and_said_no_nowhere(marts: Warehouse) -> None:
    rows = marts.rows(
        "select distinct has_opted_out, has_left_surveys, status = 'deleted' as is_deleted, may_contact "
        "from cx_marts.main.dim_customer"
    )
    for row in rows:
        assert row["may_contact"] == (
            row["has_opted_out"] is False and not row["has_left_surveys"] and not row["is_deleted"]
        )
    assert {row["has_left_surveys"] for row in rows} == {True, False}


class Accounts:
    """Accounts resolved and hung below each other by walking, one step at a time."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = {record["account_key"]: record for record in records}
        self.keys = {(record["source"], record["account_id"]): record["account_key"] for record in records}
        self.crm = [record for record in records if record["source"] in CRMS]

    def next_of(self, key: int) -> int | None:
        record = self.records[key]
        found = self.keys.get((record["source"], record["merged_into_account_id"]))
        if found is None and record["external_account_id"]:
            named = [
                other["account_key"]
                for other in self.crm
                if other["source"] != record["source"] and other["account_id"] == record["external_account_id"]
            ]
            found = named[0] if len(named) == 1 else None
        return None if found == key else found

    def resolved(self, key: int) -> int:
        way = [key]
        while (following := self.next_of(way[-1])) is not None:
            if following in way:
                return min(way[way.index(following) :])
            way.append(following)
        return way[-1]

    def above(self, key: int) -> int | None:
        """The account right above, as the records say, rings included."""
        record = self.records[key]
        parent = self.keys.get((record["source"], record["parent_account_id"]))
        found = None if parent is None else self.resolved(parent)
        return None if found == key else found

    def way_up(self, key: int) -> list[int]:
        """From an account to its top; a ring is cut above its oldest account."""
        way = [key]
        while (above := self.above(way[-1])) is not None:
            ring = self._ring(way[-1])
            if way[-1] == min(ring, key=lambda member: (self.records[member]["created_at"], member), default=None):
                break
            way.append(above)
        return way

    def _ring(self, key: int) -> list[int]:
        ring = [key]
        while (above := self.above(ring[-1])) is not None:
            if above == key:
                return ring
            if above in ring:
                return []
            ring.append(above)
        return []


def test_accounts_hang_below_each_other_whatever_was_merged_deleted_or_tied_in_a_ring(marts: Warehouse) -> None:
    accounts = Accounts(marts.rows("select * from intermediate.int_account__unioned"))
    said = {
        row["account_key"]: row for row in marts.rows("select * from cx_marts.main.dim_account where account_key <> -1")
    }
    ways = {key: accounts.way_up(key) for key in accounts.records if accounts.resolved(key) == key}
    assert {key: (row["parent_account_key"], row["root_account_key"], row["depth"]) for key, row in said.items()} == {
        key: (way[1] if len(way) > 1 else -1, way[-1], len(way) - 1) for key, way in ways.items()
    }
    assert max(len(way) for way in ways.values()) > 5
    assert any(accounts.above(way[-1]) is not None for way in ways.values()), "there is a ring"
    assert any(said[way[-1]]["is_deleted"] for way in ways.values() if len(way) > 1), "a deleted parent stays"
    assert len(accounts.records) > len(said) + 10, "merged and folded records are no accounts of their own"


def test_every_customer_is_counted_in_one_account(marts: Warehouse) -> None:
    counted = marts.rows(
        "select sum(customers) as customers, count(*) filter (where account_key = -1) as unknown "
        "from cx_marts.main.dim_account"
    )
    assert counted == [
        {
            "customers": marts.values("select count(*) from cx_marts.main.dim_customer where customer_key <> -1")[0],
            "unknown": 1,
        }
    ]
