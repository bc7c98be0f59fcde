"""Moves from one customer to another that the audit of identity must not stop, made by the models of identity.

What lives here: histories in which unchanged records go to another customer for a reason that was delivered elsewhere.
Not here: who is whom (test_intermediate_customers.py), the audit on tables in miniature (tests/unit/test_audits.py).
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest
from dbt_harness import DbtProject, Row, Warehouse

from assets.audit.moved_records import moved_contacts
from storage.data_folder import warehouse_file

PHONE, LATER = "+49 30 123456", "2026-06-02 00:00:00+00"
BOB = {"FirstName": "Bob", "LastName": "Lee", "Phone": PHONE}
STRANGER: tuple[dict[str, list[Row]], ...] = (
    {
        # Two customers of the CRM could be this user, by an address and, less sure, by number and name.
        "salesforce.contact": [{"Id": "address", "Email": "e@a.example"}, {"Id": "number", **BOB}],
        "zendesk.users": [
            {"id": "user", "role": "end-user", "name": "Bob Lee", "email": "e@a.example", "phone": PHONE},
            {"id": "other", "role": "end-user"},
        ],
    },
    # A third now has the address, too, so it names nobody.
    {"salesforce.contact": [{"Id": "stranger", "Email": "e@a.example"}]},
)
ANSWERED: tuple[dict[str, list[Row]], ...] = (
    {
        "salesforce.contact": [{"Id": "address", "Email": "e@a.example"}, {"Id": "number", **BOB}],
        "zendesk.users": [
            {"id": "user", "role": "end-user", "name": "Bob Lee", "phone": PHONE},
            {"id": "other", "role": "end-user"},
        ],
        "zendesk.tickets": [{"id": "t", "requester_id": "user", "status": "open"}],
        "canonical.survey_answer": [
            {"answer_id": "a", "survey_id": "s", "question_id": "q", "email": "e@a.example", "ticket_id": "t"}
        ],
    },
    # Somebody else asked for help in the ticket: whoever answered about it was not the user.
    {"zendesk.tickets": [{"id": "t", "requester_id": "other", "status": "open", "updated_at": LATER}]},
)


@pytest.mark.parametrize("nights", [STRANGER, ANSWERED], ids=["stranger", "requester"])
def test_a_record_may_go_to_another_customer_by_what_others_say(
    dbt_project: DbtProject, tmp_path: Path, nights: tuple[dict[str, list[Row]], ...]
) -> None:
    warehouse = Warehouse(dbt_project, tmp_path, "map_customer_identity")
    people = []
    for night in nights:
        warehouse.night(night)
        shutil.copy(warehouse_file(warehouse.build), tmp_path / f"{len(people)}.duckdb")
        customers = defaultdict(set)
        for row in warehouse.rows("select contact_id, customer_key from intermediate.map_customer_identity"):
            customers[row["customer_key"]].add(row["contact_id"])
        people.append([sorted(each) for each in customers.values() if "user" in each])
    assert people == [[["address", "user"]], [["number", "user"]]]
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tmp_path}/0.duckdb' as before (read_only)")
        connection.execute(f"attach '{tmp_path}/1.duckdb' as warehouse (read_only)")
        assert moved_contacts(connection) == 0
