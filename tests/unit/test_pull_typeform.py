"""A pull from Typeform: every response to every form, from the newest on.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The tool is emulated
(tests/typeform_emulator.py).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest.typeform import TYPEFORM
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from tests.emulator_kit import PASSING, iso, serving
from tests.rest_kit import FIRST, Account, day_after, killed_at, pages, pull, pulled, until_it_works
from tests.typeform_emulator import CREDENTIALS, Workspace
from tests.typeform_emulator import given as answered

FORMS = Account("forms", TYPEFORM, CREDENTIALS)
# Answers with status 200 that are no page: of the list, of a form's responses.
STRANGE = {
    1: ("error page", "web page", "list", "no items", "no total"),
    2: ("error page", "no items", "no total", "nothing", "no token", "no time"),
}


def forms_of(*responses: int, **said: Any) -> Workspace:
    """An account with a form for each number of responses, submitted two a second, a while ago."""
    account = Workspace(**{"page_rows": 3, **said})
    for number, count in enumerate(responses, start=1):
        account.form(f"form{number}", at=account.now - 200_000)
        for each in range(count):
            account.answer(f"form{number}", f"r{number}-{each:02}", account.now - 7200 + each // 2)
    return account


def there(account: Workspace) -> dict[str, str]:
    return {token: name for name, form in account.forms.items() for token in form.responses}


def came(folder: DataFolder, *days: Any) -> dict[str, str]:
    rows = pulled(folder, "responses", days or (FIRST,), FORMS)
    return {row["response_id"]: row["form_id"] for row in rows}


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(TYPEFORM.streams) == set(streams_of("typeform"))


@pytest.mark.parametrize("counts_all", [False, True])
def test_all_responses_of_all_forms_come_once_through_faults_that_pass(folder: DataFolder, counts_all: bool) -> None:
    """Whatever the total of a page counts, which is not documented."""
    account = forms_of(7, 0, 6, 1, counts_all=counts_all)
    account.faults = {2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    with serving(account) as base:
        pull(folder, base, "responses", account=FORMS)
    rows = pulled(folder, "responses", account=FORMS)
    assert (came(folder), len(rows)) == (there(account), 14)


@pytest.mark.parametrize("counts_all", [False, True])
def test_what_is_submitted_while_a_form_is_read_is_for_the_next_extract(folder: DataFolder, counts_all: bool) -> None:
    account = forms_of(4, counts_all=counts_all)
    account.before_page = lambda request: account.answer("form1", "late", account.now) if request == 3 else None
    with serving(account) as base:
        pull(folder, base, "responses", account=FORMS)
        assert sorted(came(folder)) == ["r1-00", "r1-01", "r1-02", "r1-03"]
        clear_delivery(folder, FORMS.stream("responses"), FIRST)
        account.now += 86_400
        pull(folder, base, "responses", day_after(), account=FORMS)
    assert "late" in came(folder, day_after())


@pytest.mark.parametrize("counts_all", [False, True])
def test_a_page_that_lost_its_rows_is_never_taken_for_the_end(folder: DataFolder, counts_all: bool) -> None:
    account = forms_of(7, counts_all=counts_all, faults=dict.fromkeys((2, 4, 6), "nothing"))
    with serving(account) as base:
        for _ in range(3):
            with pytest.raises(JourneymartError, match="says more follows, and holds nothing"):
                pull(folder, base, "responses", account=FORMS)
        pull(folder, base, "responses", account=FORMS)
    assert came(folder) == there(account)


def test_hidden_fields_and_answers_stand_in_the_columns_of_the_contract(folder: DataFolder) -> None:
    account = forms_of(0)
    at = account.now - 60
    answers = (
        answered("nps", "number", 9),
        answered("why", "choice", {"label": "Speed"}),
        answered("which", "choices", {"labels": ["A", "B"], "other": "C"}),
        answered("solved", "boolean", True),
        answered("words", "text", "Quick"),
        answered("mail", "email", "ann@example.org"),
        answered("phone", "phone_number", "+4930123"),
    )
    account.answer("form1", "r1", at, *answers, contact_id="C-7", ticket_id="42", email="old@example.org", secret="x")
    with serving(account) as base:
        pull(folder, base, "responses", account=FORMS)
    (row,) = pulled(folder, "responses", account=FORMS)
    assert json.loads(row.pop("answers")) == {
        **{"nps": 9, "why": "Speed", "which": ["A", "B", "C"], "solved": 1, "words": "Quick"}
    }
    assert {name: value for name, value in row.items() if value is not None} == {
        **{"response_id": "r1", "form_id": "form1", "contact_id": "C-7", "ticket_id": "42", "email": "ann@example.org"},
        **{"landed_at": iso(at - 60), "submitted_at": iso(at)},
    }


@pytest.mark.parametrize(("request_", "fault"), [(n, fault) for n, faults in STRANGE.items() for fault in faults])
def test_an_answer_that_is_no_page_fails_the_extract_with_one_sentence(
    folder: DataFolder, request_: int, fault: str
) -> None:
    account = forms_of(4, faults={request_: fault})
    with serving(account) as base:
        with pytest.raises(JourneymartError, match=rf"Page {request_} of forms/responses .* is an answer ") as said:
            pull(folder, base, "responses", account=FORMS)
        pull(folder, base, "responses", account=FORMS)
    assert "ada@" not in str(said.value)
    assert came(folder) == there(account)


def test_a_form_that_is_removed_meanwhile_stops_no_other(folder: DataFolder) -> None:
    account = forms_of(1, 1, 1)
    account.before_page = lambda request: account.forms.pop("form2", None) and None if request == 2 else None
    with serving(account) as base:
        until_it_works(lambda: pull(folder, base, "responses", account=FORMS))
    assert came(folder) == there(account)


def test_questions_of_forms_that_changed_come_with_their_scales(folder: DataFolder) -> None:
    account = Workspace()
    scale = {"ref": "ease", "type": "opinion_scale", "title": "Easy?", "properties": {"steps": 7, "start_at_one": True}}
    fields = [
        {"ref": "nps", "type": "nps", "title": "Recommend?", "properties": {"steps": 11}},
        {"ref": "page", "type": "group", "title": "Page", "properties": {"fields": [scale]}},
        {"ref": "stars", "type": "rating", "title": "Stars?", "properties": {"steps": 5}},
        {"ref": "words", "type": "long_text", "title": "More?"},
        {"ref": "hello", "type": "statement", "title": "Hello"},
    ]
    account.form("form1", fields, at=account.now - 200_000)
    with serving(account) as base:
        pull(folder, base, "questions", account=FORMS)
        rows = pulled(folder, "questions", account=FORMS)
        assert [(row["question_id"], row["metric"], row["scale_min"], row["scale_max"]) for row in rows] == [
            ("nps", "nps", "0", "10"),
            ("ease", "other", "1", "7"),
            ("stars", "other", "1", "5"),
            ("words", "other", None, None),
        ]
        assert {row["last_updated_at"] for row in rows} == {iso(account.now - 200_000)}
        clear_delivery(folder, FORMS.stream("questions"), FIRST)
        account.now += 86_400
        account.form("form2", [{"ref": "more", "type": "short_text"}])
        pull(folder, base, "questions", day_after(), account=FORMS)
    changed = pulled(folder, "questions", [day_after()], FORMS)
    assert [(row["form_id"], row["question_id"]) for row in changed] == [("form2", "more")]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_is_killed_no_response_is_lost_or_comes_twice(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills and responses submitted at any request, over two extracts."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    account = forms_of(*data.draw(st.lists(st.integers(0, 8), max_size=3), "responses of each form"))
    account.counts_all = data.draw(st.booleans(), "the total counts all")
    requests = st.integers(1, 20)
    strange = sorted({fault for faults in STRANGE.values() for fault in faults} - {"no token", "no time"})
    account.faults = data.draw(st.dictionaries(requests, st.sampled_from([*PASSING, *strange]), max_size=6), "faults")
    submitted = data.draw(st.sets(requests, max_size=4), "submitted at")
    kills = data.draw(st.sets(st.integers(1, 25), max_size=5), "kills")

    def submit(request: int) -> None:
        if request in submitted and "form1" in account.forms:
            account.answer("form1", f"late-{request}", account.now)

    account.before_page = submit
    killed_at(kills, monkeypatch)
    found = dict[str, str]()
    with serving(account) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "responses", day, account=FORMS))
            rows = pulled(folder, "responses", [day], FORMS)
            assert max(Counter(row["response_id"] for row in rows).values(), default=1) == 1, "none twice"
            found |= came(folder, day)
            until_it_works(lambda day=day: clear_delivery(folder, FORMS.stream("responses"), day))
            account.before_page = None
            account.now += 86_400
    assert found == there(account)
    assert not pages(folder, "responses", account=FORMS)
