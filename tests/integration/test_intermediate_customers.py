"""Which records are one person: int_contact__unioned and map_customer_identity. Not here: facts."""

from __future__ import annotations

from typing import Any

import pytest
from dbt_harness import Warehouse

SELECT = "map_customer_identity"


def crm(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"Id": identifier, **columns}


def merged(identifier: str, into: str, **columns: Any) -> dict[str, Any]:
    return crm(identifier, MasterRecordId=into, IsDeleted=True, **columns)


def customers(warehouse: Warehouse) -> dict[str, tuple[str | None, str, str]]:
    """By contact: the contact that stands for its customer, the rule that found it, and its status."""
    found = warehouse.rows(
        """
        select moved.contact_id, standing.contact_id as customer, moved.match_rule, moved.match_status
        from intermediate.map_customer_identity as moved
        left join intermediate.map_customer_identity as standing on standing.contact_key = moved.customer_key
        """
    )
    return {row["contact_id"]: (row["customer"], row["match_rule"], row["match_status"]) for row in found}


def test_a_chain_of_merges_is_followed_to_its_end(warehouse: Warehouse) -> None:
    chain = [merged(str(n), into=str(n + 1)) for n in range(30)]
    warehouse.night({"salesforce.contact": [*chain, crm("30")]}, SELECT)
    assert {customer for customer, _, _ in customers(warehouse).values()} == {"30"}


def test_merges_in_a_ring_or_into_nowhere_still_give_one_customer(warehouse: Warehouse) -> None:
    ring = [
        merged("b", "c"),
        merged("c", "a"),
        merged("a", "b"),
        merged("tail", "b"),
        merged("lost", "unknown"),
    ]
    warehouse.night({"salesforce.contact": ring}, SELECT)
    found = {contact: customer for contact, (customer, _, _) in customers(warehouse).items()}
    assert found == {"a": "a", "b": "a", "c": "a", "tail": "a", "lost": "lost"}


def test_a_crm_id_beats_an_address_and_follows_the_merge(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "salesforce.contact": [merged("old", "new"), crm("new"), crm("other", Email="ann@a.example")],
            "zendesk.users": [
                {"id": "u1", "role": "end-user", "external_id": "old", "email": "ann@a.example"},
                {"id": "u2", "role": "end-user", "external_id": "no such id", "email": " ANN@a.example"},
            ],
        },
        SELECT,
    )
    found = customers(warehouse)
    assert found["u1"] == ("new", "external_id", "matched")
    assert found["u2"] == ("other", "email", "matched")


@pytest.mark.parametrize(
    "address",
    ["info@a.example", "No-Reply@a.example", "none@none.example", "support+x@a.example", "nobody", "a@b", ""],
)
def test_an_address_that_names_nobody_matches_nobody(warehouse: Warehouse, address: str) -> None:
    warehouse.night(
        {
            "salesforce.contact": [crm("1", Email=address)],
            "zendesk.users": [{"id": "u", "role": "end-user", "email": address}],
        },
        SELECT,
    )
    assert customers(warehouse)["u"] == ("u", "own", "unmatched")


@pytest.mark.parametrize("address", ["Ann <ann.b+x@a.example>", "mailto:ann.b+x@a.example", "\tANN.B+X@A.EXAMPLE "])
def test_one_address_is_found_in_any_spelling(warehouse: Warehouse, address: str) -> None:
    warehouse.night(
        {
            "salesforce.contact": [crm("1", Email="ann.b+x@a.example"), crm("2", Email="annb@a.example")],
            "zendesk.users": [{"id": "u", "role": "end-user", "email": address}],
        },
        SELECT,
    )
    assert customers(warehouse)["u"] == ("1", "email", "matched")


def test_a_shared_address_matches_nobody_until_one_living_contact_has_it(warehouse: Warehouse) -> None:
    shared = {"Email": "home@a.example"}
    warehouse.night(
        {
            "salesforce.contact": [
                crm("1", **shared),
                crm("2", SystemModstamp="2026-01-01 00:00:00+00", **shared),
            ],
            "zendesk.users": [{"id": "u", "role": "end-user", "email": "home@a.example"}],
        },
        SELECT,
    )
    assert customers(warehouse)["u"] == ("u", "own", "ambiguous")
    gone = crm("2", IsDeleted=True, SystemModstamp="2026-01-02 00:00:00+00", **shared)
    warehouse.night({"salesforce.contact": [gone]})
    assert customers(warehouse)["u"] == ("1", "email", "matched")
    assert customers(warehouse)["2"] == ("2", "own", "customer")


def test_who_moves_is_told_with_both_customers_and_nobody_else_is(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "salesforce.contact": [crm("1", Email="ann@a.example"), crm("2")],
            "zendesk.users": [{"id": "u", "role": "end-user"}],
        },
        SELECT,
    )
    key = {row["contact_id"]: row["contact_key"] for row in warehouse.rows("from intermediate.int_contact__unioned")}
    address = {"email": "ann@a.example", "updated_at": "2026-02-01 00:00:00+00"}
    warehouse.night({"zendesk.users": [{"id": "u", "role": "end-user", **address}]})
    moved = warehouse.rows("select contact_id, customer_key from _touched.map_customer_identity")
    assert {(row["contact_id"], row["customer_key"]) for row in moved} == {("u", key["u"]), ("u", key["1"])}
    warehouse.night()
    assert warehouse.rows("from _touched.map_customer_identity") == []


def test_agents_are_nobodys_customers(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "salesforce.contact": [crm("1", Email="ann@a.example")],
            "zendesk.users": [{"id": "a", "role": "agent", "external_id": "1", "email": "ann@a.example"}],
        },
        SELECT,
    )
    assert customers(warehouse)["a"] == (None, "none", "not_a_customer")


def test_without_a_crm_every_contact_is_its_own_customer(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "canonical.contact": [{"contact_id": "1", "email": "ann@a.example"}],
            "olist.customers": [
                {"customer_id": "order 1", "customer_unique_id": "p"},
                {"customer_id": "order 2", "customer_unique_id": "p"},
            ],
        },
        SELECT,
    )
    assert customers(warehouse) == {"1": ("1", "own", "unmatched"), "p": ("p", "own", "unmatched")}


def test_short_and_long_spellings_of_a_crm_id_are_one(warehouse: Warehouse) -> None:
    # A pair of ids Salesforce gives as an example: five characters a group, the capitals of each as bits.
    short, long = "001D000000IRFma", "001D000000IRFmaIAH"
    warehouse.night(
        {
            "salesforce.contact": [crm(short)],
            "zendesk.users": [
                {"id": "u1", "role": "end-user", "external_id": short},
                {"id": "u2", "role": "end-user", "external_id": long},
            ],
        },
        SELECT,
    )
    assert {customers(warehouse)[user][0] for user in ("u1", "u2")} == {long}
