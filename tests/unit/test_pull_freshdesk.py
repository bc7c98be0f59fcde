"""A pull from Freshdesk: every record, whatever changes, goes or is deleted between its numbered pages.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The help desk is emulated
(tests/freshdesk_emulator.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.freshdesk import FRESHDESK
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.faults import FAULT_VARIABLE
from tests.emulator_kit import PASSING, serving
from tests.freshdesk_emulator import CREDENTIALS, Desk
from tests.rest_kit import (
    FIRST,
    Account,
    as_told,
    day_after,
    killed_at,
    newest,
    pages,
    pull,
    pulled,
    until_it_works,
)

DESK = Account("desk", FRESHDESK, CREDENTIALS)
# As a pull in a process of its own calls it.
ALONE = Account("freshdesk", FRESHDESK, CREDENTIALS)
# Answers with status 200 that are no page.
STRANGE = ("error page", "web page", "list", "no header", "nothing", "no number", "no time")


def desk_of(tickets: int, **said: Any) -> Desk:
    """A desk whose tickets changed three a second, a while ago."""
    desk = Desk(**{"page_rows": 4, **said})
    for number in range(1, tickets + 1):
        desk.ticket(number, desk.now - 7200 + number // 3)
    return desk


def there(desk: Desk, table: str = "tickets") -> dict[str, dict[str, Any]]:
    """Records as rows of the contract."""
    rows = desk.rows(table).values()
    if table == "tickets":
        rows = [
            {**row, **{name: desk.state.get((table, row["id"])) == name for name in ("deleted", "spam")}}
            | {"custom_fields": [{"name": "cf_order", "value": "order-77"}]}
            for row in rows
        ]
    return as_told(rows, table, "freshdesk")


def came(folder: DataFolder, *days: Any, table: str = "tickets") -> dict[str, dict[str, Any]]:
    return newest(pulled(folder, table, days or (FIRST,), DESK), "updated_at")


def asked(desk: Desk, **of: str) -> list[str]:
    """What the requests of a path said of a parameter."""
    ((name, path),) = of.items()
    parts = [urlsplit(each) for each in desk.requests]
    return [value for each in parts if each.path.endswith(path) for value in parse_qs(each.query).get(name, [])]


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(FRESHDESK.streams) == set(streams_of("freshdesk"))


@pytest.mark.parametrize("second_counts", [False, True])
def test_all_tickets_come_through_faults_that_pass_those_in_the_trash_too(
    folder: DataFolder, second_counts: bool
) -> None:
    """Whether the second that is asked for counts or not, which is not documented."""
    desk = desk_of(34, second_counts=second_counts)
    for number, name in ((3, "deleted"), (7, "deleted"), (8, "spam")):
        desk.move("tickets", number, name)
    desk.faults = {2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    with serving(desk) as base:
        pull(folder, base, account=DESK)
    assert not desk.faults, "every fault was met"
    assert came(folder) == there(desk)


def test_no_page_is_asked_for_behind_the_last_one_that_is_told(folder: DataFolder) -> None:
    desk = desk_of(60, most_pages=2)
    with serving(desk) as base:
        pull(folder, base, account=DESK)
    assert came(folder) == there(desk)


@pytest.mark.parametrize("numbers", [(1, 2, 3), (5, 6, 7, 8, 9), (1, 14)])
@pytest.mark.parametrize("request_", [2, 3, 4, 5])
def test_of_tickets_that_changed_in_one_second_none_is_lost(
    folder: DataFolder, request_: int, numbers: tuple[int, ...]
) -> None:
    """More of them than a page holds; some change, and one goes for good, while pages of that second are asked for."""
    desk = Desk(page_rows=4)
    for number in range(1, 16):
        desk.ticket(number, desk.now - 7200)
    desk.ticket(16, desk.now - 60)

    def change(request: int) -> None:
        for number in numbers if request == request_ else ():
            desk.ticket(number, priority=4)
        if request == request_:
            desk.purge("tickets", 4)

    desk.before_page = change
    with serving(desk) as base:
        pull(folder, base, account=DESK)
    rows = came(folder)
    assert {number: rows.get(number) for number in there(desk)} == there(desk)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_page_fails_the_extract_and_keeps_what_came(folder: DataFolder, fault: str) -> None:
    desk = desk_of(20, faults={2: fault})
    with serving(desk) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of desk/tickets .* is an answer .*kept") as said:
            pull(folder, base, account=DESK)
        assert len(pages(folder, account=DESK)) == 1
        pull(folder, base, account=DESK)
    assert "ada@" not in str(said.value)
    assert came(folder) == there(desk)


@pytest.mark.parametrize("fault", STRANGE[:5])
def test_an_answer_about_one_ticket_that_is_no_page_is_not_an_empty_one(folder: DataFolder, fault: str) -> None:
    desk = desk_of(2, faults={2: fault})
    desk.say(900, 1, desk.now - 60, 5001)
    with serving(desk) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of desk/conversations .* is an answer "):
            pull(folder, base, "conversations", account=DESK)
        pull(folder, base, "conversations", account=DESK)
    assert sorted(came(folder, table="conversations")) == ["1-description", "2-description", "900"]


def test_what_the_plan_does_not_have_is_said_with_what_to_do(folder: DataFolder) -> None:
    desk = desk_of(1, faults={1: "not in the plan"})
    with serving(desk) as base, pytest.raises(JourneymartError, match=r"leave the stream out of company\.yml") as said:
        pull(folder, base, "satisfaction_ratings", account=DESK)
    assert "Ada" not in str(said.value)


def test_a_key_that_is_not_accepted_is_said_without_it(folder: DataFolder) -> None:
    with (
        serving(desk_of(1)) as base,
        pytest.raises(JourneymartError, match=r"answered 401.*set the environment variables") as said,
    ):
        pull(folder, base, account=DESK, credentials={"api_key": "wrong-key"})
    assert "wrong-key" not in str(said.value)


@pytest.mark.parametrize("gone", [1, 4, 5, 9])
def test_a_contact_that_goes_while_the_list_is_read_hides_no_other(folder: DataFolder, gone: int) -> None:
    """Those behind it move up a place: one of them from a page that is still to come to one that came."""
    desk = Desk(page_rows=4)
    for number in range(1, 14):
        desk.contact(number, desk.now - 7200)
    desk.move("contacts", 12, "blocked")
    desk.move("contacts", 13, "deleted")
    desk.before_page = lambda request: desk.purge("contacts", gone) if request == 3 else None
    with serving(desk) as base:
        pull(folder, base, "contacts", account=DESK)
    rows = came(folder, table="contacts")
    assert {number: rows.get(number) for number in there(desk, "contacts")} == there(desk, "contacts")
    assert asked(desk, state="/contacts") == ["blocked", "deleted"]


def test_all_that_was_said_on_each_ticket_comes_with_its_first_message(folder: DataFolder) -> None:
    """A call that was typed in has none; who wrote an e-mail that went out, nobody says."""
    desk = desk_of(5)
    desk.ticket(2, source=3)
    desk.ticket(3, source=10)
    for number in range(10):
        desk.say(900 + number, 1, desk.now - 600 + number, 5001 if number % 2 else 18, private=number == 9)
    desk.say(950, 4, desk.now - 60, 19)
    with serving(desk) as base:
        pull(folder, base, "conversations", account=DESK)
    rows = came(folder, table="conversations")
    assert sorted(rows) == sorted(
        [*(f"{number}-description" for number in (1, 3, 4, 5)), *(str(900 + number) for number in range(10)), "950"]
    )
    assert [(rows[name]["ticket_id"], rows[name]["user_id"]) for name in ("1-description", "3-description", "950")] == [
        ("1", "5001"),
        ("3", None),
        ("4", "19"),
    ]
    assert [rows[name]["private"] for name in ("908", "909")] == ["false", "true"]
    assert not {"body_text", "body"} & rows["900"].keys(), "what was said is not taken"


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_ticket_that_is_deleted_before_it_is_asked_for_is_passed_over(folder: DataFolder, number: int) -> None:
    desk = desk_of(5)
    for each in range(1, 6):
        desk.say(900 + each, each, desk.now - 60, 18)
    desk.before_page = lambda request: desk.move("tickets", number, "deleted") if request == 2 else None
    with serving(desk) as base:
        pull(folder, base, "conversations", account=DESK)
    said = {name for name in came(folder, table="conversations") if not name.endswith("description")}
    assert said == {str(900 + each) for each in range(1, 6)} - {str(900 + number)}


def test_a_rating_is_a_row_for_each_of_its_questions(folder: DataFolder) -> None:
    desk = desk_of(2)
    desk.rate(70, 1, desk.now - 60, default_question=103, question_2=-102)
    with serving(desk) as base:
        pull(folder, base, "satisfaction_ratings", account=DESK)
    told = [
        {name: row[name] for name in ("id", "question_id", "rating", "ticket_id", "user_id", "agent_id")}
        for row in pulled(folder, "satisfaction_ratings", account=DESK)
    ]
    about = {"id": "70", "ticket_id": "1", "user_id": "5001", "agent_id": "18"}
    assert told == [
        about | {"question_id": "default_question", "rating": "103"},
        about | {"question_id": "question_2", "rating": "-102"},
    ]


def test_an_agent_has_the_name_and_the_address_of_the_contact_it_is(folder: DataFolder) -> None:
    desk = Desk()
    desk.put("agents", 18, contact={"name": "Made up", "email": "agent@example.org"}, group_ids=[3, 4])
    with serving(desk) as base:
        pull(folder, base, "agents", account=DESK)
    (row,) = pulled(folder, "agents", account=DESK)
    assert (row["name"], row["email"], json.loads(row["group_ids"])) == ("Made up", "agent@example.org", [3, 4])


def test_the_next_extract_begins_behind_the_day_of_the_last_and_reads_the_trash_whole(folder: DataFolder) -> None:
    desk = desk_of(3, tells_its_time=True)
    desk.move("tickets", 3, "deleted")
    with serving(desk) as base:
        for stream in ("tickets", "satisfaction_ratings"):
            pull(folder, base, stream, account=DESK)
            clear_delivery(folder, DESK.stream(stream), FIRST)
        desk.now += 86_400
        desk.requests.clear()
        for stream in ("tickets", "satisfaction_ratings"):
            pull(folder, base, stream, day_after(), account=DESK)
    whole = "1970-01-01T00:00:00Z"
    assert asked(desk, updated_since="/tickets") == ["2026-06-01T23:00:00Z", whole, whole]
    assert asked(desk, created_since="/satisfaction_ratings") == ["2026-05-03T00:00:00Z"]
    assert came(folder, day_after())["3"]["deleted"] == "true"


@pytest.mark.promise("kills")
@pytest.mark.parametrize("stream", ["tickets", "conversations"])
def test_a_pull_killed_at_any_page_goes_on(folder: DataFolder, stream: str) -> None:
    """SIGKILL, in a process of its own: within a page, which is lost, and behind each of two, which stay."""
    desk = desk_of(9)
    desk.move("tickets", 9, "spam")
    desk.say(900, 1, desk.now - 60, 18)
    with serving(desk) as base:
        command = [sys.executable, "-m", "tests.rest_kit", str(folder.root), base, stream, str(FIRST), "freshdesk"]
        for point, kept in (("in_page", 0), ("after_page", 1), ("after_page", 2)):
            killed = subprocess.run(command, env={**os.environ, FAULT_VARIABLE: point}, check=False)
            assert (killed.returncode, len(pages(folder, stream, account=ALONE))) == (-signal.SIGKILL, kept)
        pull(folder, base, stream, account=ALONE)
    rows = newest(pulled(folder, stream, account=ALONE), "updated_at")
    live = {f"{number}-description" for number in range(1, 9)}
    assert set(rows) == (set(there(desk)) if stream == "tickets" else {*live, "900"})


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_changes_meanwhile_no_ticket_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills, changes, deletes, restores and purges at any request, over two extracts."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    desk = Desk(page_rows=data.draw(st.integers(1, 6), "rows a page"), second_counts=data.draw(st.booleans()))
    for number in range(1, data.draw(st.integers(0, 25), "tickets") + 1):
        desk.ticket(number, desk.now - data.draw(st.sampled_from([7200, 7199, 3600, 0]), "age"))
    requests = st.integers(1, 40)
    faults = st.sampled_from([*PASSING, *STRANGE])
    desk.faults = data.draw(st.dictionaries(requests, faults, max_size=8), "faults")
    kinds = st.tuples(st.sampled_from(["change", "deleted", "spam", "restore", "purge"]), st.integers(1, 25))
    changes = data.draw(st.dictionaries(requests, kinds, max_size=12), "changes")
    kills = data.draw(st.sets(st.integers(1, 40), max_size=5), "kills")
    rows = list[dict[str, Any]]()

    def change(request: int) -> None:
        desk.now += 40
        match changes.get(request):
            case "change", number if number in desk.rows("tickets"):
                desk.ticket(number, priority=4)
            case ("deleted" | "spam") as name, number:
                desk.move("tickets", number, name)
            case "restore", number if ("tickets", number) in desk.state:
                desk.put("tickets", number)
                del desk.state["tickets", number]
            case "purge", number:
                desk.purge("tickets", number)

    desk.before_page = change
    killed_at(kills, monkeypatch)
    with serving(desk) as base:
        for day in (FIRST, FIRST + timedelta(days=1)):
            until_it_works(lambda day=day: pull(folder, base, day=day, account=DESK))
            rows += pulled(folder, days=[day], account=DESK)
            until_it_works(lambda day=day: clear_delivery(folder, DESK.stream("tickets"), day))
            desk.before_page = None
            desk.now += 86_400
    found = newest(rows, "updated_at")
    assert {number: found.get(number) for number in there(desk)} == there(desk)
