"""A pull from HubSpot: every record, whatever changes, is archived or merged between its pages.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The CRM is emulated (tests/hubspot_emulator.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.hubspot import HUBSPOT
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from tests.emulator_kit import PASSING, serving
from tests.hubspot_emulator import CREDENTIALS, Portal, instant
from tests.rest_kit import FIRST, Account, day_after, killed_at, newest, pages, pull, pulled, until_it_works

HUB = Account("hub", HUBSPOT, CREDENTIALS)
# Answers with status 200 that are no page of a search.
STRANGE = (
    "error page",
    "web page",
    "list",
    "no total",
    "no results",
    "no place",
    "nothing",
    "no number",
    "no time",
    "no properties",
)
# Requests before the first page: for the list of properties.
BEFORE = 1


def portal_of(contacts: int, **said: Any) -> Portal:
    """An account whose contacts changed one a second, a while ago."""
    portal = Portal(**{"page_rows": 4, **said})
    for number in range(1, contacts + 1):
        portal.put("contacts", number, portal.now - 7200 + number, email=f"person{number}@example.org")
    return portal


def came(folder: DataFolder, *days: Any, stream: str = "contacts") -> dict[str, dict[str, Any]]:
    return newest(pulled(folder, stream, days or (FIRST,), HUB), "updated_at")


def seen(rows: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Of each record: its address, whether it is archived, and what it was merged into."""
    return {key: (row["email"], row["archived"], row["merged_into_id"]) for key, row in rows.items()}


def there(portal: Portal) -> dict[str, tuple[Any, ...]]:
    """The same as the account has it; a merged record has no address of its own any more."""
    merged = portal.merged.get("contacts", {})
    live = {
        str(number): (record.properties.get("email"), "true" if record.archived_at else "false", None)
        for number, record in portal.tables.get("contacts", {}).items()
    }
    return live | {str(loser): (None, "true", str(winner)) for loser, winner in merged.items()}


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(HUBSPOT.streams) == set(streams_of("hubspot"))


def test_all_records_come_through_faults_that_pass_archived_and_merged_ones_too(folder: DataFolder) -> None:
    portal = portal_of(34)
    portal.faults = {BEFORE + 2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    portal.archive("contacts", 7)
    portal.merge("contacts", 3, 4)
    portal.merge("contacts", 5, 4)
    portal.now += 3600
    with serving(portal) as base:
        pull(folder, base, "contacts", account=HUB)
    assert not portal.faults, "every fault was met"
    assert seen(came(folder)) == there(portal)


def test_more_records_than_a_search_shows_come(folder: DataFolder) -> None:
    portal = portal_of(50, most_results=12)
    with serving(portal) as base:
        pull(folder, base, "contacts", account=HUB)
    assert seen(came(folder)) == there(portal)


def test_those_that_changed_in_one_millisecond_are_asked_for_by_their_ids(folder: DataFolder) -> None:
    portal = portal_of(3)
    for number in range(10, 31):
        portal.put("contacts", number, portal.now - 5000.123)
    portal.put("contacts", 40, portal.now - 4000)
    with serving(portal) as base:
        delivery = pull(folder, base, "contacts", account=HUB)
    assert seen(came(folder)) == there(portal)
    assert delivery.pages < 12


def test_records_that_changed_after_they_were_found_do_not_say_how_far_a_search_has_come(folder: DataFolder) -> None:
    """It finds them by what it knows, which is older than what it shows."""
    portal = portal_of(10, lag=1000)

    def change(request: int) -> None:
        for number in (1, 2, 3) if request == BEFORE + 1 else ():
            portal.put("contacts", number, email="new")

    portal.before_page = change
    with serving(portal) as base:
        pull(folder, base, "contacts", account=HUB)
    assert seen(came(folder)) == there(portal)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_page_fails_the_extract_and_keeps_what_came(folder: DataFolder, fault: str) -> None:
    portal = portal_of(10, faults={BEFORE + 2: fault})
    with serving(portal) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of hub/contacts .* is an answer .*kept"):
            pull(folder, base, "contacts", account=HUB)
        assert len(pages(folder, "contacts", account=HUB)) == 1
        pull(folder, base, "contacts", account=HUB)
    assert seen(came(folder)) == there(portal)


def test_a_record_without_a_time_fails_the_extract_among_records_of_one_moment_too(folder: DataFolder) -> None:
    portal = Portal(page_rows=2, faults={BEFORE + 3: "no time"})
    for number in range(1, 5):
        portal.put("contacts", number, portal.now - 7200)
    with serving(portal) as base, pytest.raises(JourneymartError, match="does not say when it changed"):
        pull(folder, base, "contacts", account=HUB)


def test_a_list_of_properties_that_is_none_fails_the_extract(folder: DataFolder) -> None:
    portal = portal_of(3, faults={BEFORE: "nothing"})
    with serving(portal) as base:
        with pytest.raises(JourneymartError, match=r"fields of hub/contacts is an answer that lacks fields every"):
            pull(folder, base, "contacts", account=HUB)
        pull(folder, base, "contacts", account=HUB)
    assert seen(came(folder)) == there(portal)


def test_only_what_was_archived_since_the_last_extract_comes_again(folder: DataFolder) -> None:
    portal = Portal()
    for number in (1, 2):
        portal.put("contacts", number, portal.now - 90_000)
    portal.now -= 80_000
    portal.archive("contacts", 1)
    portal.now += 80_000
    with serving(portal) as base:
        pull(folder, base, "contacts", account=HUB)
        assert set(came(folder)) == {"1", "2"}
        clear_delivery(folder, HUB.stream("contacts"), FIRST)
        portal.archive("contacts", 2)
        archived_at = instant(portal.now)
        portal.now += 86_400
        pull(folder, base, "contacts", day_after(), account=HUB)
    assert {key: row["updated_at"] for key, row in came(folder, day_after()).items()} == {"2": archived_at}


def test_a_deal_has_its_contact_and_the_stages_it_was_in(folder: DataFolder) -> None:
    portal = Portal(page_rows=2)
    for number in (1, 2, 3):
        portal.put("deals", number, portal.now - 9000 + number, dealstage="open", amount="12.50")
    portal.put("deals", 1, portal.now - 8000, dealstage="won", hs_is_closed="true")
    portal.tables["deals"][1].contacts = [77, 12]
    portal.archive("deals", 3)
    with serving(portal) as base:
        pull(folder, base, "deals", account=HUB)
    rows = came(folder, stream="deals")
    assert (rows["1"]["contact_id"], rows["2"]["contact_id"], rows["3"]["archived"]) == ("12", None, "true")
    assert json.loads(rows["1"]["dealstage_history"]) == [
        {"value": "won", "timestamp": instant(portal.now - 8000)},
        {"value": "open", "timestamp": instant(portal.now - 8999)},
    ]
    assert rows["1"]["amount"] == "12.50"


def test_deals_of_which_something_lacks_for_now_fail_the_extract(folder: DataFolder) -> None:
    portal = Portal(faults={BEFORE + 2: "lacks some"})
    portal.put("deals", 1, portal.now - 9000, dealstage="open")
    with serving(portal) as base:
        with pytest.raises(JourneymartError, match=r"Page 1 of hub/deals .* about its deals that lacks some"):
            pull(folder, base, "deals", account=HUB)
        pull(folder, base, "deals", account=HUB)
    assert set(came(folder, stream="deals")) == {"1"}


def test_a_scope_that_is_not_given_is_said(folder: DataFolder) -> None:
    with (
        serving(portal_of(3, faults={BEFORE + 1: "no scope"})) as base,
        pytest.raises(JourneymartError, match=r"MISSING_SCOPES\), .* or leave the stream out of company") as said,
    ):
        pull(folder, base, "contacts", account=HUB)
    assert "Ada" not in str(said.value)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_changes_meanwhile_no_record_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills, changes, merges and records archived at any request, over two extracts; a search lags behind."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    portal = Portal(page_rows=data.draw(st.integers(2, 6), "rows a page"))
    for number in range(1, data.draw(st.integers(0, 25), "records") + 1):
        # Many at one time; the last ones just now, when times say little.
        portal.put(
            "contacts", number, portal.now - data.draw(st.sampled_from([7200, 7199, 3600, 0]), "age"), email="old"
        )
    portal.lag = data.draw(st.sampled_from([0, 100]), "lag")
    requests = st.integers(1, 40)
    portal.faults = data.draw(st.dictionaries(requests, st.sampled_from([*PASSING, *STRANGE]), max_size=8), "faults")
    kinds = st.tuples(st.sampled_from(["change", "archive", "merge"]), st.integers(1, 25))
    changes = data.draw(st.dictionaries(requests, kinds, max_size=12), "changes")
    kills = data.draw(st.sets(st.integers(1, 40), max_size=5), "kills")
    rows = list[dict[str, Any]]()

    def change(request: int) -> None:
        portal.now += 40
        match changes.get(request):
            case "change", number if number not in portal.merged.get("contacts", {}) and not archived(number):
                portal.put("contacts", number, email=f"new{request}")
            case "archive", number:
                portal.archive("contacts", number)
            # What was merged into a record that is merged on before it is asked for, the documentation does not tell.
            case "merge", number if not archived(number) and not has_merged(number):
                portal.merge("contacts", number, number % 25 + 1)

    def has_merged(number: int) -> bool:
        return number in portal.merged.get("contacts", {}).values()

    def archived(number: int) -> bool:
        record = portal.tables.get("contacts", {}).get(number)
        return bool(record and record.archived_at)

    portal.before_page = change
    killed_at(kills, monkeypatch)
    with serving(portal) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "contacts", day, account=HUB))
            rows += pulled(folder, "contacts", [day], HUB)
            until_it_works(lambda day=day: clear_delivery(folder, HUB.stream("contacts"), day))
            portal.before_page = None
            portal.now += 86_400
    assert seen(newest(rows, "updated_at")) == there(portal)
