"""A pull from Qualtrics: every response of every survey, by jobs that take their time, fail, or are forgotten.

What holds for every vendor is tested with Zendesk (test_pull_rest.py). The survey tool is emulated
(tests/qualtrics_emulator.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.pulling.delivery import clear_delivery
from assets.pulling.rest import qualtrics, unzip
from assets.pulling.rest.http import Patience
from assets.pulling.rest.qualtrics import QUALTRICS
from quality.contract.files import streams_of
from storage.data_folder import DataFolder
from storage.errors import JourneymartError, PassingError
from storage.faults import FAULT_VARIABLE
from tests.emulator_kit import PASSING, iso, serving
from tests.qualtrics_emulator import CREDENTIALS, Brand
from tests.rest_kit import FIRST, Account, day_after, killed_at, pages, pull, pulled, until_it_works

BRAND = Account("qualtrics", QUALTRICS, CREDENTIALS)
# Hours between two questions whether a job is complete.
NEVER = Patience(first_wait=9000, longest_wait=9000)
# Answers with status 200 that are no page: of the list, a job, its progress, its file.
STRANGE = {
    1: ("error page", "web page", "list", "no result", "no marker"),
    2: ("no job", "no result"),
    3: ("odd state", "no file"),
    4: ("error page", "no archive", "two files", "damaged", "half a line", "no values", "bomb"),
}


def brand_of(*responses: int, **said: Any) -> Brand:
    """An account with a survey for each number of responses, recorded a while ago."""
    brand = Brand(**{"page_rows": 2, **said})
    for number, count in enumerate(responses, start=1):
        brand.survey(f"SV_{number}", at=brand.now - 90_000)
        for each in range(count):
            brand.answer(f"SV_{number}", f"R_{number}_{each}", brand.now - 7200 + each, QID1=each % 11)
    return brand


def there(brand: Brand) -> dict[str, str]:
    """Of each response of an account: what was answered to the first question."""
    held = [row for survey in brand.surveys.values() for row in survey.responses.values()]
    return {row["responseId"]: str(row["values"]["QID1"]) for row in held}


def came(folder: DataFolder, *days: Any) -> dict[str, str]:
    """The same of what was pulled: what came last of each."""
    return {row["ResponseId"]: row["QID1"] for row in pulled(folder, "responses", days or (FIRST,), BRAND)}


def test_every_stream_of_the_contracts_can_be_pulled() -> None:
    assert set(QUALTRICS.streams) == set(streams_of("qualtrics"))


def test_all_responses_of_all_surveys_come_once_through_faults_that_pass(folder: DataFolder) -> None:
    brand = brand_of(3, 0, 5, asking=3)
    brand.faults = {2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    with serving(brand) as base:
        delivery = pull(folder, base, "responses", account=BRAND)
    assert not brand.faults, "every fault was met"
    rows = pulled(folder, "responses", account=BRAND)
    assert (came(folder), len(rows)) == (there(brand), 8)
    assert delivery.pages == 2 + 3 * 3, "a page of the list, a job, its end and its file: asking for it is none"


def test_a_response_stands_in_the_columns_of_the_contract(folder: DataFolder) -> None:
    brand = brand_of(0)
    who = {"recipientEmail": "ann@example.org", "externalDataReference": "C-7", "TicketId": "42"}
    brand.answer("SV_1", "R_1", brand.now - 60, **who, QID1=9, QID3_TEXT="Quick", QID7="4", QID8=["1", "3"])
    with serving(brand) as base:
        pull(folder, base, "responses", account=BRAND)
    (row,) = pulled(folder, "responses", account=BRAND)
    assert json.loads(row.pop("answers")) == {"QID1": 9, "QID3_TEXT": "Quick", "QID7": "4", "QID8": ["1", "3"]}
    assert {name: value for name, value in row.items() if value is not None} == {
        **{"ResponseId": "R_1", "SurveyId": "SV_1", "RecipientEmail": "ann@example.org", "ExternalReference": "C-7"},
        **{"StartDate": iso(brand.now - 120), "EndDate": iso(brand.now - 60), "RecordedDate": iso(brand.now - 60)},
        **{"Status": "0", "Progress": "100", "Duration (in seconds)": "60", "Finished": "1", "UserLanguage": "EN"},
        **{"DistributionChannel": "email", "TicketId": "42", "QID1": "9", "QID3_TEXT": "Quick"},
    }


def test_a_file_of_many_responses_is_several_pages(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qualtrics, "_PAGE_ROWS", 4)
    brand = brand_of(8, 9)
    with serving(brand) as base:
        pull(folder, base, "responses", account=BRAND)
    assert came(folder) == there(brand)
    counts = [row["SurveyId"] for row in pulled(folder, "responses", account=BRAND)]
    assert Counter(counts) == {"SV_1": 8, "SV_2": 9}, "none twice"
    assert len(pages(folder, "responses", account=BRAND)) == 1 + 2 * 2 + 2 + 3


@pytest.mark.parametrize(("request_", "fault"), [(n, fault) for n, faults in STRANGE.items() for fault in faults])
def test_an_answer_that_is_no_page_fails_the_extract_with_one_sentence(
    folder: DataFolder, request_: int, fault: str
) -> None:
    brand = brand_of(3, asking=0, faults={request_: fault})
    with serving(brand) as base:
        with pytest.raises(JourneymartError, match=rf"Page {request_} of qualtrics/responses .* is an answer ") as said:
            pull(folder, base, "responses", account=BRAND)
        assert len(pages(folder, "responses", account=BRAND)) == request_ - 1
        pull(folder, base, "responses", account=BRAND)
    assert "Ada" not in str(said.value)
    assert "ada@" not in str(said.value)
    assert came(folder) == there(brand)


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes of a gigabyte: what is read is what is let in, and a line at a time."""
    from tests.qualtrics_emulator import zipped

    monkeypatch.setattr(unzip, "MAX_BYTES", 3 * 1024**2)
    for held in (b"0" * 64 * 1024**2, b"0123456789\n" * 400_000):
        lines = unzip.lines_of(zipped(held))
        with pytest.raises(Exception, match="unpacks to more than is let in"):
            list(lines)


def test_a_job_that_fails_is_begun_anew_by_the_next_night(folder: DataFolder) -> None:
    brand = brand_of(3, 2, failing=1)
    with serving(brand) as base:
        with pytest.raises(PassingError, match=r"the export of survey SV_1 failed there; run the night again"):
            pull(folder, base, "responses", account=BRAND)
        pull(folder, base, "responses", account=BRAND)
    rows = pulled(folder, "responses", account=BRAND)
    assert (came(folder), len(rows)) == (there(brand), 5)


def test_a_job_or_file_that_is_forgotten_is_made_anew(folder: DataFolder) -> None:
    brand = brand_of(3, 2)

    def forget(request: int) -> None:
        if request in {3, 9}:
            brand.forget()

    brand.before_page = forget
    with serving(brand) as base:
        until_it_works(lambda: pull(folder, base, "responses", account=BRAND))
    rows = pulled(folder, "responses", account=BRAND)
    assert (came(folder), len(rows)) == (there(brand), 5)


def test_a_survey_that_is_removed_meanwhile_stops_no_other(folder: DataFolder) -> None:
    brand = brand_of(1, 1, 1)
    brand.before_page = lambda request: brand.surveys.pop("SV_2", None) and None if request == 3 else None
    with serving(brand) as base:
        until_it_works(lambda: pull(folder, base, "responses", account=BRAND))
    assert came(folder) == there(brand)


def test_a_job_that_is_not_complete_in_time_is_gone_on_with(folder: DataFolder) -> None:
    brand = brand_of(3, asking=1)
    with serving(brand) as base:
        with pytest.raises(JourneymartError, match=r"Page 3 of qualtrics/responses .* cannot be asked for in time"):
            pull(folder, base, "responses", account=BRAND, patience=NEVER)
        pull(folder, base, "responses", account=BRAND)
    assert sum("export-responses" in each and each.endswith("responses") for each in brand.requests) == 1, "one job"
    assert came(folder) == there(brand)


def test_a_pull_killed_at_any_phase_of_a_job_goes_on(folder: DataFolder) -> None:
    """SIGKILL, in a process of its own: the job begun, asked for, complete, its file fetched and not yet kept."""
    brand = brand_of(10, asking=1)
    child: list[subprocess.Popen[bytes]] = []
    with serving(brand) as base:
        command = [sys.executable, "-m", "tests.rest_kit", str(folder.root), base, "responses", FIRST.isoformat()]

        def killed(point: str) -> int:
            with subprocess.Popen([*command, "qualtrics"], env={**os.environ, FAULT_VARIABLE: point}) as process:
                child[:] = [process]
                try:
                    process.wait(300)
                finally:
                    # Leaving the block waits for it without an end.
                    process.kill()
            assert process.returncode == -signal.SIGKILL
            return len(pages(folder, "responses", account=BRAND))

        assert [killed("after_page") for _ in range(2)] == [1, 2]
        brand.before_page = lambda _: child[0].kill()
        assert killed("none") == 2, "while it asks for the job"
        brand.before_page = None
        assert [killed("after_page"), killed("in_page")] == [3, 3]
        pull(folder, base, "responses", account=BRAND)
    rows = pulled(folder, "responses", account=BRAND)
    assert (came(folder), len(rows)) == (there(brand), 10)
    assert sum(each.endswith("export-responses") for each in brand.requests) == 1, "no job was begun twice"


def test_what_changes_within_a_month_comes_again(folder: DataFolder) -> None:
    brand = brand_of(0)
    old, young = brand.now - 40 * 86_400, brand.now - 20 * 86_400
    for response, at in (("R_old", old), ("R_young", young)):
        brand.answer("SV_1", response, at, QID1=1)
    with serving(brand) as base:
        pull(folder, base, "responses", account=BRAND)
        assert set(came(folder)) == {"R_old", "R_young"}
        clear_delivery(folder, BRAND.stream("responses"), FIRST)
        brand.now += 86_400
        brand.answer("SV_1", "R_young", young, QID1=9)
        pull(folder, base, "responses", day_after(), account=BRAND)
    assert came(folder, day_after()) == {"R_young": "9"}


def test_each_question_is_a_row_by_the_column_its_answers_stand_in(folder: DataFolder) -> None:
    choices = {"1": {"Display": "Speed"}, "2": {"Display": "Tone"}}
    brand = brand_of()
    brand.survey(
        "SV_1",
        {
            "QID1": {"QuestionText": "Recommend?", "QuestionType": "MC", "Selector": "NPS"},
            "QID2": {"QuestionText": "Why?", "QuestionType": "MC", "Selector": "SAVR", "Choices": choices},
            "QID3": {"QuestionText": "More?", "QuestionType": "TE", "Selector": "ML"},
            "QID4": {"QuestionText": "Rate", "QuestionType": "Matrix", "Selector": "Likert", "Choices": choices}
            | {"RecodeValues": {"1": "1", "2": "2", "3": "5"}},
            "QID5": {"QuestionText": "Hello", "QuestionType": "DB"},
        },
        at=brand.now - 200_000,
    )
    with serving(brand) as base:
        pull(folder, base, "survey_definitions", account=BRAND)
        rows = pulled(folder, "survey_definitions", account=BRAND)
        told = [(row["question_id"], row["metric"], row["scale_min"], row["scale_max"]) for row in rows]
        assert told == [
            ("QID1", "nps", "0", "10"),
            ("QID2", "other", None, None),
            ("QID3_TEXT", "other", None, None),
            ("QID4_1", "other", "1", "5"),
            ("QID4_2", "other", "1", "5"),
        ]
        clear_delivery(folder, BRAND.stream("survey_definitions"), FIRST)
        brand.now += 86_400
        brand.survey("SV_2", {"QID9": {"QuestionType": "TE"}})
        pull(folder, base, "survey_definitions", day_after(), account=BRAND)
    changed = pulled(folder, "survey_definitions", [day_after()], BRAND)
    assert [(row["survey_id"], row["question_id"]) for row in changed] == [("SV_2", "QID9_TEXT")]


def test_two_accounts_of_the_vendor_stay_apart(folder: DataFolder) -> None:
    other = replace(BRAND, source="research", credentials={"api_token": "another"})
    ours, theirs = brand_of(2), brand_of(1, tokens={"another"})
    theirs.answer("SV_1", "R_theirs", theirs.now, QID1=3)
    with serving(ours) as one, serving(theirs) as two:
        pull(folder, one, "responses", account=BRAND)
        pull(folder, two, "responses", account=other)
    assert came(folder) == there(ours)
    assert {row["ResponseId"] for row in pulled(folder, "responses", account=other)} == set(there(theirs))


def test_a_token_that_is_not_taken_is_said(folder: DataFolder) -> None:
    with (
        serving(brand_of(1)) as base,
        pytest.raises(JourneymartError, match=r"answered 401, the login is not accepted") as said,
    ):
        pull(folder, base, "responses", account=BRAND, credentials={"api_token": "sesame"})
    assert "sesame" not in str(said.value)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_fails_and_is_killed_no_response_is_lost_or_comes_twice(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults, kills, jobs that fail and corrections at any request, over two extracts."""
    folder = DataFolder(tmp_path_factory.mktemp("pull"))
    brand = brand_of(*data.draw(st.lists(st.integers(0, 5), max_size=3), "responses of each survey"))
    brand.asking, brand.failing = data.draw(st.integers(0, 2), "asking"), data.draw(st.integers(0, 2), "failing")
    requests = st.integers(1, 30)
    strange = sorted({fault for faults in STRANGE.values() for fault in faults} - {"bomb", "no values"})
    brand.faults = data.draw(st.dictionaries(requests, st.sampled_from([*PASSING, *strange]), max_size=6), "faults")
    changes = data.draw(st.dictionaries(requests, st.sampled_from(["R_1_0", "R_2_1", "R_9_9"]), max_size=4), "changes")
    monkeypatch.setattr(qualtrics, "_PAGE_ROWS", data.draw(st.integers(2, 4), "rows a page"))
    kills = data.draw(st.sets(st.integers(1, 30), max_size=5), "kills")

    def correct(request: int) -> None:
        response = changes.get(request)
        for survey in brand.surveys:
            if response in brand.surveys[survey].responses:
                brand.answer(survey, response, brand.now, QID1=f"{request}")

    brand.before_page = correct
    killed_at(kills, monkeypatch)
    rows = list[dict[str, Any]]()
    with serving(brand) as base:
        for day in (FIRST, day_after()):
            until_it_works(lambda day=day: pull(folder, base, "responses", day, account=BRAND))
            found = pulled(folder, "responses", [day], BRAND)
            assert max(Counter(row["ResponseId"] for row in found).values(), default=1) == 1, "none twice"
            rows += found
            until_it_works(lambda day=day: clear_delivery(folder, BRAND.stream("responses"), day))
            brand.before_page = None
            brand.now += 86_400
    assert {row["ResponseId"]: row["QID1"] for row in rows} == there(brand)


def became(brand: Brand, contact: str, status: str, *after: int, response: str | None = None) -> dict[str, Any]:
    """What became of a letter to somebody: sent, opened, started and finished so many minutes later."""
    names = ("sentAt", "openedAt", "responseStartedAt", "responseCompletedAt")
    times = {name: iso(brand.now - 7200 + 60 * minute) for name, minute in zip(names, after, strict=False)}
    return {"contactId": contact, "status": status, "responseId": response, **times}


def invited(folder: DataFolder, *days: Any) -> dict[tuple[str, str], tuple[str, str]]:
    """Of each letter to somebody: its kind, and how it stood last."""
    rows = pulled(folder, "distributions", days or (FIRST,), BRAND)
    return {(row["distribution_id"], row["contact_id"]): (row["request_type"], row["status"]) for row in rows}


def test_who_was_invited_comes_letter_by_letter_with_what_became_of_it(folder: DataFolder) -> None:
    brand = brand_of(0, 0, 0)
    for number in range(1, 6):
        letters = [became(brand, f"CID_{each}", "Sent", 0) for each in range(number)]
        brand.letter("SV_1", f"EMD_{number}", brand.now - 7200, *letters)
    finished = became(brand, "CID_1", "SurveyFinished", 0, 5, 6, 9, response="R_1")
    skipped = became(brand, "CID_2", "Skipped")
    brand.letter("SV_3", "EMD_9", brand.now - 7200, finished, skipped, kind="Reminder")
    brand.faults = {2 * number: fault for number, fault in enumerate(PASSING, start=1)}
    with serving(brand) as base:
        pull(folder, base, "distributions", account=BRAND)
    assert not brand.faults, "every fault was met"
    assert invited(folder) == {
        **{(f"EMD_{n}", f"CID_{each}"): ("Invite", "Sent") for n in range(1, 6) for each in range(n)},
        ("EMD_9", "CID_1"): ("Reminder", "SurveyFinished"),
        ("EMD_9", "CID_2"): ("Reminder", "Skipped"),
    }
    rows = pulled(folder, "distributions", account=BRAND)
    row, never_sent = [row for row in rows if row["distribution_id"] == "EMD_9"]
    at = brand.now - 7200
    assert (never_sent["sent_at"], never_sent["updated_at"]) == (None, iso(at))
    assert (row["survey_id"], row["response_id"], row["channel"]) == ("SV_3", "R_1", "email")
    assert (row["sent_at"], row["opened_at"], row["started_at"]) == (iso(at), iso(at + 300), iso(at + 360))
    assert row["finished_at"] == row["updated_at"] == iso(at + 540)


def test_letters_of_a_month_are_asked_for_again_and_older_ones_are_not(folder: DataFolder) -> None:
    brand = brand_of(0)
    brand.letter("SV_1", "EMD_1", brand.now - 40 * 86_400, became(brand, "CID_1", "Sent", -57_600))
    brand.letter("SV_1", "EMD_2", brand.now - 7200, became(brand, "CID_1", "Sent", 0))
    with serving(brand) as base:
        pull(folder, base, "distributions", account=BRAND)
        assert set(invited(folder)) == {("EMD_1", "CID_1"), ("EMD_2", "CID_1")}
        clear_delivery(folder, BRAND.stream("distributions"), FIRST)
        brand.now += 86_400
        brand.letter("SV_1", "EMD_2", brand.now - 93_600, became(brand, "CID_1", "EmailOpened", -1440, 0))
        pull(folder, base, "distributions", day_after(), account=BRAND)
    assert invited(folder, day_after()) == {("EMD_2", "CID_1"): ("Invite", "EmailOpened")}


@pytest.mark.parametrize(("request_", "fault"), [(2, "no kind"), (2, "no marker"), (3, "no status"), (3, "error page")])
def test_letters_that_are_none_fail_the_extract(folder: DataFolder, request_: int, fault: str) -> None:
    brand = brand_of(0, faults={request_: fault})
    brand.letter("SV_1", "EMD_1", brand.now - 7200, became(brand, "CID_1", "Sent", 0))
    with serving(brand) as base:
        with pytest.raises(JourneymartError, match=r"Page \d of qualtrics/distributions .* is an answer with"):
            pull(folder, base, "distributions", account=BRAND)
        pull(folder, base, "distributions", account=BRAND)
    assert set(invited(folder)) == {("EMD_1", "CID_1")}


def test_a_pull_of_letters_killed_at_any_page_goes_on(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    brand = brand_of(0, 0)
    for number in range(1, 4):
        letters = [became(brand, f"CID_{each}", "Sent", 0) for each in range(3)]
        brand.letter("SV_2", f"EMD_{number}", brand.now - 7200, *letters)
    killed_at(range(1, 30, 2), monkeypatch)
    with serving(brand) as base:
        until_it_works(lambda: pull(folder, base, "distributions", account=BRAND))
    rows = pulled(folder, "distributions", account=BRAND)
    assert len(rows) == len(invited(folder)) == 9
