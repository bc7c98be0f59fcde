"""A pull from SurveyMonkey: every response to every survey, whatever changes between its numbered pages.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The tool is emulated
(tests/surveymonkey_emulator.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.surveymonkey import SURVEYMONKEY
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError, PassingError
from tests.emulator_kit import PASSING, serving
from tests.rest_kit import FIRST, Account, day_after, killed_at, newest, pages, pull, pulled, until_it_works
from tests.surveymonkey_emulator import CREDENTIALS
from tests.surveymonkey_emulator import Account as Surveys
from tests.surveymonkey_emulator import given as answered

MONKEY = Account("monkey", SURVEYMONKEY, CREDENTIALS)
# Answers with status 200 that are no page: of the list, of a survey's responses.
STRANGE = {
    1: ("error page", "web page", "list", "no data", "no links", "no total", "nothing"),
    2: ("error page", "no data", "no links", "no total", "nothing", "no place", "no time"),
}


def surveys_of(*responses: int, **said: Any) -> Surveys:
    """An account with a survey for each number of responses, given three a second, a while ago."""
    account = Surveys(**{"page_rows": 4, **said})
    for number, count in enumerate(responses, start=1):
        account.survey(f"{number}", at=account.now - 400_000)
        for each in range(count):
            account.answer(f"{number}", f"{number}{each:03}", account.now - 7200 + each // 3)
    return account


def there(account: Surveys) -> dict[str, str]:
    held = [each for survey in account.surveys.values() for each in survey.responses.values()]
    return {each["id"]: each["date_modified"] for each in held}


def came(folder: DataFolder, *days: Any) -> dict[str, str]:
    rows = newest(pulled(folder, "responses", days or (FIRST,), MONKEY), "date_modified", "response_id")
    return {name: row["date_modified"] for name, row in rows.items()}


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(SURVEYMONKEY.streams) == set(streams_of("surveymonkey"))


@pytest.mark.parametrize("second_counts", [False, True])
def test_all_responses_of_all_surveys_come_through_faults_that_pass(folder: DataFolder, second_counts: bool) -> None:
    """Whether the second that is asked for counts or not, which is not documented."""
    account = surveys_of(9, 0, 14, 1, 1, second_counts=second_counts)
    account.faults = {2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    with serving(account) as base:
        pull(folder, base, "responses", account=MONKEY)
    assert not account.faults, "every fault was met"
    assert came(folder) == there(account)


def test_more_that_changed_in_one_second_than_a_page_holds_come(folder: DataFolder) -> None:
    account = surveys_of(2)
    for each in range(15):
        account.answer("1", f"x{each:02}", account.now - 60)
    with serving(account) as base:
        pull(folder, base, "responses", account=MONKEY)
    assert came(folder) == there(account)


def test_a_response_that_changes_meanwhile_hides_no_other(folder: DataFolder) -> None:
    """It moves to the end, and those behind it each a place forward: over the edge of a page that was there."""
    account = surveys_of(12)

    def change(request: int) -> None:
        if request == 3:
            for each in ("1000", "1001"):
                account.answer("1", each, account.now)

    account.before_page = change
    with serving(account) as base:
        pull(folder, base, "responses", account=MONKEY)
    assert came(folder) == there(account)


def test_a_response_stands_in_the_columns_of_the_contract(folder: DataFolder) -> None:
    account = surveys_of(0)
    answers = (
        answered("10", {"row_id": "11", "choice_id": "19"}),
        answered("20", {"choice_id": "21"}, {"choice_id": "22"}),
        answered("30", {"text": "Quick"}),
        answered("40", {"other_id": "41", "text": "Something else"}),
    )
    variables = {"contact_id": "C-7", "ticket_id": "42", "secret": "x"}
    account.answer("1", "77", account.now - 60, *answers, custom_variables=variables, email_address="ann@example.org")
    with serving(account) as base:
        pull(folder, base, "responses", account=MONKEY)
    (row,) = pulled(folder, "responses", account=MONKEY)
    assert json.loads(row["answers"]) == {**{"10_11": "19", "20": ["21", "22"], "30": "Quick", "40": "Something else"}}
    assert {name: row[name] for name in ("response_id", "survey_id", "contact_id", "ticket_id", "email_address")} == {
        **{"response_id": "77", "survey_id": "1", "contact_id": "C-7", "ticket_id": "42"},
        "email_address": "ann@example.org",
    }
    assert "secret" not in row
    assert "ip_address" not in row


@pytest.mark.parametrize(("request_", "fault"), [(n, fault) for n, faults in STRANGE.items() for fault in faults])
def test_an_answer_that_is_no_page_fails_the_extract_with_one_sentence(
    folder: DataFolder, request_: int, fault: str
) -> None:
    account = surveys_of(5, faults={request_: fault})
    with serving(account) as base:
        with pytest.raises(JourneymartError, match=rf"Page {request_} of monkey/responses .* is an answer ") as said:
            pull(folder, base, "responses", account=MONKEY)
        pull(folder, base, "responses", account=MONKEY)
    assert "ada@" not in str(said.value)
    assert came(folder) == there(account)


def test_a_fifth_of_the_day_is_left_to_others_and_the_next_night_goes_on(folder: DataFolder) -> None:
    account = surveys_of(30, day=5)
    with serving(account) as base:
        with pytest.raises(PassingError, match=r"of the 5 requests .* lets through in 24 hours 4 are used"):
            pull(folder, base, "responses", account=MONKEY)
        assert len(pages(folder, "responses", account=MONKEY)) == 4
        account.used, account.day = 0, 500
        pull(folder, base, "responses", account=MONKEY)
    assert came(folder) == there(account)


def test_questions_say_what_their_choices_are_worth(folder: DataFolder) -> None:
    weighed = [{"id": "19", "text": "Very", "weight": 5, "position": 1}, {"id": "18", "text": "Not", "weight": 1}]
    placed = [{"id": "21", "text": "Speed", "position": 1}, {"id": "22", "text": "Price", "position": 2}]
    questions = [
        {"id": "10", "family": "matrix", "subtype": "rating", "headings": [{"heading": "Satisfied?"}]}
        | {"answers": {"rows": [{"id": "11", "text": ""}], "choices": weighed}},
        {"id": "20", "family": "single_choice", "subtype": "vertical", "answers": {"choices": placed}},
        {"id": "30", "family": "open_ended", "subtype": "essay"},
        {"id": "50", "family": "presentation", "subtype": "descriptive_text"},
    ]
    account = Surveys()
    account.survey("1", questions, at=account.now - 400_000)
    with serving(account) as base:
        pull(folder, base, "questions", account=MONKEY)
        rows = pulled(folder, "questions", account=MONKEY)
        assert json.loads(rows[1]["choices"]) == {"21": "Speed", "22": "Price"}
        told = [(row["question_id"], row["scale_min"], row["scale_max"], row["recode_values"]) for row in rows]
        assert told == [
            ("10_11", "1", "5", '{"19":5,"18":1}'),
            ("20", None, None, '{"21":1,"22":2}'),
            ("30", None, None, None),
        ]
        clear_delivery(folder, MONKEY.stream("questions"), FIRST)
        account.now += 86_400
        account.survey("2", [{"id": "60", "family": "open_ended", "subtype": "single"}])
        pull(folder, base, "questions", day_after(), account=MONKEY)
    changed = pulled(folder, "questions", [day_after()], MONKEY)
    assert [(row["survey_id"], row["question_id"]) for row in changed] == [("2", "60")]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_changes_and_is_killed_no_response_is_lost(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills and changes at any request, over two extracts."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    account = surveys_of(*data.draw(st.lists(st.integers(0, 12), max_size=3), "responses of each survey"))
    account.second_counts = data.draw(st.booleans(), "the second counts")
    requests = st.integers(1, 25)
    strange = sorted({fault for faults in STRANGE.values() for fault in faults} - {"no time", "no place"})
    account.faults = data.draw(st.dictionaries(requests, st.sampled_from([*PASSING, *strange]), max_size=6), "faults")
    changes = data.draw(st.dictionaries(requests, st.sampled_from(["1000", "1002", "2001"]), max_size=5), "changes")
    kills = data.draw(st.sets(st.integers(1, 25), max_size=5), "kills")

    def change(request: int) -> None:
        response = changes.get(request, "")
        if response[:1] in account.surveys and response in account.surveys[response[0]].responses:
            account.answer(response[0], response, account.now)

    account.before_page = change
    killed_at(kills, monkeypatch)
    rows = list[dict[str, Any]]()
    with serving(account) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "responses", day, account=MONKEY))
            rows += pulled(folder, "responses", [day], MONKEY)
            until_it_works(lambda day=day: clear_delivery(folder, MONKEY.stream("responses"), day))
            account.before_page = None
            account.now += 86_400
    found = newest(rows, "date_modified", "response_id")
    assert {name: row["date_modified"] for name, row in found.items()} == there(account)
