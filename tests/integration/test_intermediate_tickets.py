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
    assert roles(warehouse) == ["customer", None]
    warehouse.night({"zendesk.users": USERS})
    assert roles(warehouse) == ["customer", "agent"]


def user(role: str, day: int, name: str = "a") -> dict[str, object]:
    return {"id": name, "role": role, "updated_at": f"2026-01-{day:02} 00:00:00+00"}


def test_a_role_is_that_of_the_moment_and_the_first_one_told_reaches_back(warehouse: Warehouse) -> None:
    """The comment is of 1 January, 10:00; nothing that somebody became later changes who wrote it."""
    about = {
        "zendesk.tickets": [{"id": "1", "requester_id": "c"}],
        "zendesk.ticket_audits": [audit(1, "1", "a", comment("a"))],
    }
    warehouse.night(about | {"zendesk.users": [user("agent", 2)]}, SELECT)
    assert roles(warehouse) == ["agent"]
    warehouse.night({"zendesk.users": [user("end-user", 3)]})
    assert roles(warehouse) == ["agent"]
    assert warehouse.values("select agent_id from intermediate.int_agent__unioned where system = 'zendesk'") == []
    warehouse.night({"canonical.agent": [{"agent_id": "a", "is_automated": True}]})
    assert roles(warehouse) == ["bot"]
    warehouse.night({"zendesk.users": [user("end-user", 1)]})
    assert roles(warehouse) == ["customer"]
    assert warehouse.differences(warehouse.rebuilt(), ["intermediate.int_ticket_event__unioned"]) == {}


def test_who_was_in_charge_of_a_ticket_was_an_agent_whatever_is_first_told_of_them_later(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "zendesk.users": [user("end-user", 5)],
            "zendesk.tickets": [{"id": "1", "requester_id": "c", "assignee_id": "a"}],
            "zendesk.ticket_audits": [audit(1, "1", "a", comment("a"))],
        },
        SELECT,
    )
    assert roles(warehouse) == ["agent"]


def test_audits_that_do_not_tell_their_channel_make_no_author_a_machine(warehouse: Warehouse) -> None:
    told = audit(1, "1", "c", comment("c")), audit(2, "1", "a", comment("a"))
    warehouse.night(
        {
            "zendesk.users": USERS,
            "zendesk.tickets": [{"id": "1", "requester_id": "c"}],
            "zendesk.ticket_audits": [{**row, "via": None} for row in told],
        },
        SELECT,
    )
    assert roles(warehouse) == ["customer", "agent"]


def test_authors_of_a_canonical_desk_are_known_by_their_ids_where_their_role_is_not_said(warehouse: Warehouse) -> None:
    said = {"event_type": "comment", "ticket_id": "1", "occurred_at": "2026-01-01 10:00:00+00"}
    warehouse.night(
        {
            "canonical.ticket": [{"ticket_id": "1", "requester_id": "c", "status": "open"}],
            "canonical.agent": [{"agent_id": "a"}, {"agent_id": "b", "is_automated": True}],
            "canonical.ticket_event": [
                {**said, "event_id": f"e{place}", "author_id": author, "sequence": place}
                for place, author in enumerate(("c", "a", "b", "stranger"))
            ],
        },
        SELECT,
    )
    assert roles(warehouse) == ["customer", "agent", "bot", None]


def test_a_purged_ticket_keeps_what_it_was_and_a_deleted_one_goes(warehouse: Warehouse) -> None:
    """The desk wipes what it deletes; closed tickets are deleted by its schedule, others by somebody."""
    gone = {"status": "deleted", "group_id": None, "updated_at": "2026-01-09 00:00:00+00"}
    lived = {"group_id": "5001", "updated_at": "2026-01-02 00:00:00+00"}
    purge = {"deletion_kind": "retention_purge", "is_deleted": True, "updated_at": "2026-01-09 00:00:00+00"}
    warehouse.night(
        {
            "zendesk.tickets": [{"id": "1", "status": "closed"} | lived, {"id": "2", "status": "open"} | lived],
            "canonical.ticket": [
                {"ticket_id": "3", "status": "solved", "team": "x", "updated_at": "2026-01-02 00:00:00+00"}
            ],
        },
        "int_ticket__unioned",
    )
    warehouse.night(
        {
            "zendesk.tickets": [{"id": "1"} | gone, {"id": "2"} | gone],
            "canonical.ticket": [{"ticket_id": "3", "status": "deleted"} | purge],
        }
    )
    found = warehouse.rows(
        "select ticket_id, status, team, deletion_kind, is_deleted "
        "from intermediate.int_ticket__unioned order by ticket_id"
    )
    assert [tuple(row.values()) for row in found] == [
        ("1", "closed", "5001", "retention_purge", True),
        ("2", "deleted", "5001", "soft", True),
        ("3", "solved", "x", "retention_purge", True),
    ]


def test_a_change_by_the_system_is_a_newer_version(warehouse: Warehouse) -> None:
    """Its cursor alone moves on, and it may be delivered first."""
    about = {"id": "1", "updated_at": "2026-01-01 12:00:00+00"}
    closed = about | {"status": "closed", "generated_timestamp": "2026-01-03 12:00:00+00"}
    opened = about | {"status": "open", "generated_timestamp": "2026-01-01 12:00:00+00"}
    warehouse.night({"zendesk.tickets": [closed]}, "int_ticket__unioned")
    warehouse.night({"zendesk.tickets": [opened]})
    assert warehouse.values("select status from intermediate.int_ticket__unioned") == ["closed"]


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
