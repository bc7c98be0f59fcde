"""A company whose tickets take the agent's team and the customer's address from other files, by the real nights.

Not here: what may be looked up (tests/unit/test_mapping_lookups.py), mistakes (tests/unit/test_mapping_files.py).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, differences

FIRST, SECOND = date(2026, 3, 28), date(2026, 3, 29)
SOURCES = """\
company: Small
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-03-28
sources:
  desk:
    system: canonical
    location: drop
    pattern: "{stream}_{date}.csv"
    complete: rename
    streams:
      ticket:
      agent: {mode: full}
      contact:
"""
MAPPING = """\
ticket:
  lookup:
    Agent team: {from: Agent, stream: agent, column: team}
    Mail: {from: Customer, stream: contact, column: email}
  columns:
    ticket_id: Ticket
    requester_email: Mail
    assignee_id: Agent
    team: Agent team
    status: Status
    created_at: Opened
    updated_at: Changed
contact:
  columns: {contact_id: Customer, email: E-mail, updated_at: Changed}
"""
# On the second day the agent is in another team, and the customer of the second ticket is delivered.
DELIVERED = {
    f"ticket_{FIRST}.csv": """\
Ticket,Agent,Customer,Status,Opened,Changed
1,a1,c1,open,2026-03-28T10:00:00Z,2026-03-28T10:00:00Z
2,a1,c2,open,2026-03-28T11:00:00Z,2026-03-28T11:00:00Z
""",
    f"agent_{FIRST}.csv": "agent_id,name,team,updated_at\na1,Ann,Front,2026-03-28T08:00:00Z\n",
    f"contact_{FIRST}.csv": "Customer,E-mail,Changed\nc1,carl@home-1.example,2026-03-28T08:00:00Z\n",
    f"ticket_{SECOND}.csv": """\
Ticket,Agent,Customer,Status,Opened,Changed
3,a1,c2,open,2026-03-29T10:00:00Z,2026-03-29T10:00:00Z
""",
    f"agent_{SECOND}.csv": "agent_id,name,team,updated_at\na1,Ann,Back,2026-03-29T08:00:00Z\n",
    f"contact_{SECOND}.csv": "Customer,E-mail,Changed\nc2,dora@home-2.example,2026-03-29T08:00:00Z\n",
}


def installed(folder: Path, state: Path) -> Installation:
    (folder / "drop").mkdir(parents=True)
    (folder / "mappings").mkdir()
    (folder / "sources.yml").write_text(SOURCES, encoding="utf-8")
    (folder / "mappings" / "desk.yml").write_text(MAPPING, encoding="utf-8")
    return Installation(folder / "data", state, folder / "sources.yml")


def deliver(folder: Path, day: date) -> None:
    for name, text in DELIVERED.items():
        if str(day) in name:
            (folder / "drop" / name).write_text(text, encoding="utf-8")


@pytest.mark.promise("order")
def test_nights_that_look_up_in_other_files_publish_what_one_night_over_all_of_them_does(
    tmp_path: Path, state: Path
) -> None:
    by_night, at_once = (installed(tmp_path / name, state) for name in ("by night", "at once"))
    for day in (FIRST, SECOND):
        deliver(tmp_path / "by night", day)
        deliver(tmp_path / "at once", day)
        assert by_night.night(day).published
    assert at_once.night(FIRST, SECOND).published
    found = by_night.marts(
        "select team, count(*), count(distinct customer_key) filter (customer_key <> -1) from fct_ticket "
        "group by team order by team"
    )
    assert found == [("Back", 1, 1), ("Front", 2, 2)]
    assert differences(by_night, at_once, at_once.mart_tables()) == {}
