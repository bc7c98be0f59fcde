"""A pull from an API: every row of the vendor's, whatever its host does and whenever the pull is killed, or a failure.

The vendor is emulated (tests/zendesk_emulator.py), over HTTP on loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.inspect.reached import reach
from assets.landing.connectors.config import RestPull
from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.http import retry_after
from assets.pulling.rest.pace import OutOfTime, Pace, Turns
from assets.pulling.rest.zendesk import ZENDESK
from quality.contract.files import streams_of
from quality.contract.model import load_contract
from storage.data_folder import DataFolder
from storage.errors import JourneymartError, PassingError
from storage.faults import FAULT_VARIABLE
from tests.emulator_kit import PASSING, iso, serving
from tests.rest_kit import (
    FIRST,
    SOON,
    as_told,
    day_after,
    killed_at,
    newest,
    pages,
    pull,
    pulled,
    stream_of,
    until_it_works,
)
from tests.zendesk_emulator import (
    ACCESS_TOKEN,
    API_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    CREDENTIALS,
    Desk,
    ticket,
)

# Answers with status 200 that are no page of the cursor export.
STRANGE = ("error page", "web page", "list", "no marker", "no place", "same place")


def desk_of(tickets: int, **settings: Any) -> Desk:
    """A desk whose tickets changed one a second, a while ago."""
    desk = Desk(**{"page_rows": 4, **settings})
    for number in range(1, tickets + 1):
        desk.ticket(number, at=desk.now - 7200 + number)
    return desk


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(ZENDESK.streams) == set(streams_of("zendesk"))


def test_all_rows_come_once_through_faults_that_pass(folder: DataFolder) -> None:
    desk = desk_of(34, faults={2 * number: fault for number, fault in enumerate(PASSING, start=1)})
    with serving(desk) as base:
        delivery = pull(folder, base)
    assert not desk.faults, "every fault was met"
    rows = pulled(folder)
    assert (delivery.pages, delivery.rows, len(rows)) == (9, 34, 34)
    assert newest(rows, "generated_timestamp") == as_told(desk.rows("tickets").values())


def test_a_source_is_asked_for_one_page_of_which_nothing_is_kept(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(f"PAGE_{name.upper()}", value)
    desk = desk_of(34)
    with serving(desk) as base:
        how = RestPull(base, tuple((name, f"PAGE_{name.upper()}") for name in CREDENTIALS))
        found = reach(replace(stream_of(folder), pull=how), load_contract("zendesk", "tickets"), FIRST)
        assert len(desk.requests) == 1
        monkeypatch.setenv("PAGE_API_TOKEN", "another")
        refused = reach(replace(stream_of(folder), pull=how), load_contract("zendesk", "tickets"), FIRST)
    assert (found.found, found.missing, found.problem) == (f"4 rows of {FIRST}", (), "")
    assert "another" not in refused.problem
    assert not refused.is_well
    assert not folder.root.exists()


def test_a_quiet_day_is_one_page_without_rows(folder: DataFolder) -> None:
    with serving(Desk()) as base:
        delivery = pull(folder, base)
    assert (delivery.pages, delivery.rows, delivery.is_ended) == (1, 0, True)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_page_fails_the_extract_and_keeps_what_came(folder: DataFolder, fault: str) -> None:
    desk = desk_of(10, faults={2: fault})
    with serving(desk) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of desk/tickets .* is an answer .*kept") as said:
            pull(folder, base)
        assert "\n" not in str(said.value)
        assert len(pages(folder)) == 1
        assert not list(pages(folder)[0].parent.glob("*.manifest.json")), "landing takes none of it"
        asked = len(desk.requests)
        pull(folder, base)
    assert len(desk.requests) == asked + 2, "the page that was kept is not asked for again"
    assert newest(pulled(folder), "generated_timestamp") == as_told(desk.rows("tickets").values())


def test_pages_that_lead_in_a_circle_fail(folder: DataFolder) -> None:
    desk = desk_of(20)
    answer = desk.answer

    def circle(path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        status, body = answer(path, query)
        first = dict(parse_qsl(desk.requests[1]))["cursor"] if "cursor" in query else body["after_cursor"]
        return status, body | {"after_cursor": first}

    desk.answer = circle  # type: ignore[method-assign]
    with serving(desk) as base, pytest.raises(JourneymartError, match="leads back to a page that was there before"):
        pull(folder, base)


@pytest.mark.parametrize(
    "credentials",
    [
        {**CREDENTIALS, "api_token": "wrong-secret"},
        {"access_token": "wrong-secret"},
        {"client_id": CLIENT_ID, "client_secret": "wrong-secret"},
    ],
)
def test_a_login_that_is_not_accepted_is_said_without_it(folder: DataFolder, credentials: dict[str, str]) -> None:
    with serving(desk_of(3)) as base, pytest.raises(JourneymartError, match=r"answered 401.*credentials_env") as said:
        pull(folder, base, credentials=credentials)
    assert not any(secret in f"{said.value}{said.value.__cause__}" for secret in credentials.values())


@pytest.mark.parametrize("credentials", [CREDENTIALS, {"access_token": ACCESS_TOKEN}])
def test_each_kind_of_login_is_sent(folder: DataFolder, credentials: dict[str, str]) -> None:
    with serving(desk_of(3)) as base:
        assert pull(folder, base, credentials=credentials).rows == 3


def test_a_token_that_ends_meanwhile_is_asked_for_again(folder: DataFolder) -> None:
    desk = desk_of(10)
    # The first request asks for the token, the third is for the second page.
    desk.before_page = lambda number: desk.tokens.clear() if number == 2 else None
    with serving(desk) as base:
        pull(folder, base, credentials={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    assert desk.requests.count("/oauth/tokens") == 2
    assert newest(pulled(folder), "generated_timestamp") == as_told(desk.rows("tickets").values())


def test_another_host_gets_no_login(folder: DataFolder) -> None:
    with (
        serving(desk_of(3, faults={1: "other host"})) as base,
        pytest.raises(JourneymartError, match=r"leads to another host \(elsewhere\.invalid\)"),
    ):
        pull(folder, base)


def test_a_host_that_cannot_be_reached_is_said(folder: DataFolder) -> None:
    with serving(Desk()) as base:
        pass
    with pytest.raises(PassingError, match="did not answer in 4 tries"):
        pull(folder, base)


def test_an_answer_without_end_is_not_read_to_the_end(folder: DataFolder) -> None:
    with serving(desk_of(3, faults={1: "huge"})) as base, pytest.raises(JourneymartError, match="more than 8,388,608"):
        pull(folder, base)


@pytest.mark.parametrize("fault", ["trickle", "trickle without a size", "trickle of a head"])
def test_an_answer_that_trickles_in_ends_in_time_and_the_next_pull_goes_on(folder: DataFolder, fault: str) -> None:
    """A byte comes every 20 ms, for minutes: no wait for a byte is long, and the answer never is whole."""
    desk = desk_of(10, faults={2: fault, 3: fault})
    hurried = replace(SOON, tries=2, longest_answer=0.3)
    with serving(desk) as base:
        began = time.monotonic()
        with pytest.raises(PassingError, match=r"in 2 tries \(the last: no whole answer within 0.3 s\).*goes on where"):
            pull(folder, base, patience=hurried)
        assert time.monotonic() - began < 5
        assert len(pages(folder)) == 1
        asked = len(desk.requests)
        pull(folder, base)
    assert len(desk.requests) == asked + 2, "the page that was kept is not asked for again"
    assert newest(pulled(folder), "generated_timestamp") == as_told(desk.rows("tickets").values())


def test_an_answer_that_trickles_in_once_passes(folder: DataFolder) -> None:
    desk = desk_of(10, faults={1: "trickle", 3: "trickle"})
    with serving(desk) as base:
        pull(folder, base, patience=replace(SOON, longest_answer=0.3))
    assert newest(pulled(folder), "generated_timestamp") == as_told(desk.rows("tickets").values())


def test_half_a_character_costs_no_row(folder: DataFolder) -> None:
    desk = desk_of(3, faults={1: "half a character"})
    with serving(desk) as base:
        pull(folder, base)
    assert [row["subject"] for row in pulled(folder)] == ["Made � 1", "Made � 2", "Made � 3"]


def test_a_wait_longer_than_the_night_is_not_begun(folder: DataFolder) -> None:
    said = r"86400 s must be waited.*1 hours.*come to what changed on 2026-06-02.*\(the 1 pages before it, 4 rows"
    with serving(desk_of(10, faults={2: "429 for hours"})) as base, pytest.raises(JourneymartError, match=said):
        pull(folder, base, hours=1)


def test_the_limit_of_a_host_is_waited_for(folder: DataFolder) -> None:
    """The desk lets 10 requests a minute through and says so; the pull sends them so, and the night's time is short."""
    desk = desk_of(50, per_minute=10)
    with serving(desk) as base, pytest.raises(JourneymartError, match="600 requests may be sent"):
        pull(folder, base, hours=50 / 3600, vendor=ZENDESK)
    assert (len(desk.requests), len(pages(folder))) == (10, 10), "none was refused"


def test_the_next_extract_begins_where_the_last_ended(folder: DataFolder) -> None:
    desk = desk_of(10)
    second = day_after()
    with serving(desk) as base:
        pull(folder, base)
        clear_delivery(folder, stream_of(folder).stream, FIRST)
        # The last minute is not shown: what changes in it belongs to the next extract, and is not lost between both.
        desk.now += 30
        desk.ticket(3, "deleted")
        desk.now += 86_400
        desk.ticket(11, at=desk.now - 60)
        pull(folder, base, day=second)
    assert [(row["id"], row["status"]) for row in pulled(folder, days=[second])] == [("3", "deleted"), ("11", "open")]


@pytest.mark.parametrize("days", [1, 3])
def test_a_place_the_host_has_forgotten_is_replaced_by_the_days_since(folder: DataFolder, days: int) -> None:
    """Days that nobody pulled, because they were excused, are in the next extract."""
    desk = desk_of(10)
    with serving(desk) as base:
        pull(folder, base)
        clear_delivery(folder, stream_of(folder).stream, FIRST)
        desk.ticket(11, at=desk.now + 3600)
        desk.now += days * 86_400
        desk.cursors_forgotten, desk.page_rows = True, 100
        pull(folder, base, day=FIRST + timedelta(days=days))
    assert "11" in {row["id"] for row in pulled(folder, days=[FIRST + timedelta(days=days)])}
    assert "start_time=1780272000" in desk.requests[-1], "2026-06-02 less a day of overlap"


@pytest.mark.parametrize("days", [1, 3])
def test_what_is_listed_by_time_is_read_again_from_before_the_last_extract(folder: DataFolder, days: int) -> None:
    desk, ratings = Desk(page_rows=2), "satisfaction_ratings"
    for number in range(1, 6):
        desk.put(ratings, {"id": number, "score": "offered", "updated_at": iso(desk.now)}, desk.now - 90)
    with serving(desk) as base:
        pull(folder, base, ratings)
        clear_delivery(folder, stream_of(folder, ratings).stream, FIRST)
        desk.now += 86_400
        desk.put(ratings, {"id": 2, "score": "good", "updated_at": iso(desk.now)}, desk.now - 90)
        pull(folder, base, ratings, FIRST + timedelta(days=days))
    rows = pulled(folder, ratings, [FIRST + timedelta(days=days)])
    assert newest(rows, "updated_at") == as_told(desk.rows(ratings).values(), ratings)
    assert desk.requests[-1].count("start_time=1777766400") == 1, "2026-06-02 less 30 days, on every page"


def test_ticket_events_become_audits(folder: DataFolder) -> None:
    desk = Desk()
    event = {
        "id": 77,
        "ticket_id": 5,
        "timestamp": 1_779_990_000,
        "updater_id": -1,
        "via": "Web form",
        "system": {"ip_address": "203.0.113.7"},
        "event_type": "Audit",
        "child_events": [
            {"id": 1, "via": "Rule", "status": "solved", "previous_value": "open", "event_type": "Change"},
            {"id": 2, "type": "incident", "previous_value": None, "event_type": "Change"},
            {"id": 3, "type": "Comment", "author_id": 9, "body": "Sorry", "public": False, "event_type": "Comment"},
            {"id": 4, "custom_ticket_fields": {"36001": "order"}, "event_type": "Create"},
            {"id": 5, "score": "offered", "type": "SatisfactionRating", "event_type": "SatisfactionRating"},
        ],
    }
    desk.put("ticket_events", event, 1_779_990_000)
    with serving(desk) as base:
        pull(folder, base, "ticket_audits")
    (row,) = pulled(folder, "ticket_audits")
    audit = {
        "id": 77,
        "ticket_id": 5,
        "author_id": -1,
        "created_at": "2026-05-28T17:40:00Z",
        "events": [
            {"id": 1, "via": {"channel": "rule"}, "previous_value": "open", "event_type": "Change"}
            | {"type": "Change", "field_name": "status", "value": "solved"},
            {"id": 2, "previous_value": None, "event_type": "Change"}
            | {"type": "Change", "field_name": "type", "value": "incident"},
            event["child_events"][2],
            {"id": 4, "event_type": "Create", "type": "Create", "field_name": "36001", "value": "order"},
            event["child_events"][4],
        ],
        "via": {"channel": "web"},
        "metadata": {"system": {"ip_address": "203.0.113.7"}},
    }
    assert row == as_told([audit], "ticket_audits")["77"]


@pytest.mark.promise("kills")
def test_a_pull_killed_at_any_page_goes_on(folder: DataFolder) -> None:
    """SIGKILL, in a process of its own: within a page, which is lost, and behind each of two, which stay."""
    desk = desk_of(10)
    with serving(desk) as base:
        command = [sys.executable, "-m", "tests.rest_kit", str(folder.root), base, "tickets", FIRST.isoformat()]
        for point, kept in [("in_page", 0), ("after_page", 1), ("after_page", 2)]:
            killed = subprocess.run(command, env={**os.environ, FAULT_VARIABLE: point}, check=False)
            assert (killed.returncode, len(pages(folder))) == (-signal.SIGKILL, kept)
        pull(folder, base)
    rows = pulled(folder)
    assert len(rows) == 10
    assert newest(rows, "generated_timestamp") == as_told(desk.rows("tickets").values())


# A stream of each kind of page, and the column that tells its versions apart.
VERSIONS = {"tickets": "generated_timestamp", "organizations": "updated_at", "ticket_metric_events": "time"}


def record(stream: str, number: int, said: str, at: int) -> dict[str, Any]:
    """A record of a stream that changed at a time."""
    if stream == "tickets":
        return ticket(number, said, at)
    return {"id": number, "name": said, "type": said, VERSIONS[stream]: iso(at)}


@pytest.mark.promise("once")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_changes_meanwhile_no_row_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills and changes of records at any request, over two extracts: then all is as the desk says."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    stream = data.draw(st.sampled_from(sorted(VERSIONS)), "stream")
    # More than change in a second, or no page that is cut by time would come to its end.
    desk = Desk(page_rows=data.draw(st.integers(3, 6), "rows a page"))
    for number in range(1, data.draw(st.integers(0, 25), "records") + 1):
        # Two a second: what pages by time must not part them.
        desk.put(stream, record(stream, number, "new", at := desk.now - 7200 + number // 2), at)
    requests = st.integers(1, 30)
    desk.faults = data.draw(st.dictionaries(requests, st.sampled_from(PASSING + STRANGE[:4]), max_size=8), "faults")
    changes = data.draw(st.dictionaries(requests, st.integers(1, 20), max_size=8), "changes")
    kills = data.draw(st.sets(st.integers(1, 30), max_size=5), "kills")
    rows = list[dict[str, Any]]()

    def change(request: int) -> None:
        desk.now += 40
        if request in changes:
            desk.put(stream, record(stream, changes[request], "deleted" if request % 3 == 0 else "solved", desk.now))

    desk.before_page = change
    killed_at(kills, monkeypatch)
    with serving(desk) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, stream, day))
            rows += pulled(folder, stream, [day])
            until_it_works(lambda day=day: clear_delivery(folder, stream_of(folder, stream).stream, day))
            desk.before_page = None
            desk.now += 86_400
    assert newest(rows, VERSIONS[stream]) == as_told(desk.rows(stream).values(), stream)


def test_a_pace_holds_any_minute_and_the_end_of_the_night() -> None:
    now, slept = 100.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pace = Pace(Turns(3), 150, clock=lambda: now, sleep=sleep)
    for _ in range(7):
        pace.turn()
    assert slept == [0, 0, 0, 60, 0, 0, 60], "three at once, then as turns are no longer of the last minute"
    with pytest.raises(OutOfTime):
        pace.wait(31)
    pace.turn()
    pace.turn()
    with pytest.raises(OutOfTime):
        pace.turn()
    assert sum(slept) == 120, "nothing is waited for that comes too late"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "93"}, 93),
        ({"Retry-After": "Mon, 01 Jun 2026 10:01:00 GMT", "Date": "Mon, 01 Jun 2026 10:00:30 GMT"}, 30),
        ({"Retry-After": "Mon, 01 Jun 2026 10:00:00 GMT", "Date": "Mon, 01 Jun 2026 10:00:30 GMT"}, 0),
        ({"Retry-After": "Mon, 01 Jun 2026 10:01:00 GMT"}, None),
        ({"Retry-After": "soon", "Date": "Mon, 01 Jun 2026 10:00:30 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_a_host_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_secrets_stand_in_no_representation() -> None:
    for kind in ZENDESK.logins:
        assert API_TOKEN not in repr(kind.login(*([API_TOKEN] * len(kind.credentials))))
