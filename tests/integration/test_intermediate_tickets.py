"""int_ticket__unioned and int_ticket_event__unioned on what vendors deliver. Not here: the marts."""

from __future__ import annotations

import pytest
from dbt_harness import Warehouse

SELECT = "int_ticket_event__unioned"


def comment(author: str, public: bool = True) -> dict[str, object]:
    return {"type": "Comment", "author_id": author, "public": public, "body": "hello"}


def change(field: str, before: str | None, after: str) -> dict[str, object]:
    return {"type": "Change", "field_name": field, "previous_value": before, "value": after}


def audit(number: int, ticket: str, author: str, *events: dict[str, object], channel: str = "web") -> dict[str, object]:
    return {
        "id": str(number),
        "ticket_id": ticket,
        "author_id": author,
        "created_at": f"2026-01-01 10:00:{number:02}+00",
        "events": list(events),
        "via": {"channel": channel},
    }


USERS = [{"id": "c", "role": "end-user"}, {"id": "a", "role": "agent"}]
EVENTS = """
    select event_type, author_role, is_public, from_value, to_value
    from intermediate.int_ticket_event__unioned where event_type <> 'created' order by ticket_id, sequence
"""


def roles(warehouse: Warehouse) -> list[str]:
    return warehouse.values(
        "select author_role from intermediate.int_ticket_event__unioned where event_type <> 'created' order by sequence"
    )


def test_an_audit_becomes_one_event_per_known_change_in_its_order(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.users": USERS,
            "zendesk.tickets": [{"id": "1", "requester_id": "c", "submitter_id": "c"}],
            "zendesk.ticket_audits": [
                audit(
                    1,
                    "1",
                    "a",
                    comment("a"),
                    change("status", "open", "solved"),
                    change("subject", "x", "y"),
                    {"type": "HologramReply", "value": "from the future"},
                )
            ],
        },
        SELECT,
    )
    assert warehouse.rows(EVENTS) == [
        {
            "event_type": "comment",
            "author_role": "agent",
            "is_public": True,
            "from_value": None,
            "to_value": None,
        },
        {
            "event_type": "status_change",
            "author_role": "agent",
            "is_public": None,
            "from_value": "open",
            "to_value": "solved",
        },
    ]


def test_a_comments_author_is_who_wrote_it_not_who_sent_the_audit(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.users": USERS,
            "zendesk.tickets": [{"id": "1", "requester_id": "c"}],
            "zendesk.ticket_audits": [
                audit(1, "1", "a", comment("c")),
                audit(2, "1", "-1", comment("-1"), channel="rule"),
                audit(3, "1", "-1", change("status", "open", "pending"), channel="rule"),
            ],
        },
        SELECT,
    )
    assert roles(warehouse) == ["customer", "bot", "system"]


def test_an_author_nobody_knows_is_no_agent_until_their_record_arrives(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.tickets": [{"id": "1", "requester_id": "c"}],
            "zendesk.ticket_audits": [audit(1, "1", "c", comment("c")), audit(2, "1", "a", comment("a"))],
        },
        SELECT,
    )
    assert roles(warehouse) == ["customer", "system"]
    warehouse.night({"zendesk.users": USERS})
    assert roles(warehouse) == ["customer", "agent"]


def test_a_change_of_role_reaches_old_comments(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.users": [{"id": "a", "role": "end-user", "updated_at": "2026-01-01 00:00:00+00"}],
            "zendesk.tickets": [{"id": "1", "requester_id": "c"}],
            "zendesk.ticket_audits": [audit(1, "1", "a", comment("a"))],
        },
        SELECT,
    )
    assert roles(warehouse) == ["customer"]
    warehouse.night({"zendesk.users": [{"id": "a", "role": "admin", "updated_at": "2026-01-02 00:00:00+00"}]})
    assert roles(warehouse) == ["agent"]
    warehouse.night({"canonical.agent": [{"agent_id": "a", "is_automated": True}]})
    assert roles(warehouse) == ["bot"]
    warehouse.night({"zendesk.users": [{"id": "a", "role": "end-user", "updated_at": "2026-01-03 00:00:00+00"}]})
    assert roles(warehouse) == ["customer"]
    assert warehouse.values("select agent_id from intermediate.int_agent__unioned where system = 'zendesk'") == []


def test_a_purged_or_merged_ticket_stays_and_says_why_it_is_gone(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.tickets": [
                {"id": "1", "status": "deleted"},
                {"id": "2", "status": "closed", "tags": ["closed_by_merge"]},
                {"id": "3", "status": "open"},
                {"id": "4", "status": "brand_new_status"},
            ],
            "salesforce.case": [
                {"Id": "5", "Status": "New", "MasterRecordId": "6", "IsDeleted": True},
                {"Id": "6", "Status": "Escalated"},
            ],
        },
        "int_ticket__unioned",
    )
    warehouse.night({"zendesk.tickets": [{"id": "3", "_op": "delete"}]})
    assert warehouse.rows(
        "select ticket_id, status, deletion_kind, is_deleted from intermediate.int_ticket__unioned order by ticket_id"
    ) == [
        {"ticket_id": "1", "status": "deleted", "deletion_kind": "soft", "is_deleted": True},
        {"ticket_id": "2", "status": "closed", "deletion_kind": "merged", "is_deleted": True},
        {"ticket_id": "3", "status": "open", "deletion_kind": "hard_inferred", "is_deleted": True},
        {"ticket_id": "4", "status": "other", "deletion_kind": None, "is_deleted": False},
        {"ticket_id": "5", "status": "new", "deletion_kind": "merged", "is_deleted": True},
        {"ticket_id": "6", "status": "open", "deletion_kind": None, "is_deleted": False},
    ]


def test_a_record_that_vanished_and_came_back_lives_again(warehouse: Warehouse) -> None:
    warehouse.night(
        {"zendesk.tickets": [{"id": "1", "status": "open", "_version_at": "2026-01-02 00:00:00+00"}]},
        "int_ticket__unioned",
    )
    warehouse.night({"zendesk.tickets": [{"id": "1", "_op": "delete", "_version_at": "2026-01-03 00:00:00+00"}]})
    assert warehouse.values("select is_deleted from intermediate.int_ticket__unioned") == [True]
    warehouse.night({"zendesk.tickets": [{"id": "1", "status": "open", "_version_at": "2026-01-04 00:00:00+00"}]})
    assert warehouse.values("select is_deleted from intermediate.int_ticket__unioned") == [False]


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_newest_version_wins_whenever_it_arrives(warehouse: Warehouse, newer_first: bool) -> None:
    versions = [
        {"id": "1", "status": "open", "updated_at": "2026-01-01 00:00:00+00"},
        {"id": "1", "status": "solved", "updated_at": "2026-01-02 00:00:00+00"},
    ]
    for version in reversed(versions) if newer_first else versions:
        warehouse.night({"zendesk.tickets": [version]}, "int_ticket__unioned")
    assert warehouse.values("select status from intermediate.int_ticket__unioned") == ["solved"]


def test_a_corrected_event_leaves_the_ticket_it_was_wrongly_on(warehouse: Warehouse) -> None:
    event = {"event_id": "e", "event_type": "comment", "author_role": "agent"}
    warehouse.night(
        {"canonical.ticket_event": [{**event, "ticket_id": "1", "updated_at": "2026-01-01 00:00:00+00"}]},
        SELECT,
    )
    warehouse.night({"canonical.ticket_event": [{**event, "ticket_id": "2", "updated_at": "2026-01-02 00:00:00+00"}]})
    assert warehouse.values("select ticket_id from intermediate.int_ticket_event__unioned") == ["2"]
    assert sorted(warehouse.values("select ticket_id from _touched.int_ticket_event__unioned")) == ["1", "2"]


def test_the_crm_gives_the_creation_and_the_closing_of_a_case(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "salesforce.case": [
                {"Id": "1", "Status": "New"},
                {"Id": "2", "Status": "Closed", "IsClosed": True, "ClosedDate": "2026-01-02 00:00:00+00"},
            ]
        },
        SELECT,
    )
    assert warehouse.rows(
        "select ticket_id, event_type, to_value "
        "from intermediate.int_ticket_event__unioned order by ticket_id, sequence"
    ) == [
        {"ticket_id": "1", "event_type": "created", "to_value": None},
        {"ticket_id": "2", "event_type": "created", "to_value": None},
        {"ticket_id": "2", "event_type": "status_change", "to_value": "closed"},
    ]
