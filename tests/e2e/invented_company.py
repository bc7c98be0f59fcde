"""A company with a help desk nobody ever sold: every file of its folder, and what the desk delivers.

What lives here: the folder, made by the book (CONTRIBUTING.md, docs/company.md). Not here: running it
(test_company_folder.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

FILES: Mapping[str, str] = {
    "contracts/helpdock/members.yml": """
system: helpdock
stream: members
description: People who write to the desk. One row per member version.
key: [member_no]
record: person
becomes: contact
version: changed
columns:
  member_no: {type: id, required: true, pii: indirect, description: Member.}
  full_name: {type: text, pii: direct, role: name, description: Name.}
  mail: {type: text, pii: direct, contact_point: email, description: E-mail address.}
  twin_of: {type: id, pii: indirect, role: self, description: Older record of the same member.}
  changed: {type: timestamp, required: true, pii: none, description: Last change.}
""",
    "contracts/helpdock/calls.yml": """
system: helpdock
stream: calls
description: Calls for help. One row per call version.
key: [call_no]
record: conversation
becomes: ticket
version: changed
columns:
  call_no: {type: id, required: true, pii: indirect, description: Call.}
  member_no: {type: id, pii: indirect, role: subject, description: Who calls.}
  words: {type: text, pii: free_text, description: What they said.}
  state: {type: text, required: true, pii: none, allowed: [waiting, done], description: State.}
  opened: {type: timestamp, required: true, pii: none, description: Begun.}
  ended: {type: timestamp, pii: none, description: Ended.}
  changed: {type: timestamp, required: true, pii: none, description: Last change.}
""",
    "models/staging/helpdock/stg_helpdock__members.sql": """
select member_no, full_name, mail, twin_of, changed, _source, _night, _extract_date, _file, _row, _op, _version_at
from {{ source('helpdock', 'members') }}
""",
    "models/staging/helpdock/stg_helpdock__calls.sql": """
select
    call_no, member_no, words, state, opened, ended, changed,
    _source, _night, _extract_date, _file, _row, _op, _version_at
from {{ source('helpdock', 'calls') }}
""",
    "models/staging/helpdock/int_contact__helpdock.sql": """
select
    member_no as contact_id,
    mail as email,
    full_name as last_name,
    twin_of as merged_into_contact_id,
    false as is_deleted,
    changed as updated_at,
    {{ version_columns() }}
from {{ ref('stg_helpdock__members') }}
""",
    "models/staging/helpdock/int_ticket__helpdock.sql": """
select
    call_no as ticket_id,
    member_no as requester_id,
    'phone' as channel,
    'blue' as team,
    words as description,
    case state when 'done' then 'solved' else 'open' end as status,
    false as is_complaint,
    opened as created_at,
    ended as solved_at,
    false as is_deleted,
    true as is_there,
    changed as updated_at,
    {{ version_columns() }}
from {{ ref('stg_helpdock__calls') }}
""",
    "company.yml": """
company: Somebody
reporting_timezone: Europe/Berlin
currency: EUR
first_date: 2026-06-27
sources:
  dock:
    system: helpdock
    connector: files
    location: "{data}/drop"
    pattern: "{stream}_{date}.csv"
    timezone: UTC
    complete: rename
    when_missing: block
    streams:
      members:
      calls:
""",
    "seeds/schedules.csv": "schedule,timezone\nshop,America/New_York\n",
    "seeds/schedule_hours.csv": "schedule,iso_weekday,opens,closes\nshop,6,09:00,12:00\n",
    "seeds/team_schedules.csv": "team,schedule\n*,shop\n",
    "seeds/teams.csv": "team,team_name,tier\nblue,The blue team,1\n",
    "seeds/touchpoints.csv": (
        "touchpoint,touchpoint_name,stage,channel,channel_class,owner_department,initiated_by\n"
        "call_desk,Call of the dock,support,phone,human,dock,customer\n"
    ),
    "seeds/touchpoint_rules.csv": "system,object,event,channel,touchpoint\nhelpdock,ticket,created,phone,call_desk\n",
    "models/marts/dock/mart_calls_by_state.sql": """
{{ config(materialized='table') }}
select
    status,
    cast(count(*) as integer) as calls
from {{ ref('fct_ticket') }}
group by status
""",
    "models/marts/dock/_dock__models.yml": """
models:
  - name: mart_calls_by_state
    description: Calls by state. One row per state.
    columns:
      - {name: status, data_type: varchar, description: State., data_tests: [not_null]}
      - {name: calls, data_type: integer, description: Calls.}
""",
}

MEMBERS = 12
CALLS = 30
LEAVES = "member7@example.org"
"""Who asks to be erased."""


def delivered() -> Mapping[str, str]:
    """The first extract of both streams. Each call's words hold its number and its member's."""
    members = [
        {"member_no": f"M{n}", "full_name": f"Name{n} Family{n}", "mail": f"member{n}@example.org", "changed": _at(n)}
        for n in range(1, MEMBERS + 1)
    ]
    calls = [
        {
            "call_no": f"C{n}",
            "member_no": f"M{n % MEMBERS + 1}",
            "words": f"Words{n} of M{n % MEMBERS + 1}, please help",
            "state": "done" if n % 3 else "waiting",
            "opened": _at(n % 20),
            "ended": _at(n % 20 + 3) if n % 3 else "",
            "changed": _at(n % 20 + 3),
        }
        for n in range(1, CALLS + 1)
    ]
    return {"members_2026-06-27.csv": _csv(members), "calls_2026-06-27.csv": _csv(calls)}


def _at(hour: int) -> str:
    return f"2026-06-27 {hour:02}:00:00+00"


def _csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
