"""A pull from Intercom: every record, whatever changes, is deleted or merged while it is read.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The help desk is emulated
(tests/intercom_emulator.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.intercom import INTERCOM
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.faults import FAULT_VARIABLE
from tests.emulator_kit import PASSING, serving
from tests.intercom_emulator import CREDENTIALS, Workspace
from tests.rest_kit import FIRST, Account, day_after, killed_at, newest, pages, pull, pulled, until_it_works

DESK = Account("intercom", INTERCOM, CREDENTIALS)
# Answers with status 200 that are no page of a search.
STRANGE = (
    "error page",
    "web page",
    "list",
    "no rows",
    "no pages",
    "no total",
    "no place",
    "nothing",
    "no time",
)
ANN = {"type": "user", "id": "ann", "name": "Ann Made-Up", "email": "ann@example.org"}
BEA = {"type": "admin", "id": "1", "name": "Bea", "email": "bea@desk.example"}


def workspace_of(conversations: int, **said: Any) -> Workspace:
    """A workspace whose conversations changed one a second, a while ago."""
    desk = Workspace(**{"page_rows": 4, **said})
    for number in range(1, conversations + 1):
        desk.conversation(number, desk.now - 7200 + number)
    return desk


def came(folder: DataFolder, *days: Any, stream: str = "conversations") -> dict[str, dict[str, Any]]:
    return newest(pulled(folder, stream, days or (FIRST,), DESK), "updated_at")


def seen(rows: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {key: (row["state"], row["updated_at"]) for key, row in rows.items()}


def there(desk: Workspace) -> dict[str, tuple[Any, ...]]:
    return {str(number): (row["state"], str(row["updated_at"])) for number, row in desk.conversations.items()}


def parts_of(rows: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Ids of parts by conversation."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["conversation_id"], []).append(row["id"])
    return found


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(INTERCOM.streams) == set(streams_of("intercom"))


def test_all_conversations_come_once_through_faults_that_pass(folder: DataFolder) -> None:
    faults = [*PASSING, "429 until"]
    desk = workspace_of(37, faults={2 * number: fault for number, fault in enumerate(faults, start=1)})
    with serving(desk) as base:
        delivery = pull(folder, base, "conversations", account=DESK)
    assert not desk.faults, "every fault was met"
    assert (delivery.pages, delivery.rows) == (10, 37)
    assert seen(came(folder)) == there(desk)


def test_a_wait_that_intercom_asks_for_by_its_own_header_is_not_begun_where_it_ends_after_the_night(
    folder: DataFolder,
) -> None:
    desk = workspace_of(3, faults={1: "429 until tomorrow"})
    with serving(desk) as base, pytest.raises(JourneymartError, match=r"86\d\d\d s must be waited, more than is left"):
        pull(folder, base, "conversations", account=DESK)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_page_fails_the_extract_and_keeps_what_came(folder: DataFolder, fault: str) -> None:
    desk = workspace_of(10, faults={2: fault})
    with serving(desk) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of intercom/conversations .* is an answer .*kept"):
            pull(folder, base, "conversations", account=DESK)
        assert len(pages(folder, "conversations", account=DESK)) == 1
        pull(folder, base, "conversations", account=DESK)
    assert seen(came(folder)) == there(desk)


def test_a_first_page_that_is_said_to_be_all_and_is_not_fails_the_extract(folder: DataFolder) -> None:
    with (
        serving(workspace_of(3, faults={1: "fewer"})) as base,
        pytest.raises(JourneymartError, match="says it is the last, and holds fewer rows than it counts"),
    ):
        pull(folder, base, "conversations", account=DESK)


def test_a_place_that_is_not_known_any_more_is_replaced_by_the_beginning(folder: DataFolder) -> None:
    desk = workspace_of(10, faults={2: "web page"})
    with serving(desk) as base:
        with pytest.raises(JourneymartError):
            pull(folder, base, "conversations", account=DESK)
        desk.age += 1
        pull(folder, base, "conversations", account=DESK)
    assert seen(came(folder)) == there(desk)


def test_a_conversation_names_people_by_their_ids_alone(folder: DataFolder) -> None:
    desk = workspace_of(1)
    rating = {"rating": 4, "remark": "Fine", "created_at": desk.now - 60, "updated_at": desk.now - 30}
    tags = {"type": "tag.list", "tags": [{"type": "tag", "id": "7", "name": "refund"}]}
    desk.conversation(
        1,
        tags=tags,
        conversation_rating={**rating, "contact": {"id": "ann"}, "teammate": {"id": "1"}},
        statistics={"first_admin_reply_at": desk.now - 90},
    )
    with serving(desk) as base:
        pull(folder, base, "conversations", account=DESK)
    (row,) = pulled(folder, "conversations", account=DESK)
    assert (row["contact_id"], row["source_author_id"], row["source_author_type"]) == ("ann", "ann", "user")
    assert (row["rating"], row["rating_remark"], row["rating_teammate_id"], row["tags"]) == (
        "4",
        "Fine",
        "1",
        '["refund"]',
    )
    assert (row["has_statistics"], row["first_admin_reply_at"]) == ("true", str(desk.now - 90))
    assert "Made-Up" not in str(row)
    assert "@" not in str(row)


def test_every_part_comes_without_its_words_and_machines_are_told_from_people(folder: DataFolder) -> None:
    desk = workspace_of(6)
    machine, answer = {"type": "bot", "id": "9"}, {**BEA, "from_ai_agent": True}
    bots: list[dict[str, Any]] = [machine, answer, {**BEA, "email": "operator+x@intercom.io"}]
    for number, author in enumerate((ANN, BEA, *bots), start=1):
        desk.part(number, "comment", author)
    desk.part(1, "assignment", BEA, assigned_to={"type": "team", "id": "5"})
    with serving(desk) as base:
        pull(folder, base, "conversation_parts", account=DESK)
    rows = {row["id"]: row for row in pulled(folder, "conversation_parts", account=DESK)}
    assert [rows[f"{number}00"]["author_type"] for number in range(1, 6)] == ["user", "admin", "bot", "bot", "bot"]
    assert (rows["101"]["assigned_to_type"], rows["101"]["assigned_to_id"], rows["101"]["has_body"]) == (
        "team",
        "5",
        "false",
    )
    assert rows["100"]["has_body"] == "true"
    assert "Made" not in str(rows)


def test_of_a_long_conversation_the_first_part_says_how_many_before_it_are_not_shown(folder: DataFolder) -> None:
    desk = workspace_of(2, most_parts=3)
    for number, parts in ((1, 5), (2, 3)):
        for _ in range(parts):
            desk.part(number, "comment", ANN)
    with serving(desk) as base:
        pull(folder, base, "conversation_parts", account=DESK)
    rows = pulled(folder, "conversation_parts", account=DESK)
    left_out = {row["id"]: row["parts_left_out"] for row in rows}
    assert left_out == {"102": "2", "103": "0", "104": "0", "200": "0", "201": "0", "202": "0"}


def test_a_conversation_that_is_deleted_before_its_parts_are_asked_for_has_none(folder: DataFolder) -> None:
    desk = workspace_of(3)
    for number in (1, 2, 3):
        desk.part(number, "comment", ANN)

    def delete(request: int) -> None:
        if request == 2:
            desk.conversations.pop(2)

    desk.before_page = delete
    with serving(desk) as base:
        pull(folder, base, "conversation_parts", account=DESK)
    assert parts_of(pulled(folder, "conversation_parts", account=DESK)) == {"1": ["100"], "3": ["300"]}


@pytest.mark.parametrize("fault", ["other record", "no parts", "web page"])
def test_a_conversation_whose_parts_are_none_fails_the_extract(folder: DataFolder, fault: str) -> None:
    desk = workspace_of(3, faults={3: fault})
    desk.part(1, "comment", ANN)
    with serving(desk) as base:
        with pytest.raises(JourneymartError, match=r"Page 1 of intercom/conversation_parts .* is an answer "):
            pull(folder, base, "conversation_parts", account=DESK)
        pull(folder, base, "conversation_parts", account=DESK)
    assert parts_of(pulled(folder, "conversation_parts", account=DESK)) == {"1": ["100"]}


def test_contacts_are_found_by_days_of_the_workspace_and_only_those_that_changed_come(folder: DataFolder) -> None:
    desk = Workspace(page_rows=2, offset=-7 * 3600)
    for hours in range(1, 6):
        desk.contact(f"c{hours}", desk.now - 3600 * hours, role="lead")
    with serving(desk) as base:
        pull(folder, base, "contacts", account=DESK)
        assert set(came(folder, stream="contacts")) == {"c1", "c2", "c3", "c4", "c5"}
        clear_delivery(folder, DESK.stream("contacts"), FIRST)
        desk.now += 86_400
        desk.contact("c4", desk.now - 80_000)
        pull(folder, base, "contacts", day_after(), account=DESK)
    assert set(came(folder, day_after(), stream="contacts")) == {"c1", "c2", "c3", "c4"}, (
        "from an hour before the day on"
    )


def test_a_lead_that_was_merged_into_a_user_says_so(folder: DataFolder) -> None:
    desk = Workspace(page_rows=2)
    companies = {"type": "list", "data": [{"id": "b"}, {"id": "a"}]}
    desk.contact(
        "user", desk.now - 7200, companies=companies, location={"country": "Ireland"}, browser_language="en-US"
    )
    for lead in ("lead1", "lead2", "lead3"):
        desk.contact(lead, desk.now - 7200, role="lead")
    desk.merge("lead1", "user")
    desk.merge("lead3", "user")
    with serving(desk) as base:
        pull(folder, base, "contacts", account=DESK)
    rows = came(folder, stream="contacts")
    assert {key: row["merged_into_id"] for key, row in rows.items()} == {
        "user": None,
        "lead1": "user",
        "lead2": None,
        "lead3": "user",
    }
    assert (rows["user"]["company_id"], rows["user"]["country"], rows["user"]["language"]) == ("a", "Ireland", "en-US")
    assert (rows["lead1"]["role"], rows["lead1"]["updated_at"], rows["lead1"]["email"]) == ("lead", str(desk.now), None)


def test_a_user_whose_merges_are_not_told_fails_the_extract(folder: DataFolder) -> None:
    desk = Workspace(faults={2: "no history"})
    desk.contact("user")
    with serving(desk) as base, pytest.raises(JourneymartError, match="an answer without the list 'merge_history'"):
        pull(folder, base, "contacts", account=DESK)


def test_every_company_comes_though_they_change_places(folder: DataFolder) -> None:
    """The last page is read after one that was to come was seen and came to the front: it comes the night after."""
    desk = Workspace(page_rows=2)
    for number in range(6):
        desk.company(f"c{number}", desk.now - 9000 + number)

    def see(request: int) -> None:
        if request == 2:
            desk.company("c0", desk.now)

    desk.before_page = see
    with serving(desk) as base:
        pull(folder, base, "companies", account=DESK)
        assert set(came(folder, stream="companies")) == {f"c{number}" for number in range(1, 6)}
        clear_delivery(folder, DESK.stream("companies"), FIRST)
        desk.now += 86_400
        pull(folder, base, "companies", day_after(), account=DESK)
    assert set(came(folder, day_after(), stream="companies")) == {f"c{number}" for number in range(6)}


@pytest.mark.parametrize(
    ("stream", "fault", "said"),
    [
        ("companies", "no marker", "without the end marker 'pages'"),
        ("companies", "too many", "counts 10,001 companies, of which Intercom lists 10,000"),
        ("companies", "other page", "with the number of another page"),
        ("companies", "no companies", "says more follows, and holds nothing"),
        ("admins", "no marker", "without the end marker 'type'"),
        ("admins", "no rows", "without the list 'admins'"),
    ],
)
def test_a_list_that_is_none_or_not_whole_fails_the_extract(
    folder: DataFolder, stream: str, fault: str, said: str
) -> None:
    desk = Workspace(page_rows=1, faults={1: fault}, admins=[{"id": "1"}])
    for number in range(2):
        desk.company(f"c{number}", desk.now)
    with serving(desk) as base, pytest.raises(JourneymartError, match=said):
        pull(folder, base, stream, account=DESK)


def test_teammates_come_with_one_team(folder: DataFolder) -> None:
    desk = Workspace(
        admins=[{"id": "1", "name": "Bea", "team_ids": [20, 5]}, {"id": "2", "name": "Cem", "team_ids": []}]
    )
    with serving(desk) as base:
        pull(folder, base, "admins", account=DESK)
    assert [(row["id"], row["team_id"]) for row in pulled(folder, "admins", account=DESK)] == [("1", "20"), ("2", None)]


def test_what_the_plan_does_not_include_is_said(folder: DataFolder) -> None:
    with (
        serving(workspace_of(3, faults={1: "no plan"})) as base,
        pytest.raises(JourneymartError, match=r"answered 403 \(api_plan_restricted\), the workspace's plan") as said,
    ):
        pull(folder, base, "conversations", account=DESK)
    assert "Ada" not in str(said.value)


@pytest.mark.promise("kills")
def test_a_pull_killed_at_any_page_goes_on(folder: DataFolder) -> None:
    desk = workspace_of(10)
    for number in range(1, 11):
        desk.part(number, "comment", ANN, desk.now - 7200 + number)
    with serving(desk) as base:
        command = [sys.executable, "-m", "tests.rest_kit", str(folder.root), base, "conversation_parts"]
        command += [FIRST.isoformat(), "intercom"]
        for point, kept in (("after_page", 1), ("in_page", 1), ("after_page", 2)):
            killed = subprocess.run(command, env={**os.environ, FAULT_VARIABLE: point}, check=False)
            assert (killed.returncode, len(pages(folder, "conversation_parts", account=DESK))) == (
                -signal.SIGKILL,
                kept,
            )
        pull(folder, base, "conversation_parts", account=DESK)
    rows = pulled(folder, "conversation_parts", account=DESK)
    assert sorted(row["id"] for row in rows) == sorted(f"{number}00" for number in range(1, 11))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_changes_meanwhile_no_conversation_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills and changes at any request, over two extracts, whatever a place of a search names."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    counts = data.draw(st.booleans(), "places are counts")
    desk = Workspace(page_rows=data.draw(st.integers(2, 6), "rows a page"), counts_places=counts)
    for number in range(1, data.draw(st.integers(0, 25), "conversations") + 1):
        desk.conversation(number, desk.now - data.draw(st.sampled_from([7200, 7199, 3600, 0]), "age"))
    requests = st.integers(1, 25)
    desk.faults = data.draw(st.dictionaries(requests, st.sampled_from([*PASSING, *STRANGE]), max_size=8), "faults")
    changes = data.draw(st.dictionaries(requests, st.integers(1, 30), max_size=12), "changes")
    kills = data.draw(st.sets(st.integers(1, 30), max_size=5), "kills")
    rows = list[dict[str, Any]]()

    def change(request: int) -> None:
        desk.now += 40
        if request in changes:
            desk.conversation(changes[request], state=("closed", "open", "snoozed")[request % 3])

    desk.before_page = change
    killed_at(kills, monkeypatch)
    with serving(desk) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "conversations", day, account=DESK))
            rows += pulled(folder, "conversations", [day], DESK)
            until_it_works(lambda day=day: clear_delivery(folder, DESK.stream("conversations"), day))
            desk.before_page = None
            desk.now += 86_400
    assert seen(newest(rows, "updated_at")) == there(desk)
