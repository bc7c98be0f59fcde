"""A pull from Salesforce: every record, whatever changes, is deleted, merged or forgotten between its pages.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The CRM is emulated
(tests/salesforce_emulator.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.salesforce import SALESFORCE
from quality.contract.files import streams_of
from quality.contract.model import load_contract
from storage.data_folder import DataFolder
from storage.errors import JourneymartError, PassingError
from tests.emulator_kit import PASSING, serving
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
from tests.salesforce_emulator import CREDENTIALS, Crm, record_id

CRM = Account("crm", SALESFORCE, CREDENTIALS)
# Answers with status 200 that are no page of a query.
STRANGE = ("error page", "web page", "list", "no marker", "no total", "no records", "no place", "same place", "no time")
# Requests before the first page: for the token, and for the list of fields.
BEFORE = 2


def crm_of(contacts: int, **said: Any) -> Crm:
    """A CRM whose contacts changed one a second, a while ago."""
    crm = Crm(**{"page_rows": 4, **said})
    for number in range(1, contacts + 1):
        crm.put("Contact", number, crm.now - 7200 + number)
    return crm


def there(crm: Crm, name: str = "Contact") -> dict[str, dict[str, Any]]:
    return as_told(crm.tables.get(name, {}).values(), CRM.stream(name.lower()).stream, "salesforce")


def came(folder: DataFolder, *days: Any) -> dict[str, dict[str, Any]]:
    return newest(pulled(folder, "contact", days or (FIRST,), CRM), "SystemModstamp", "Id")


def queries(crm: Crm) -> list[str]:
    """The queries that were sent."""
    return [q for request in crm.requests for q in parse_qs(urlsplit(request).query).get("q", [])]


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(SALESFORCE.streams) == set(streams_of("salesforce"))


def test_all_records_come_once_through_faults_that_pass_deleted_and_merged_ones_too(folder: DataFolder) -> None:
    crm = crm_of(34)
    crm.faults = {BEFORE + 2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    crm.merge("Contact", 3, 4)
    crm.put("Contact", 5, IsDeleted=True)
    with serving(crm) as base:
        delivery = pull(folder, base, "contact", account=CRM)
    assert not crm.faults, "every fault was met"
    assert (delivery.pages, delivery.rows) == (9, 34)
    assert came(folder) == there(crm)
    assert came(folder)[record_id("Contact", 3)]["MasterRecordId"] == record_id("Contact", 4)


def test_numbers_and_truths_are_text_and_a_column_the_account_lacks_is_left_out(folder: DataFolder) -> None:
    crm = Crm(hidden={"CurrencyIsoCode", "Type"})
    crm.put("Opportunity", 1)
    with serving(crm) as base:
        pull(folder, base, "opportunity", account=CRM)
    (row,) = pulled(folder, "opportunity", account=CRM)
    assert (row["Amount"], row["IsClosed"]) == ("12.5", "false")
    assert set(load_contract("salesforce", "opportunity").columns) - set(row) == crm.hidden


def test_a_column_that_is_needed_and_not_shown_to_the_user_fails_the_extract(folder: DataFolder) -> None:
    crm = crm_of(3, hidden={"IsDeleted", "Segment__c"})
    with serving(crm) as base, pytest.raises(JourneymartError, match="shows no IsDeleted of crm/contact to the user"):
        pull(folder, base, "contact", account=CRM)


@pytest.mark.parametrize("fault", STRANGE)
def test_an_answer_that_is_no_page_fails_the_extract_and_keeps_what_came(folder: DataFolder, fault: str) -> None:
    crm = crm_of(10, faults={BEFORE + 2: fault})
    with serving(crm) as base:
        with pytest.raises(JourneymartError, match=r"Page 2 of crm/contact .* is an answer .*kept"):
            pull(folder, base, "contact", account=CRM)
        assert len(pages(folder, "contact", account=CRM)) == 1
        pull(folder, base, "contact", account=CRM)
    assert came(folder) == there(crm)


def test_a_last_page_that_lacks_rows_is_not_the_end(folder: DataFolder) -> None:
    """It says it is the last, and fewer rows came than the query was said to have: what is left is asked for."""
    crm = crm_of(10, faults={BEFORE + 3: "short"})
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
    assert came(folder) == there(crm)
    assert len(queries(crm)) == 2


def test_a_place_that_is_forgotten_is_replaced_by_a_query_of_the_rest(folder: DataFolder) -> None:
    crm = crm_of(10, faults={BEFORE + 3: "forgotten"})
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
    first, second = queries(crm)
    assert re.findall(r">= (\S+)", first + second) == ["1970-01-01T00:00:00Z", "2026-06-02T00:00:08Z"]
    assert came(folder) == there(crm)


def test_rows_that_changed_after_the_query_do_not_say_how_far_it_has_come(folder: DataFolder) -> None:
    """The second page shows them as they are by now; then the results are forgotten, and the rest is still to come."""
    crm = crm_of(10, faults={BEFORE + 3: "forgotten"})

    def change(request: int) -> None:
        for number in (5, 6, 7, 8) if request == BEFORE + 2 else ():
            crm.put("Contact", number, LeadSource="Web")

    crm.before_page = change
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
    assert came(folder) == there(crm)


@pytest.mark.parametrize("missed", [1, 3])
def test_the_next_extract_begins_behind_the_day_of_the_last_less_an_hour(folder: DataFolder, missed: int) -> None:
    crm = crm_of(3)
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
        clear_delivery(folder, CRM.stream("contact"), FIRST)
        crm.now += missed * 86_400
        pull(folder, base, "contact", FIRST + timedelta(days=missed), account=CRM)
    assert ">= 2026-06-01T23:00:00Z " in queries(crm)[-1]


def test_what_changes_in_a_day_that_is_not_over_by_the_hosts_clock_is_in_the_next_extract(folder: DataFolder) -> None:
    crm = crm_of(3)
    crm.now -= 5 * 3600
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
        clear_delivery(folder, CRM.stream("contact"), FIRST)
        crm.put("Contact", 4, crm.now + 60)
        crm.now += 86_400
        pull(folder, base, "contact", day_after(), account=CRM)
    assert ">= 2026-06-01T20:00:00Z " in queries(crm)[-1]
    assert record_id("Contact", 4) in came(folder, day_after())


def test_a_login_that_is_not_accepted_is_said_without_it(folder: DataFolder) -> None:
    wrong = {**CREDENTIALS, "client_secret": "wrong-secret"}
    with (
        serving(crm_of(3)) as base,
        pytest.raises(JourneymartError, match=r"token answered 401.*set the env") as said,
    ):
        pull(folder, base, "contact", account=CRM, credentials=wrong)
    assert "wrong-secret" not in str(said.value)


def test_a_token_that_ends_meanwhile_is_asked_for_again(folder: DataFolder) -> None:
    crm = crm_of(10)
    crm.before_page = lambda number: crm.tokens.clear() if number == BEFORE + 1 else None
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
    assert crm.requests.count("/services/oauth2/token") == 2
    assert came(folder) == there(crm)


def test_a_fault_of_the_vendors_own_is_said_by_its_code_and_nothing_else_of_the_answer(folder: DataFolder) -> None:
    with (
        serving(crm_of(3, faults={BEFORE + 1: "slow"})) as base,
        pytest.raises(PassingError, match=r"answered 400 \(QUERY_TIMEOUT\), the query took longer") as said,
    ):
        pull(folder, base, "contact", account=CRM)
    assert "Ada" not in str(said.value)


def test_an_extract_that_a_day_will_not_do_for_says_what_is_lacking_and_goes_on_from_day_to_day(
    folder: DataFolder,
) -> None:
    """A fifth of the day's requests is left to others; ten pages and the list of fields need more than the rest."""
    crm = crm_of(40, allowed=10)
    told = (
        r"Page 8 of crm/contact for 2026-06-01 is not asked for: of the 10 requests that 127\.0\.0\.1 lets through in "
        r"24 hours 8 are used and 2 are left to others, and 3 more are needed .*\(the 7 pages before it, 28 rows"
    )
    with serving(crm) as base:
        with pytest.raises(PassingError, match=told):
            pull(folder, base, "contact", account=CRM)
        crm.used = 0
        pull(folder, base, "contact", account=CRM)
    assert came(folder) == there(crm)
    assert (crm.used, len(queries(crm))) == (4, 1)


def test_what_is_one_page_comes_even_when_no_request_may_be_ours(folder: DataFolder) -> None:
    crm = crm_of(4, allowed=100, used=90)
    with serving(crm) as base:
        pull(folder, base, "contact", account=CRM)
    assert came(folder) == there(crm)


def test_no_more_requests_at_all_is_said_as_what_passes(folder: DataFolder) -> None:
    with serving(crm_of(3, allowed=0)) as base, pytest.raises(PassingError, match="REQUEST_LIMIT_EXCEEDED"):
        pull(folder, base, "contact", account=CRM)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_changes_meanwhile_no_record_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills, forgotten places, changes, merges and purges at any request, over two extracts."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    crm = Crm(page_rows=data.draw(st.integers(1, 6), "rows a page"))
    for number in range(1, data.draw(st.integers(0, 25), "records") + 1):
        # Three a second; the last ones just now, when times say little.
        crm.put("Contact", number, crm.now - data.draw(st.sampled_from([7200, 7199, 3600, 0]), "age"))
    requests = st.integers(1, 40)
    faults = st.sampled_from([*PASSING, *STRANGE[:4], "short", *["forgotten"] * 6])
    crm.faults = data.draw(st.dictionaries(requests, faults, max_size=8), "faults")
    kinds = st.tuples(st.sampled_from(["change", "delete", "merge", "purge"]), st.integers(1, 25))
    changes = data.draw(st.dictionaries(requests, kinds, max_size=12), "changes")
    kills = data.draw(st.sets(st.integers(1, 40), max_size=5), "kills")
    rows = list[dict[str, Any]]()

    def change(request: int) -> None:
        crm.now += 40
        match changes.get(request):
            case "change", number:
                crm.put("Contact", number, LeadSource="Web")
            case "delete", number:
                crm.put("Contact", number, IsDeleted=True)
            case "merge", number:
                crm.merge("Contact", number, number % 25 + 1)
            case "purge", number:
                crm.purge("Contact", number)

    crm.before_page = change
    killed_at(kills, monkeypatch)
    with serving(crm) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "contact", day, account=CRM))
            rows += pulled(folder, "contact", [day], CRM)
            until_it_works(lambda day=day: clear_delivery(folder, CRM.stream("contact"), day))
            crm.before_page = None
            crm.now += 86_400
    came = newest(rows, "SystemModstamp", "Id")
    assert {key: came.get(key) for key in there(crm)} == there(crm)
