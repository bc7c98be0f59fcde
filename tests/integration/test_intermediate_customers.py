"""Which records are one person: the traps of map_customer_identity.

Not here: the graph itself (test_identity_graph.py), facts. A night costs seconds, so all stories are told in the
same nights. Each has ids, addresses and numbers of its own.
"""

from __future__ import annotations

import csv
import re
import stat
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_harness import DbtFailedError, DbtProject, Row, Warehouse

from assets.identity.explain import Explanation, explain
from assets.identity.suggest import suggest
from storage.data_folder import warehouse_file
from storage.errors import JourneymartError

SELECT = "map_customer_identity int_identity__changes int_survey_answer__links int_ticket__customer"
# Besides Salesforce, two CRMs whose extracts follow the canonical contracts.
CRMS = ("salesforce", "salesforce_two", "crm", "crm_two")
IDS = re.compile(r"(^|_)(id|account|master ?record)(id)?$|Id$", re.IGNORECASE)

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Story:
    """What arrives, night by night, and what a person decides before a night (action, one, other as source/id)."""

    number: int
    nights: tuple[Rows, ...]
    decisions: Mapping[int, list[tuple[str, str, str]]]

    def own(self, identifier: str) -> str:
        """An id as this story alone has it; those of exactly 15 or 18 characters are left alone."""
        return identifier if len(identifier) in (15, 18) else f"{self.number}~{identifier}"

    def rows(self, night: int) -> Mapping[str, list[Row]]:
        """What arrives in one night."""
        arriving = self.nights[night] if night < len(self.nights) else {}
        return {stream: [self._own_row(row) for row in rows] for stream, rows in arriving.items()}

    def _own_row(self, row: Row) -> Row:
        return {name: self._own_value(name, value) for name, value in row.items()}

    def _own_value(self, name: str, value: Any) -> Any:
        if not isinstance(value, str) or name.startswith("_"):
            return value
        if IDS.search(name):
            return self.own(value)
        if value.endswith("gmail.com"):
            return f"{self.number}.{value}"
        return re.sub("@(?=[^@]*$)", f"@s{self.number}.", value).replace("123456", f"{123456 + self.number}")


STORIES: list[Story] = []


def story(*nights: Rows, decisions: Mapping[int, list[tuple[str, str, str]]] | None = None) -> Story:
    STORIES.append(Story(len(STORIES), nights, decisions or {}))
    return STORIES[-1]


@dataclass
class Told:
    """What came of all stories."""

    warehouse: Warehouse
    maps: list[list[dict[str, Any]]] = field(default_factory=list)
    moved: list[list[dict[str, Any]]] = field(default_factory=list)

    def map(self, told: Story, night: int = -1) -> dict[str, dict[str, Any]]:
        """Rows of the map by id, after a night of a story (the last, unless told)."""
        rows = self.maps[len(told.nights) - 1 if night < 0 else night]
        return {_plain(row["contact_id"]): row for row in rows if _is_of(told, row["contact_id"])}

    def people(self, told: Story, night: int = -1) -> set[frozenset[str]]:
        """The records of each customer."""
        found: dict[int, set[str]] = defaultdict(set)
        for contact, row in self.map(told, night).items():
            found[row["customer_key"]].add(contact)
        return {frozenset(records) for key, records in found.items() if key != -1}

    def rules(self, told: Story, night: int = -1) -> dict[str, str]:
        return {contact: row["match_rule"] for contact, row in self.map(told, night).items()}

    def status(self, told: Story, night: int = -1) -> dict[str, str]:
        return {contact: row["match_status"] for contact, row in self.map(told, night).items()}

    def rows(self, told: Story, sql: str) -> dict[str, Any]:
        """Second column by first, of the rows whose first is an id of the story."""
        found = [tuple(row.values()) for row in self.warehouse.rows(sql)]
        return {_plain(key): value for key, value in found if _is_of(told, key)}


def _plain(identifier: str) -> str:
    return identifier.rsplit("~", maxsplit=1)[-1]


def _is_of(told: Story, identifier: str) -> bool:
    if "~" in identifier:
        return identifier.startswith(f"{told.number}~")
    return any(identifier[:15] in str(rows) for rows in told.nights)


@pytest.fixture(scope="module")
def told(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Told:
    told = Told(Warehouse(dbt_project, tmp_path_factory.mktemp("stories"), SELECT, crms=CRMS))
    for night in range(max(len(each.nights) for each in STORIES)):
        arriving: dict[str, list[Row]] = defaultdict(list)
        for each in STORIES:
            for stream, rows in each.rows(night).items():
                arriving[stream].extend(rows)
            for decision in each.decisions.get(night, []):
                _decide(told.warehouse, each, *decision)
        told.warehouse.night(arriving)
        told.maps.append(told.warehouse.rows("from intermediate.map_customer_identity"))
        told.moved.append(told.warehouse.rows("from _touched.map_customer_identity"))
    return told


def _decide(warehouse: Warehouse, told: Story, action: str, one: str, other: str) -> None:
    named = [part for each in (one, other) for part in (each.split("/")[0], told.own(each.split("/")[1]))]
    with duckdb.connect(str(warehouse_file(warehouse.build))) as connection:
        connection.execute(
            "insert into seeds.identity_overrides select ?, ?, ?, ?, ?, 'ann', date '2026-01-01', 'asked them'",
            [action, *named],
        )


def one(*records: str) -> set[frozenset[str]]:
    return {frozenset(records)}


def crm(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"Id": identifier, **columns}


def merged(identifier: str, into: str, **columns: Any) -> dict[str, Any]:
    return crm(identifier, MasterRecordId=into, IsDeleted=True, **columns)


def desk(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"id": identifier, "role": "end-user", **columns}


def shop(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"contact_id": identifier, **columns}


def answer(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"answer_id": identifier, "survey_id": "s", "question_id": "q", **columns}


def at(day: int) -> str:
    return f"2026-06-{day:02} 00:00:00+00"


LONG_CHAIN = story({"salesforce.contact": [*(merged(str(n), into=str(n + 1)) for n in range(30)), crm("30")]})


def test_a_chain_of_merges_is_followed_to_its_end(told: Told) -> None:
    assert told.people(LONG_CHAIN) == one(*(str(n) for n in range(31)))


RING = story(
    {
        "salesforce.contact": [
            *(merged("b", "c"), merged("c", "a"), merged("a", "b"), merged("tail", "b"), merged("lost", "unknown")),
        ]
    }
)


def test_merges_in_a_ring_or_into_nowhere_still_give_one_customer(told: Told) -> None:
    assert told.people(RING) == one("a", "b", "c", "tail") | one("lost")


CONTRADICTION = story(
    {
        "salesforce.contact": [merged("old", "new"), crm("new"), crm("other", Email="ann@a.example")],
        "zendesk.users": [desk("u", external_id="old", email="ann@a.example")],
    }
)


def test_a_crm_id_beats_an_address_and_what_contradicts_it_is_a_conflict(told: Told) -> None:
    assert told.people(CONTRADICTION) == one("old", "new", "u") | one("other")
    assert told.rules(CONTRADICTION)["u"] == "external_id"
    assert set(told.status(CONTRADICTION).values()) == {"conflict"}


NOBODY = {
    address: story(
        {"salesforce.contact": [crm("1", Email=address)], "zendesk.users": [desk("u", email=address)]},
    )
    for address in (
        "info@a.example",
        "No-Reply@a.example",
        "none@none.example",
        "support+x@a.example",
        "nobody",
        "a@b",
        "",
    )
}


@pytest.mark.parametrize("address", NOBODY)
def test_an_address_that_names_nobody_matches_nobody(told: Told, address: str) -> None:
    assert told.people(NOBODY[address]) == one("1") | one("u")
    assert told.status(NOBODY[address])["u"] == "unmatched"


SPELLINGS = {
    address: story(
        {
            "salesforce.contact": [crm("1", Email="ann.b+x@a.example"), crm("2", Email="annb@a.example")],
            "zendesk.users": [desk("u", email=address)],
        }
    )
    for address in ("Ann <ann.b+x@a.example>", "mailto:ann.b+x@a.example", "\tANN.B+X@A.EXAMPLE ")
}


@pytest.mark.parametrize("address", SPELLINGS)
def test_one_address_is_found_in_any_spelling(told: Told, address: str) -> None:
    assert told.people(SPELLINGS[address]) == one("1", "u") | one("2")


SHARED = story(
    {
        "salesforce.contact": [
            crm("1", Email="home@a.example"),
            crm("2", Email="home@a.example", SystemModstamp=at(1)),
        ],
        "zendesk.users": [desk("u", email="home@a.example")],
    },
    {"salesforce.contact": [crm("2", IsDeleted=True, SystemModstamp=at(2), Email="home@a.example")]},
)


def test_a_shared_address_matches_nobody_until_one_living_contact_has_it(told: Told) -> None:
    assert told.people(SHARED, 0) == one("1") | one("2") | one("u")
    assert told.status(SHARED, 0) == {"1": "customer", "2": "customer", "u": "ambiguous"}
    assert told.people(SHARED, 1) == one("1", "u") | one("2")


MOVER = story(
    {"salesforce.contact": [crm("1", Email="ann@a.example"), crm("2")], "zendesk.users": [desk("u")]},
    {"zendesk.users": [desk("u", email="ann@a.example", updated_at=at(1))]},
)


def test_who_moves_is_told_with_both_customers_as_is_whom_they_join_and_nobody_else(told: Told) -> None:
    key = {contact: row["contact_key"] for contact, row in told.map(MOVER).items()}
    moved = {
        (_plain(row["contact_id"]), row["customer_key"]) for row in told.moved[1] if _is_of(MOVER, row["contact_id"])
    }
    assert moved == {("u", key["u"]), ("u", key["1"]), ("1", key["1"])}


AGENT = story(
    {
        "salesforce.contact": [crm("1", Email="ann@a.example")],
        "zendesk.users": [{"id": "a", "role": "agent", "external_id": "1", "email": "ann@a.example"}],
    }
)


def test_agents_are_nobodys_customers(told: Told) -> None:
    found = told.map(AGENT)["a"]
    assert (found["customer_key"], found["match_rule"], found["match_status"]) == (-1, "none", "not_a_customer")


WITHOUT_CRM = story(
    {
        "canonical.contact": [shop("1", email="ann@a.example")],
        "olist.customers": [
            {"customer_id": "order 1", "customer_unique_id": "p"},
            {"customer_id": "order 2", "customer_unique_id": "p"},
        ],
    }
)


def test_without_a_crm_every_contact_is_its_own_customer(told: Told) -> None:
    assert told.people(WITHOUT_CRM) == one("1") | one("p")
    assert set(told.status(WITHOUT_CRM).values()) == {"unmatched"}


OWN_CRM = story(
    {
        "canonical.contact": [
            shop("ann", _source="crm", email="ann@a.example", first_name="Ann", last_name="Lee"),
            shop("bob", _source="crm", email="bob@a.example"),
            shop("CUSTOMER-000017", _source="crm"),
            shop("named", _source="helpdesk", external_contact_id="ann"),
            shop("written", _source="helpdesk", email="BOB@a.example", first_name="B."),
            shop("long", _source="helpdesk", external_contact_id="CUSTOMER-000017"),
        ],
        "canonical.survey_answer": [
            {"answer_id": "asked", "_source": "survey", "survey_id": "s", "question_id": "q", "contact_id": "bob"},
        ],
        "canonical.ticket": [
            {"ticket_id": "told", "_source": "phone", "requester_id": "CUSTOMER-000017", "status": "open"},
        ],
    }
)


def test_a_crm_is_one_by_its_role_whoever_made_it(told: Told) -> None:
    assert told.people(OWN_CRM) == one("ann", "named") | one("bob", "written") | one("CUSTOMER-000017", "long")
    assert set(told.status(OWN_CRM).values()) == {"customer", "matched"}
    keys = {contact: row["customer_key"] for contact, row in told.map(OWN_CRM).items()}
    answers = told.rows(
        OWN_CRM,
        "select answer_id, links.customer_key from intermediate.int_survey_answer__links as links "
        "join intermediate.int_survey_answer__unioned using (survey_answer_key)",
    )
    tickets = told.rows(
        OWN_CRM,
        "select ticket_id, customer_key from intermediate.int_ticket__customer "
        "join intermediate.int_ticket__unioned using (ticket_key)",
    )
    assert (answers, tickets) == ({"asked": keys["bob"]}, {"told": keys["CUSTOMER-000017"]})


TWO_CRMS = story(
    {
        "canonical.contact": [
            shop("a1", _source="crm", email="ann@a.example", first_name="Ann", last_name="Lee"),
            shop("b1", _source="crm_two", email="ann@a.example", first_name="Annette", last_name="Lee-Orr"),
            shop("a2", _source="crm", email="home@a.example", first_name="Bob", last_name="Orr"),
            shop("a3", _source="crm", email="home@a.example", first_name="Cy", last_name="Orr"),
            shop("b2", _source="crm_two", email="home@a.example", first_name="Dee", last_name="Orr"),
            shop("17", _source="crm", first_name="Eve", last_name="Ash"),
            shop("17", _source="crm_two", first_name="Fay", last_name="Ash"),
            shop("b3", _source="crm_two", external_contact_id="17", first_name="Gil", last_name="Ash"),
        ],
        "zendesk.users": [desk("u1", email="ann@a.example"), desk("u2", external_id="17")],
    }
)


def test_two_crms_know_one_person_each_by_themselves(told: Told) -> None:
    customers: dict[int, set[str]] = defaultdict(set)
    for row in told.maps[0]:
        if _is_of(TWO_CRMS, row["contact_id"]):
            customers[row["customer_key"]].add(f"{row['source']}/{_plain(row['contact_id'])}")
    assert sorted(map(sorted, customers.values())) == [
        ["crm/17", "crm_two/b3"],
        ["crm/a1", "crm_two/b1", "zendesk/u1"],
        ["crm/a2"],
        ["crm/a3"],
        ["crm_two/17"],
        ["crm_two/b2"],
        ["zendesk/u2"],
    ]
    assert told.status(TWO_CRMS)["u2"] == "unmatched"


TWO_DESKS = story(
    {
        "zendesk.users": [
            desk("u1", email="ann@a.example", name="Ann Lee"),
            desk("u2", _source="zendesk_two", email="ann@a.example", name="A. Lee-Orr"),
            desk("u3", email="home@a.example", name="Bob Orr"),
            desk("u4", email="home@a.example", name="Cy Orr"),
            desk("u5", _source="zendesk_two", email="home@a.example", name="Dee Orr"),
        ],
    }
)


def test_without_a_crm_an_address_is_one_person_unless_one_source_gives_it_to_two(told: Told) -> None:
    assert told.people(TWO_DESKS) == one("u1", "u2") | one("u3") | one("u4") | one("u5")
    assert told.status(TWO_DESKS) == {
        "u1": "matched", "u2": "matched", "u3": "ambiguous", "u4": "ambiguous", "u5": "ambiguous",
    }  # fmt: skip


# A pair of ids Salesforce gives as an example: five characters a group, the capitals of each as bits.
SHORT, LONG = "001D000000IRFma", "001D000000IRFmaIAH"
TWO_IDS = story(
    {"salesforce.contact": [crm(SHORT)], "zendesk.users": [desk("u1", external_id=SHORT), desk("u2", external_id=LONG)]}
)


def test_short_and_long_spellings_of_a_crm_id_are_one(told: Told) -> None:
    users = told.map(TWO_IDS)
    assert users["u1"]["customer_key"] == users["u2"]["customer_key"]
    assert told.rules(TWO_IDS)["u1"] == "external_id"


TWO_OF_ONE_NAME = story(
    {
        "salesforce.contact": [crm(n, FirstName="Ann", LastName="Lee", AccountId="acme") for n in ("1", "2")],
        "zendesk.users": [desk("u", name="Ann Lee"), desk("v", name="Ann Lee")],
    }
)


def test_people_of_one_name_are_never_joined_by_it(told: Told) -> None:
    assert told.people(TWO_OF_ONE_NAME) == one("1") | one("2") | one("u") | one("v")


INBOX = story(
    {
        "salesforce.contact": [
            crm(number, FirstName=first, LastName="Lee", Email="family@a.example")
            for number, first in (("1", "Ann"), ("2", "Bob"), ("3", "Cid"))
        ],
        "zendesk.users": [desk("u", name="Ann Lee", email="family@a.example")],
    }
)


def test_an_inbox_that_several_people_share_joins_nobody_whatever_their_names(told: Told) -> None:
    assert len(told.people(INBOX)) == 4
    assert told.status(INBOX)["u"] == "ambiguous"


COUPLE = story(
    {
        "salesforce.contact": [
            crm("1", FirstName="Ánn", LastName="Lee", Email="home@a.example"),
            crm("2", FirstName="Bob", LastName="Lee", Email="home@a.example"),
            crm("3", FirstName="Bob", LastName="Lee", Email="HOME@a.example", IsDeleted=True),
        ],
        "zendesk.users": [desk("u", name="ann LEE", email="home@a.example")],
    }
)


def test_of_two_who_share_an_address_the_name_says_who_it_is(told: Told) -> None:
    assert told.people(COUPLE) == one("1", "u") | one("2", "3")


DOUBLES = story(
    {
        "salesforce.contact": [
            crm("1", FirstName="Ann", LastName="Lee", AccountId="home", Phone="030 123456", MailingCountry="DE"),
            crm("2", FirstName="A.", LastName="Lee", AccountId="home", MobilePhone="+4930123456"),
            crm("3", FirstName="Ann", LastName="Lee", AccountId="other", Phone="+4930123456"),
        ],
        "salesforce.account": [{"Id": "home", "Name": "Home"}, {"Id": "other", "Name": "Other"}],
    }
)


def test_an_initial_in_an_account_stands_for_the_one_name_it_fits(told: Told) -> None:
    assert told.people(DOUBLES) == one("1", "2") | one("3")


FOUR_SOURCES = story(
    {
        "salesforce.contact": [crm("crm", Email="ann@a.example")],
        "zendesk.users": [desk("desk", external_id="crm"), desk("late", _source="zendesk_two", name="Ann Lee")],
        "canonical.contact": [
            shop("shop", email="ann@a.example", phone="+49 30 123456", first_name="Ann", last_name="Lee"),
            shop("app", _source="app", phone="0049 30/123456", country="Germany", first_name="ANN", last_name="lee"),
        ],
        "canonical.order": [{"order_id": "order", "contact_id": "app", "_source": "app", "status": "placed"}],
        "zendesk.tickets": [
            {"id": "t", "_source": "zendesk_two", "requester_id": "late", "status": "open", "external_id": "order"},
        ],
    }
)


def test_a_chain_over_four_sources_is_one_customer(told: Told) -> None:
    assert told.people(FOUR_SOURCES) == one("crm", "desk", "shop", "app", "late")
    assert told.rules(FOUR_SOURCES) == {
        "crm": "own",
        "desk": "external_id",
        "shop": "email",
        "app": "phone_and_name",
        "late": "phone_and_name",
    }
    assert {row["weakest_rule"] for row in told.map(FOUR_SOURCES).values()} == {"phone_and_name"}


OTHER_BUYER = story(
    {
        "salesforce.contact": [crm("crm", FirstName="Bob", LastName="Lee")],
        "zendesk.users": [desk("u", name="Ann Lee"), desk("v", name="Bob Lee")],
        "canonical.order": [{"order_id": "order", "contact_id": "crm", "status": "placed"}],
        "zendesk.tickets": [
            {"id": "t", "requester_id": "u", "status": "open", "external_id": "order"},
            {"id": "w", "requester_id": "v", "status": "open", "external_id": "order"},
        ],
    }
)


def test_who_asks_about_an_order_is_its_buyer_only_with_the_same_name(told: Told) -> None:
    assert told.people(OTHER_BUYER) == one("crm", "v") | one("u")


NO_COUNTRY = story(
    {
        "salesforce.contact": [crm("1", Phone="030 123456", FirstName="Ann", LastName="Lee", MailingCountry="DE")],
        "zendesk.users": [
            desk("u", name="Ann Lee", phone="030 123456"),
            desk("v", name="Ann Lee", phone="+49 (0)30-123456"),
        ],
    }
)


def test_a_number_without_a_country_joins_nobody(told: Told) -> None:
    assert told.people(NO_COUNTRY) == one("1", "v") | one("u")


SWITCHBOARD = story(
    {
        "salesforce.account": [{"Id": "acme", "Name": "Acme"}],
        "zendesk.organizations": [{"id": "org", "external_id": "acme"}],
        "salesforce.contact": [crm("1", Phone="+4930123456", FirstName="Ann", LastName="Lee", AccountId="acme")],
        "zendesk.users": [
            desk("colleague", name="Bob Ray", phone="+4930123456", organization_id="org"),
            desk("nameless", phone="+4930123456", organization_id="org"),
        ],
    }
)


def test_a_number_of_a_company_joins_only_names_that_do_not_contradict(told: Told) -> None:
    assert told.people(SWITCHBOARD) == one("1", "nameless") | one("colleague")


FORMER = story(
    {
        "salesforce.contact": [
            crm("1", Email="old@a.example", FirstName="Ann", LastName="Lee", SystemModstamp=at(1)),
        ]
    },
    {
        "salesforce.contact": [
            crm("1", Email="new@a.example", FirstName="Ann", LastName="Lee", SystemModstamp=at(2)),
        ],
        "zendesk.users": [
            desk("u", name="Ann Lee", email="old@a.example"),
            desk("v", name="Bob Ray", email="old@a.example"),
        ],
    },
)


def test_a_former_address_counts_with_the_name_only(told: Told) -> None:
    assert told.people(FORMER) == one("1", "u") | one("v")
    assert told.rules(FORMER)["u"] == "former_email_and_name"


ACCOUNT = story(
    {
        "salesforce.account": [{"Id": "acme", "Name": "Acme"}],
        "salesforce.contact": [
            crm("1", Email="ann@acme.example", AccountId="acme"),
            crm("2", Email="x@gmail.com", AccountId="acme"),
        ],
        "zendesk.users": [desk("u", email="bob@acme.example"), desk("v", email="y@gmail.com")],
    }
)


def test_a_domain_never_makes_a_person_but_says_where_one_belongs(told: Told) -> None:
    assert len(told.people(ACCOUNT)) == 4
    account = {contact: row["account_key"] for contact, row in told.map(ACCOUNT).items()}
    assert account["u"] == account["1"] == account["2"] != -1
    assert account["v"] == -1


TWO_CUSTOMERS = story(
    {
        "salesforce.contact": [crm("1", Email="ann@a.example"), crm("2", Email="bob@b.example", SystemModstamp=at(1))],
        "zendesk.users": [desk("u", external_id="1"), desk("w", external_id="2")],
        "canonical.contact": [shop("both", email="ann@a.example", external_contact_id="2")],
    },
    {"salesforce.contact": [crm("2", Email="bob@b.example", IsDeleted=True, SystemModstamp=at(2))]},
)


def test_two_living_customers_of_the_crm_are_a_conflict_that_leaves_stricter_rules_alone(told: Told) -> None:
    assert told.people(TWO_CUSTOMERS, 0) == one("1", "u") | one("2", "w", "both")
    assert set(told.status(TWO_CUSTOMERS, 0).values()) == {"conflict"}
    assert told.people(TWO_CUSTOMERS, 1) == one("1", "2", "u", "w", "both")
    assert "conflict" not in told.status(TWO_CUSTOMERS, 1).values()


DOZEN = [merged(f"m{n}", into="1") for n in range(12)]
OVERSIZED = story(
    {"salesforce.contact": [*DOZEN, crm("1")], "zendesk.users": [desk(f"u{n}", external_id="1") for n in range(9)]},
    {"zendesk.users": [desk("u9", external_id="1")]},
)


def test_more_records_than_one_person_has_are_not_made_one(told: Told) -> None:
    """Merged records count as one, so a customer whom the vendor merged often may still have a desk user."""
    assert len(told.people(OVERSIZED, 0)) == 1
    assert "conflict" not in told.status(OVERSIZED, 0).values()
    assert told.people(OVERSIZED, 1) == one("1", *(f"m{n}" for n in range(12))).union(
        *(one(f"u{n}") for n in range(10))
    )
    assert set(told.status(OVERSIZED, 1).values()) == {"conflict"}


DECIDED = story(
    {
        "salesforce.contact": [
            crm("1", Email="ann@a.example"),
            merged("m", into="1"),
            crm("2", Email="bob@b.example"),
            crm("3"),
        ],
        "zendesk.users": [desk("u", email="ann@a.example"), desk("v", email="bob@b.example")],
    },
    {},
    decisions={
        1: [
            ("keep_apart", "salesforce/1", "salesforce/m"),
            ("keep_apart", "zendesk/u", "salesforce/1"),
            ("merge", "salesforce/2", "salesforce/3"),
        ]
    },
)


def test_a_person_decides_over_every_rule_and_over_the_vendor(told: Told) -> None:
    assert told.people(DECIDED, 0) == one("1", "m", "u") | one("2", "v") | one("3")
    assert told.people(DECIDED, 1) == one("1") | one("m") | one("u") | one("2", "3", "v")
    assert told.rules(DECIDED)["3"] == "manual_merge"


DETOUR = story(
    {
        "salesforce.contact": [crm("1", Email="ann@a.example")],
        "zendesk.users": [desk("u", email="ann@a.example"), desk("v", external_id="1")],
    },
    decisions={0: []} | {1: [("keep_apart", "zendesk/u", "zendesk/v")]},
)


def test_what_is_kept_apart_is_not_joined_by_a_detour_either(told: Told) -> None:
    assert told.people(DETOUR, 1) == one("1", "v") | one("u")
    assert set(told.status(DETOUR, 1).values()) == {"conflict"}


LONG_AGO = "2020-01-01 00:00:00+00"
GROWING = story(
    {"zendesk.users": [desk("u", created_at=LONG_AGO, email="ann@a.example")]},
    {"salesforce.contact": [crm("1", Email="ann@a.example", CreatedDate="2024-01-01 00:00:00+00")]},
    {"zendesk.users": [desk("u", created_at=LONG_AGO, email="else@a.example", updated_at=at(1))]},
    {"zendesk.users": [desk("u", created_at=LONG_AGO, email="ann@a.example", updated_at=at(2))]},
)


def test_the_key_stays_when_a_younger_record_joins_and_moves_are_logged(told: Told) -> None:
    (key,) = {row["customer_key"] for row in told.map(GROWING, 0).values()}
    assert {row["customer_key"] for row in told.map(GROWING, 1).values()} == {key}
    logged = told.rows(
        GROWING,
        """
        select contacts.contact_id, list((changes.night, changes.kind) order by changes.night)
        from intermediate.int_identity__changes as changes
        inner join intermediate.int_contact__unioned as contacts on contacts.contact_key = changes.contact_key
        group by contacts.contact_id
        """,
    )
    first = logged["u"][0][0]
    moves = {contact: [(night - first, kind) for night, kind in kinds] for contact, kinds in logged.items()}
    assert moves == {"u": [(0, "new")], "1": [(1, "new"), (2, "split"), (3, "merged")]}


RESPONDENTS = story(
    {
        "salesforce.contact": [crm("1", Email="ann@a.example")],
        "salesforce.case": [
            {"Id": "case", "SuppliedEmail": "Ann@A.example"},
            {"Id": "odd", "SuppliedEmail": "info@a.example"},
        ],
        "zendesk.users": [desk("u")],
        "zendesk.tickets": [{"id": "t", "requester_id": "u", "status": "open"}],
        "canonical.survey_answer": [
            answer("by id", contact_id="1", ticket_id="t"),
            answer("by address", email="mailto:ann@a.example"),
            answer("by ticket", ticket_id="t"),
            answer("of nobody", email="else@b.example"),
            answer("anonymous", contact_id="1", email="ann@a.example", ticket_id="t", is_anonymous=True),
        ],
    }
)


def test_answers_and_requests_find_their_customer_through_their_respondent(told: Told) -> None:
    assert told.people(RESPONDENTS) == one("1", "u")
    key = told.map(RESPONDENTS)["1"]["customer_key"]
    assert told.rows(
        RESPONDENTS,
        """
        select answers.answer_id, links.customer_key
        from intermediate.int_survey_answer__links as links
        inner join intermediate.int_survey_answer__unioned as answers using (survey_answer_key)
        """,
    ) == {"by id": key, "by address": key, "by ticket": key, "of nobody": -1, "anonymous": -1}
    assert told.rows(
        RESPONDENTS,
        "select ticket_id, customer_key from intermediate.int_ticket__customer "
        "inner join intermediate.int_ticket__unioned using (ticket_key)",
    ) == {"t": key, "case": key, "odd": -1}


STRANGERS = story(
    {
        "salesforce.contact": [crm(person) for person in ("ann", "bob", "cem")],
        "salesforce.case": [{"Id": f"of {person}", "ContactId": person} for person in ("ann", "bob", "cem")],
        "canonical.survey_answer": [
            answer("asked", contact_id="of one", ticket_id="of ann"),
            answer("of one", contact_id="of one"),
            answer("asked once", contact_id="of two", ticket_id="of bob"),
            answer("asked again", contact_id="of two", ticket_id="of cem"),
            answer("of two", contact_id="of two"),
            answer("asked too", contact_id="met by two", ticket_id="of cem"),
            answer("met by two", contact_id="met by two"),
            answer("tried out", contact_id="of a test", ticket_id="of ann", is_test=True),
            answer("of a test", contact_id="of a test"),
        ],
    }
)


def test_a_stranger_is_in_every_answer_the_customer_whose_ticket_they_were_asked_about(told: Told) -> None:
    assert told.people(STRANGERS) == one("ann") | one("bob") | one("cem")
    ann = told.map(STRANGERS)["ann"]["customer_key"]
    found = told.rows(
        STRANGERS,
        """
        select answers.answer_id, links.customer_key
        from intermediate.int_survey_answer__links as links
        inner join intermediate.int_survey_answer__unioned as answers using (survey_answer_key)
        """,
    )
    assert {given for given, customer in found.items() if customer == ann} == {"asked", "of one", "tried out"}
    assert {found[given] for given in ("asked once", "asked again", "of two", "asked too", "met by two")} == {-1}
    assert found["of a test"] == -1


NAMED = {"contact_id": "1", "ticket_id": "t"}
ANONYMOUS = story(
    {
        "salesforce.contact": [crm("1")],
        "zendesk.users": [desk("u")],
        "zendesk.tickets": [{"id": "t", "requester_id": "u", "status": "open"}],
        "canonical.survey_invitation": [{"invitation_id": "i", "survey_id": "s", **NAMED}],
        "canonical.survey_answer": [answer("a", invitation_id="i", is_anonymous=True, **NAMED)],
    },
    {"canonical.survey_answer": [answer("a", updated_at=at(2), invitation_id="i", **NAMED)]},
)


def test_an_anonymous_answer_is_no_evidence(told: Told) -> None:
    assert told.people(ANONYMOUS, 0) == one("1") | one("u")
    assert told.people(ANONYMOUS, 1) == one("1", "u")


def why(told: Told, about: Story, record: str, other: str | None = None) -> Explanation:
    """Explain records of a story, given as `source/id`."""
    names = [f"{each.split('/')[0]}/{about.own(each.split('/')[1])}" for each in (record, other) if each]
    return explain(told.warehouse.build, *names)


def test_a_customer_is_explained_by_its_records_and_a_pair_by_its_shortest_chain(told: Told) -> None:
    alone = why(told, FOUR_SOURCES, "app/app")
    assert len(alone.records) == 5
    assert {each.customer_key for each in alone.records} == {alone.record.customer_key}
    pair = why(told, FOUR_SOURCES, "zendesk/desk", "app/app")
    assert pair.is_one
    assert [edge.rule for edge in pair.evidence] == ["external_id", "email", "phone_and_name"]
    ends = {pair.evidence[0].one, pair.evidence[0].other, pair.evidence[-1].one, pair.evidence[-1].other}
    assert {pair.record.name, pair.other.name if pair.other else None} <= ends


@pytest.mark.parametrize(
    ("about", "record", "other", "said"),
    [
        (TWO_OF_ONE_NAME, "salesforce/1", "salesforce/2", "Nothing in the extracts joins them"),
        (INBOX, "salesforce/1", "zendesk/u", "but that alone does not say"),
        (NOBODY["info@a.example"], "salesforce/1", "zendesk/u", "it is excluded: it names nobody"),
        (CONTRADICTION, "zendesk/u", "salesforce/other", "one of 2 living customers of one CRM"),
        (OVERSIZED, "zendesk/u1", "zendesk/u2", "one of 11 records"),
        (DECIDED, "zendesk/u", "salesforce/1", "a person decided to keep them apart"),
        (AGENT, "zendesk/a", "salesforce/1", "is an agent"),
    ],
)
def test_why_two_records_are_not_one_customer_is_said(
    told: Told, about: Story, record: str, other: str, said: str
) -> None:
    found = why(told, about, record, other)
    assert found.is_one is False
    assert said in " ".join(found.reasons)


def test_an_unknown_or_ambiguous_id_is_refused(told: Told) -> None:
    with pytest.raises(JourneymartError, match="No record 'nobody' is known"):
        explain(told.warehouse.build, "nobody")
    key = why(told, GROWING, "zendesk/u").record.key
    assert explain(told.warehouse.build, str(key)).record.key == key


def test_suggestions_are_a_private_file_of_pairs_that_are_not_one_customer(told: Told, tmp_path: Path) -> None:
    pytest.importorskip("splink")
    found, path = suggest(told.warehouse.build, tmp_path, 0.5)
    with path.open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) == found > 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = {(row["source"], row["contact_id"]): row["customer_key"] for row in told.maps[-1]}
    for pair in pairs:
        assert key[pair["source_a"], pair["record_a"]] != key[pair["source_b"], pair["record_b"]]
        assert not any("@" in value for value in pair.values())


def test_what_people_decided_may_not_contradict_itself(told: Told) -> None:
    """The tests of the graph hold for all stories, and fail once a pair that is kept apart is merged too."""
    checks = "assert_identity_components_converged assert_identity_guards_hold assert_identity_seeds_agree"
    warehouse = told.warehouse
    warehouse.project.run(warehouse.build, "test", "--select", *checks.split())
    decided = [("merge", "zendesk/v", "salesforce/1"), ("merge", "zendesk/u", "salesforce/1")]
    for decision in decided:
        _decide(warehouse, DETOUR, *decision)
    warehouse.night()
    with pytest.raises(DbtFailedError, match="assert_identity_seeds_agree"):
        warehouse.project.run(warehouse.build, "test", "--select", *checks.split())
