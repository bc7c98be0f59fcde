"""The voice of the customer: traps by name, a second count in Python, and the law over random histories.

One warehouse, two nights: a company whose figures are counted again here from the definitions, a few traps in months of
their own, and random rows of every stream. Not here: the formulas on counts (dbt unit tests), every other mart.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dbt_harness import DbtProject, Warehouse
from hidden_recount import hidden_siblings
from random_history import random_history

from assets.text.sentiment import TextSentiment
from tests.counting.calendar import local_day, month_of
from tests.counting.differences import difference, of_share
from tests.counting.equality import same
from tests.counting.intervals import interval_of_a_share

VOICE_MARTS = (
    "bridge_feedback_theme",
    "dim_theme",
    "fct_feedback",
    "fct_survey_invitation",
    "mart_feedback_theme",
    "mart_feedback_utilisation",
    "mart_survey_funnel",
)
START = datetime(2025, 7, 1, tzinfo=UTC)
DAYS = 120

# What people write, and what anybody would say it is about: theme and, where it has one, the field it belongs to.
PHRASES: tuple[tuple[str | None, frozenset[str]], ...] = (
    (None, frozenset()),
    ("Alles bestens", frozenset()),
    ("Die LIEFERUNG wurde zu spät geliefert", frozenset({"late_delivery"})),
    ("Delivery\nby a nice courier", frozenset({"delivery"})),
    ("Staff were FRIENDLY, but the App is expensive", frozenset({"staff", "app", "price"})),
    ("La QUALITÉ est bonne, le prix aussi", frozenset({"quality", "price"})),
    ("Meine Rechnung fehlt", frozenset({"billing"})),
    ("Where is my order? I waited", frozenset({"late_delivery", "speed"})),
    ("Lampe défekt – kaputt", frozenset({"defect"})),
    ("Is there an outage?", frozenset({"outage"})),
    ("I want a refund", frozenset({"return"})),
)
REASONS: tuple[tuple[str | None, frozenset[str]], ...] = (
    (None, frozenset()),
    ("late_delivery", frozenset({"late_delivery"})),
    ("staff", frozenset({"staff"})),
    ("how_to", frozenset({"how_to"})),
)
SECRET = "zzverbatim ann.secret@example.org"
MAY = {"answered_at": "2025-05-02 12:00:00+00", "updated_at": "2025-05-02 12:00:00+00"}
ESTIMATED = TextSentiment("en", "textblob of these tests")
SURVEYS = {"relation": ("nps", 0, 10), "visit": ("csat", 1, 5), "call": ("csat", 1, 5), "staff": ("enps", 0, 10)}

Rows = dict[str, list[dict[str, Any]]]


def said(phrase: str | None) -> str | None:
    return None if phrase is None else f"{phrase} {SECRET}"


class Company:
    """What a small company hears in four months: all it knows at the end, and the two nights on which it told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.contacts = [f"c{number}" for number in range(60)]
        self.invitations = [self._invitation(number) for number in range(500)]
        self.answers = [self._answer(number) for number in range(260)]
        self.tickets = [self._ticket(number) for number in range(120)]
        self.voices = [self._voice(number) for number in range(120)]

    def nights(self) -> list[Rows]:
        """The last versions on either night, some after an older version that was wrong."""
        nights: list[Rows] = [defaultdict(list), defaultdict(list)]
        for contact in self.contacts:
            nights[self.chance.randrange(2)]["canonical.contact"].append({"contact_id": contact})
        nights[0]["canonical.survey_question"] = [question(name) for name in SURVEYS if name != "staff"]
        # That the survey called staff asks employees is known only later.
        nights[0]["canonical.survey_question"].append(question("staff", metric="nps"))
        nights[1]["canonical.survey_question"] = [question("staff", updated_at="2026-01-01 00:00:00+00")]
        for stream, records, wrong in (
            ("canonical.survey_invitation", self.invitations, {"channel": "web", "completed_at": None}),
            ("canonical.survey_answer", self.answers, {"score": 1, "comment": "staff", "contact_id": "c1"}),
            ("canonical.feedback", self.voices, {"text": "price", "occurred_at": START + timedelta(days=40)}),
            ("zendesk.tickets", self.tickets, {"subject": "outage", "status": "open"}),
        ):
            for record in records:
                final = {name: value for name, value in record.items() if not name.startswith("_")}
                nights[self.chance.randrange(2)][stream].append(final)
                if self.chance.random() < 0.25:
                    older = {**final, **wrong, "updated_at": final["updated_at"] - timedelta(minutes=1)}
                    nights[self.chance.randrange(2)][stream].append(older)
        for ticket in self.tickets:
            for place, (minutes, event) in enumerate(ticket["_events"]):
                moment = ticket["created_at"] + timedelta(minutes=minutes)
                audit = {"id": f"{ticket['id']}{place}", "ticket_id": ticket["id"], "author_id": "agent"}
                audit |= {"created_at": moment, "events": [event], "via": {"channel": "web"}}
                nights[self.chance.randrange(2)]["zendesk.ticket_audits"].append(audit)
        nights[0]["zendesk.users"] = [{"id": "agent", "role": "agent"}]
        return nights

    def _moment(self) -> datetime:
        return START + timedelta(minutes=self.chance.randrange(DAYS * 24 * 60))

    def _contact(self) -> str | None:
        return self.chance.choice((*self.contacts, None))

    def _invitation(self, number: int) -> dict[str, Any]:
        at = self._moment()
        fate = self.chance.choices(
            ("bounced", "sampled", "opened", "started", "completed", "left"), (1, 1, 5, 2, 5, 1)
        )[0]
        reached = {"opened": 1, "left": 1, "started": 2, "completed": 3}.get(fate, 0)
        return {
            "invitation_id": f"i{number}", "survey_id": self.chance.choices(tuple(SURVEYS), (8, 6, 2, 1))[0],
            "contact_id": self._contact(), "channel": self.chance.choices(("email", "sms", "web"), (8, 2, 1))[0],
            "sent_at": None if fate == "sampled" else at,
            "bounced_at": at if fate == "bounced" else None,
            "opened_at": at + timedelta(hours=1) if reached > 0 else None,
            "started_at": at + timedelta(hours=2) if reached > 1 else None,
            "completed_at": at + timedelta(hours=3) if reached > 2 else None,
            "opted_out_at": at + timedelta(hours=4) if fate == "left" else None,
            "is_sampled_out": fate == "sampled", "is_deleted": self.chance.random() < 0.04, "updated_at": at,
        }  # fmt: skip

    def _words(self) -> tuple[str | None, str | None, frozenset[str]]:
        """A text, a reason, and the themes of both: a field is not named where something in it is."""
        (text, by_text), (reason, by_reason) = self.chance.choice(PHRASES), self.chance.choice(REASONS)
        themes = by_text | by_reason
        return said(text), reason, themes - {"delivery"} if "late_delivery" in themes else themes

    def _answer(self, number: int) -> dict[str, Any]:
        survey = self.chance.choices(tuple(SURVEYS), (6, 5, 2, 2))[0]
        _, low, high = SURVEYS[survey]
        text, reason, themes = self._words()
        at = self._moment()
        return {
            "answer_id": f"a{number}", "survey_id": survey, "question_id": "q", "contact_id": self._contact(),
            "score": self.chance.choice((None, *range(low, high + 1))), "comment": text, "reason": reason,
            "language": self.chance.choice(("de", "EN-gb", None)), "is_test": self.chance.random() < 0.05,
            "is_anonymous": self.chance.random() < 0.1, "answered_at": at, "updated_at": at, "_themes": themes,
        }  # fmt: skip

    def _voice(self, number: int) -> dict[str, Any]:
        text, _, themes = next(words for words in iter(self._words, None) if words[1] is None)
        at = self._moment()
        return {
            "feedback_id": f"v{number}", "source_type": self.chance.choice(("review", "social", "form", "employee")),
            "contact_id": self._contact(), "score": self.chance.choice((None, 1, 2, 3, 4, 5)), "scale_min": 1,
            "scale_max": 5, "text": text, "occurred_at": at, "updated_at": at, "_themes": themes,
            "responded_at": at + timedelta(days=1) if self.chance.random() < 0.3 else None,
        }  # fmt: skip

    def _ticket(self, number: int) -> dict[str, Any]:
        text, reason, themes = self._words()
        answered, solved, ours = (self.chance.random() < share for share in (0.7, 0.5, 0.1))
        created = self._moment()
        events: list[tuple[int, dict[str, Any]]] = []
        if answered:
            events.append((30, {"type": "Comment", "public": True, "body": SECRET}))
        if solved:
            events.append((60, {"type": "Change", "field_name": "status", "previous_value": "open", "value": "solved"}))
        return {
            "id": f"90{number:04}", "requester_id": f"u{number % 50}", "via": {"channel": "email"},
            "submitter_id": "agent" if ours else f"u{number % 50}",
            "subject": text, "description": None, "tags": [f"topic_{reason}"] if reason else [], "created_at": created,
            "status": self.chance.choice(("solved", "closed")) if solved else "open",
            "updated_at": created + timedelta(hours=2), "_themes": themes, "_events": events,
        }  # fmt: skip


def question(name: str, **more: object) -> dict[str, Any]:
    metric, low, high = SURVEYS[name]
    about = {"survey_id": name, "question_id": "q", "survey_name": name.title(), "metric": metric, "scale_min": low}
    rest = {"scale_max": high, "scale_direction": "high_is_good", "survey_kind": "transactional"}
    return about | rest | {"updated_at": "2025-01-01 00:00:00+00"} | more


def trap(name: str, **more: object) -> dict[str, Any]:
    """An answer of March, where nothing else happens."""
    about = {"answer_id": name, "survey_id": "visit", "question_id": "q", "score": 5, "contact_id": "c1"}
    return about | {"answered_at": "2025-03-01 12:00:00+00", "updated_at": "2025-03-01 12:00:00+00"} | more


def asked(name: str, **more: object) -> dict[str, Any]:
    about = {"invitation_id": name, "survey_id": "visit", "contact_id": "c1", "channel": "email"}
    return about | {"sent_at": "2025-03-01 10:00:00+00", "updated_at": "2025-03-01 12:00:00+00"} | more


TRAPS: tuple[Rows, Rows] = (
    {
        "canonical.survey_answer": [
            trap("english", score=5, comment="a terrible app", language="EN-gb", **MAY),
            trap("german", score=1, comment="super, alles fantastic", language="de", **MAY),
            trap("unlabelled", score=3, comment="very friendly staff", **MAY),
            trap("anonymous", is_anonymous=True, invitation_id="secret", comment=said("rude staff")),
            trap("edited", comment="friendly staff"),
            trap("skipped", score=None),
            trap("wordy", score=None, comment="the price"),
            trap("two", comment="Preis und App"),
            *(trap(f"open{place}", channel="qr", is_anonymous=True) for place in range(40)),
            *(trap(f"april{place}", is_anonymous=True, answered_at="2025-04-01 12:00:00+00") for place in range(8)),
            trap("colleague", survey_id="mixed", contact_id="colleague"),
        ],
        "canonical.contact": [{"contact_id": "colleague"}],
        "canonical.survey_question": [question("visit", survey_id="mixed")],
        "canonical.survey_invitation": [
            asked("secret", completed_at="2025-03-01 12:00:00+00"),
            asked("bounced", contact_id="c2", bounced_at="2025-03-01 10:01:00+00"),
            asked("open", channel="qr"),
            asked("named", contact_id="c3", sent_at="2025-05-02 10:00:00+00"),
            asked("first", contact_id="c4", sent_at="2025-05-02 10:00:00+00", bounced_at="2025-05-02 10:00:00+00"),
            asked("again", contact_id="c4", sent_at="2025-05-09 10:00:00+00", completed_at="2025-05-10 10:00:00+00"),
            asked("hidden", contact_id="c5", sent_at="2025-05-02 10:00:00+00"),
            *(asked(f"m{place}", contact_id=f"c{place}", sent_at="2025-04-02 10:00:00+00") for place in range(8)),
            *(
                asked(
                    f"b{place}",
                    contact_id=f"c{10 + place}",
                    sent_at="2025-04-02 10:00:00+00",
                    bounced_at="2025-04-02 10:00:00+00",
                )
                for place in range(8)
            ),
            *(
                asked(
                    f"d{place}",
                    contact_id=f"c{20 + place}",
                    sent_at="2025-04-02 10:00:00+00",
                    completed_at="2025-04-03 10:00:00+00",
                )
                for place in range(8)
            ),
        ],
    },
    {
        "canonical.survey_answer": [
            trap("edited", score=1, comment="too slow", updated_at="2025-03-09 12:00:00+00"),
            *(trap(f"late{place}", is_anonymous=True, comment="the price") for place in range(20)),
            trap("names", invitation_id="named", contact_id="c3", answered_at="2025-05-03 10:00:00+00"),
            trap("secret", invitation_id="whispered", is_anonymous=True, answered_at="2025-05-11 10:00:00+00"),
        ],
        "canonical.survey_invitation": [asked("whispered", contact_id="c5", sent_at="2025-05-09 10:00:00+00")],
        "canonical.survey_question": [question("staff", survey_id="mixed", question_id="recommend")],
    },
)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company(11)


@pytest.fixture(scope="module")
def marts(company: Company, dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    select = "mart_survey_funnel mart_feedback_theme mart_feedback_utilisation"
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("voice"), select, text_sentiment=ESTIMATED)
    noise = random_history(random.Random(5), 2, rows_per_stream=6)  # noqa: S311
    for night in zip(company.nights(), TRAPS, noise, strict=True):
        rows: Rows = defaultdict(list)
        for stream, delivered in chain.from_iterable(part.items() for part in night):
            rows[stream].extend(delivered)
        warehouse.night(rows, as_of=warehouse.as_of + timedelta(days=40))
    return warehouse


def feedback(marts: Warehouse, answer: str) -> dict[str, Any]:
    (row,) = marts.rows(
        "select f.* from cx_marts.main.fct_feedback f join intermediate.int_survey_answer__unioned a "
        "on f.source_object = 'survey_answer' and a.survey_answer_key = f.source_ref where a.answer_id = ?",
        answer,
    )
    return row


def themes(marts: Warehouse, answer: str) -> dict[str, float]:
    rows = marts.rows(
        "select theme, weight from cx_marts.main.bridge_feedback_theme join cx_marts.main.dim_theme using (theme_key) "
        "where feedback_key = ?",
        feedback(marts, answer)["feedback_key"],
    )
    return {row["theme"]: row["weight"] for row in rows}


def invitation(marts: Warehouse, name: str) -> dict[str, Any]:
    (row,) = marts.rows(
        "select f.* from cx_marts.main.fct_survey_invitation f join intermediate.int_survey_invitation__unioned i "
        "on i.survey_invitation_key = f.invitation_key where i.invitation_id = ?",
        name,
    )
    return row


def funnel(marts: Warehouse, month: date) -> dict[str, Any]:
    (row,) = marts.rows(
        "select * from cx_marts.main.mart_survey_funnel "
        "where month_start = ? and survey_name = 'Visit' and channel = 'all'",
        month,
    )
    return row


def test_an_anonymous_answer_is_nobodys_and_so_is_the_invitation_it_came_of(marts: Warehouse) -> None:
    assert feedback(marts, "anonymous")["customer_key"] == -1
    assert invitation(marts, "secret")["customer_key"] == -1
    assert invitation(marts, "bounced")["customer_key"] != -1


def test_an_answer_that_names_its_invitation_completes_it_the_night_it_comes(marts: Warehouse) -> None:
    assert invitation(marts, "named")["is_completed"]


def test_what_came_of_a_reminder_is_told_of_the_invitation_it_reminds_of(marts: Warehouse) -> None:
    first, again = invitation(marts, "first"), invitation(marts, "again")
    assert (first["is_counted"], first["is_delivered"], first["is_completed"]) == (True, True, True)
    assert (again["is_counted"], again["exclusion_reason"]) == (False, "reminder")


def test_a_reminder_with_an_anonymous_answer_leaves_nobodys_invitation_behind(marts: Warehouse) -> None:
    """The first letter was the customer's until the reminder to it was answered by nobody."""
    assert [invitation(marts, name)["customer_key"] for name in ("hidden", "whispered")] == [-1, -1]
    assert invitation(marts, "hidden")["is_completed"]


def test_a_late_edit_of_an_answer_changes_its_mood_and_theme(marts: Warehouse) -> None:
    assert feedback(marts, "edited")["sentiment"] == "negative"
    assert themes(marts, "edited") == {"speed": 1}


def test_bounced_invitations_are_not_in_the_denominator_of_the_response_rate(marts: Warehouse) -> None:
    row = funnel(marts, date(2025, 4, 1))
    assert (row["invited"], row["bounced"], row["delivered"], row["completed"]) == (24, 8, 16, 8)
    assert (row["response_rate"], row["rr1_like"]) == (50, pytest.approx(100 / 3, abs=1e-4))


def test_answers_by_open_link_have_no_response_rate(marts: Warehouse) -> None:
    assert invitation(marts, "open")["exclusion_reason"] == "open_link"
    assert funnel(marts, date(2025, 3, 1))["is_suppressed"]
    march = "date_key between 20250301 and 20250331 and is_counted"
    assert marts.values(f"select count(*) from cx_marts.main.fct_survey_invitation where {march}") == [2]


def test_a_skipped_question_is_no_feedback_unless_something_was_written(marts: Warehouse) -> None:
    assert feedback(marts, "skipped")["exclusion_reason"] == "no_score"
    wordy = feedback(marts, "wordy")
    assert (wordy["is_counted"], wordy["has_text"], wordy["sentiment"]) == (True, True, None)


def estimate(marts: Warehouse, answer: str) -> tuple[str, str | None, float | None, str | None]:
    row = feedback(marts, answer)
    return row["sentiment"], row["estimated_sentiment"], row["estimated_polarity"], row["estimated_by"]


def test_what_is_estimated_from_words_stands_beside_the_mood_of_the_score_and_is_marked(marts: Warehouse) -> None:
    assert estimate(marts, "english") == ("positive", "negative", -1, ESTIMATED.method)
    assert estimate(marts, "unlabelled")[:2] == ("neutral", "positive")


def test_words_of_another_language_than_the_library_knows_are_not_estimated(marts: Warehouse) -> None:
    assert estimate(marts, "german") == ("negative", None, None, None)


def test_a_late_edit_of_the_words_is_estimated_anew(marts: Warehouse) -> None:
    assert estimate(marts, "edited")[1] == "negative"


def test_two_themes_share_an_item(marts: Warehouse) -> None:
    assert themes(marts, "two") == {"price": 0.5, "app": 0.5}
    sums = marts.rows(
        "select feedback_key from cx_marts.main.bridge_feedback_theme group by 1 having abs(sum(weight) - 1) > 1e-9"
    )
    assert sums == []


def test_what_employees_say_is_no_customers_and_in_no_figure_of_customers(marts: Warehouse, company: Company) -> None:
    since_july = "source_type = 'employee' and date_key between 20250701 and 20251231"
    employees = marts.rows(f"select * from cx_marts.main.fct_feedback where {since_july}")
    expected = [row for row in company.answers if row["survey_id"] == "staff"]
    expected += [row for row in company.voices if row["source_type"] == "employee"]
    assert len(employees) == len(expected)
    assert {row["customer_key"] for row in employees} == {-1}
    assert marts.values(
        "select count(*) from cx_marts.main.fct_survey_invitation where is_employee and customer_key <> -1"
    ) == [0]


def test_a_survey_found_to_ask_employees_takes_all_its_answers_from_the_customers(marts: Warehouse) -> None:
    row = feedback(marts, "colleague")
    assert (row["source_type"], row["customer_key"]) == ("employee", -1)


def test_what_arrives_late_for_a_month_changes_the_comparison_of_the_next(marts: Warehouse) -> None:
    (row,) = marts.rows(
        "select * from cx_marts.main.mart_feedback_theme "
        "where month_start = date '2025-04-01' and voice = 'customer' and theme = 'unthemed'"
    )
    # March has the 40 by open link and 4 with themes that count at first, 20 more later.
    assert row["previous_mention_rate"] == pytest.approx(100 * 40 / 64, abs=1e-4)


def test_no_word_of_a_verbatim_is_in_the_public_file(marts: Warehouse) -> None:
    columns = marts.rows(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where database_name = 'cx_marts' and data_type like '%VARCHAR%'"
    )
    assert {"fct_feedback", "bridge_feedback_theme"} <= {column["table_name"] for column in columns}
    texts = " union ".join(
        f"select '{table}.{name}' as place, \"{name}\" as text from cx_marts.{schema}.{table}"
        for schema, table, name in (tuple(column.values()) for column in columns)
    )
    planted = "zzverbatim|secret|rechnung|nice courier|rude staff"
    assert marts.values(f"select distinct place from ({texts}) where regexp_matches(text, '{planted}', 'i')") == []


def test_any_order_of_nights_makes_the_voice_of_one_full_rebuild(marts: Warehouse) -> None:
    tables = [*(f"cx_marts.main.{table}" for table in VOICE_MARTS), "intermediate.int_feedback__words"]
    assert marts.differences(marts.rebuilt(), tables) == {}


def rows_of(marts: Warehouse, mart: str) -> list[dict[str, Any]]:
    """The months of the company: traps and random rows have others."""
    return marts.rows(f"select * from cx_marts.main.{mart} where month_start between '2025-07-01' and '2025-11-30'")


def survey_keys(marts: Warehouse) -> dict[str, str]:
    """The key of each survey as text: members of one size are put in order by it."""
    rows = marts.rows("select distinct survey_id, survey_key from cx_marts.main.fct_survey_invitation")
    return {row["survey_id"]: str(row["survey_key"]) for row in rows}


def people_asked(letters: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The invitations, each with what came of its reminders, from what a reminder is."""
    letters = sorted((row for row in letters if not row["is_deleted"]), key=lambda row: row["updated_at"])
    rounds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in letters:
        if row["is_sampled_out"]:
            yield row
            continue
        about = (row["survey_id"], row["contact_id"] or row["invitation_id"])
        sent = rounds.get(about, [])
        answers = [letter["completed_at"] for letter in sent if letter["completed_at"]]
        is_reminder = bool(sent) and row["sent_at"] - sent[-1]["sent_at"] <= timedelta(days=14)
        if is_reminder and not any(sent[-1]["sent_at"] <= at <= row["sent_at"] for at in answers):
            sent.append(row)
        else:
            if sent:
                yield told_together(sent)
            rounds[about] = [row]
    yield from (told_together(sent) for sent in rounds.values())


def told_together(sent: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A round of letters as one: each moment the first of all, and it came back only if all did."""
    moments = {
        name: min((row[name] for row in sent if row[name]), default=None)
        for name in ("opened_at", "started_at", "completed_at", "opted_out_at")
    }
    came_back = all(row["bounced_at"] for row in sent)
    return {**sent[0], **moments, "bounced_at": sent[0]["bounced_at"] if came_back else None}


def test_the_funnel_is_what_the_invitations_say(marts: Warehouse, company: Company) -> None:
    table = pd.DataFrame(people_asked(company.invitations))
    assert len(table) < sum(not row["is_deleted"] for row in company.invitations)
    table["month"] = [month_of(local_day(at)) for at in table["updated_at"]]
    # Of employees nobody is known, and of the others only those with a contact.
    table["person"] = [
        contact if isinstance(contact, str) and survey != "staff" else place
        for place, (contact, survey) in enumerate(zip(table["contact_id"], table["survey_id"], strict=True))
    ]
    invited = ~table["is_sampled_out"].astype(bool)
    table["invited"], table["sampled_out"] = invited, ~invited
    table["delivered"] = invited & table["bounced_at"].isna()
    for name in ("bounced", "opened", "started", "completed", "opted_out"):
        table[name] = invited & table[f"{name}_at"].notna()
    table["partial"] = table["started"] & ~table["completed"]
    counts = [
        "invited",
        "sampled_out",
        "delivered",
        "bounced",
        "opened",
        "started",
        "completed",
        "partial",
        "opted_out",
    ]
    keys = survey_keys(marts)
    published = {
        (row["month_start"], str(row["survey_key"]) if row["survey_key"] != -1 else "all", row["channel"]): row
        for row in rows_of(marts, "mart_survey_funnel")
    }
    expected: dict[tuple[date, str, str], pd.DataFrame] = {}
    hidden: set[tuple[date, str, str]] = set()
    for month, rows in table.groupby("month"):
        customers = rows[rows["survey_id"] != "staff"]
        by_survey = {keys[str(survey)]: group for survey, group in rows.groupby("survey_id")}
        people = {key: group["person"].nunique() for key, group in by_survey.items() if key != keys["staff"]}
        small = hidden_siblings(people | {"all": customers["person"].nunique()}, ())
        if keys["staff"] in by_survey:
            small |= hidden_siblings({keys["staff"]: by_survey[keys["staff"]]["person"].nunique()}, (), 10)
        pools: dict[str, set[str]] = defaultdict(set)
        for key, group in by_survey.items():
            expected[month, key, "all"] = group
            parts = {str(name): part for name, part in group.groupby("channel")}
            sizes = {name: part["person"].nunique() for name, part in parts.items()}
            least = 10 if key == keys["staff"] else 5
            gone = hidden_siblings(sizes, sizes if key in small else (), least)
            hidden |= {(month, key, name) for name in gone}
            if key != keys["staff"]:
                pools["all" if key in small else key] |= gone
            expected |= {(month, key, name): part for name, part in parts.items()}
        columns = {str(name): part for name, part in customers.groupby("channel")} | {"all": customers}
        cut = {name for pool in pools.values() if len(pool) > 1 for name in pool} | (small & {"all"})
        gone = hidden_siblings({name: part["person"].nunique() for name, part in columns.items()}, cut)
        expected |= {(month, "all", name): part for name, part in columns.items()}
        hidden |= {(month, key, "all") for key in small if key != "all"} | {(month, "all", name) for name in gone}
    assert set(published) == set(expected)
    assert hidden
    assert {cell for cell, row in published.items() if row["is_suppressed"]} == hidden
    for cell, rows in expected.items():
        row = published[cell]
        if cell in hidden:
            assert {row[name] for name in (*counts, "response_rate", "ci_low", "ci_high", "rr1_like")} == {None}
            continue
        numbers = {name: int(rows[name].sum()) for name in counts}
        assert {name: row[name] for name in counts} == numbers, cell
        ends = interval_of_a_share(numbers["completed"], numbers["delivered"]) if numbers["delivered"] else (None, None)
        rate = 100 * numbers["completed"] / numbers["delivered"] if numbers["delivered"] else None
        rr1 = 100 * numbers["completed"] / numbers["invited"] if numbers["invited"] else None
        assert same(row["response_rate"], rate) and same(row["rr1_like"], rr1), cell
        assert same(row["ci_low"], ends[0]) and same(row["ci_high"], ends[1]), cell


def test_no_hidden_cell_of_the_funnel_can_be_computed_from_the_others(marts: Warehouse) -> None:
    """Every equation the shown cells make, at once; a hidden channel of all surveys may be known, its parts may not."""
    rows = marts.rows("select * from cx_marts.main.mart_survey_funnel where not is_employee")
    attacked = 0
    for month in {row["month_start"] for row in rows}:
        cells = {
            (row["survey_key"], row["channel"]): row["is_suppressed"] for row in rows if row["month_start"] == month
        }
        leaves = [cell for cell in cells if cell[0] != -1 and cell[1] != "all"]
        sums = {cell: [cell[0] in (-1, leaf[0]) and cell[1] in ("all", leaf[1]) for leaf in leaves] for cell in cells}
        shown = np.array(
            [sums[cell] for cell, is_hidden in cells.items() if not is_hidden] or [[False] * len(leaves)], float
        )
        for cell, is_hidden in cells.items():
            if is_hidden and cell[0] != -1:
                attacked += 1
                known = np.linalg.matrix_rank(np.vstack([shown, sums[cell]])) == np.linalg.matrix_rank(shown)
                assert not known, (month, cell)
    assert attacked > 0


def items_of(company: Company) -> pd.DataFrame:
    """What counts as feedback, with who said it, what it is about and how good it is."""
    items: list[dict[str, Any]] = []
    for row in company.answers:
        metric, low, high = SURVEYS[row["survey_id"]]
        contact = None if row["is_anonymous"] or metric == "enps" else row["contact_id"]
        if not row["is_test"] and (row["score"] is not None or row["comment"] or row["reason"]):
            about = {"source": "employee" if metric == "enps" else "survey", "scale": f"{metric} {low}-{high}"}
            norm = None if row["score"] is None else (row["score"] - low) / (high - low)
            items.append(about | {"at": row["answered_at"], "person": contact, "norm": norm, "themes": row["_themes"]})
    for row in company.voices:
        if row["score"] is not None or row["text"]:
            source = row["source_type"]
            contact = None if source == "employee" else row["contact_id"]
            norm = None if row["score"] is None else (row["score"] - 1) / 4
            about = {"source": source, "scale": f"{source} 1-5", "responded": row["responded_at"] is not None}
            items.append(about | {"at": row["occurred_at"], "person": contact, "norm": norm, "themes": row["_themes"]})
    for row in company.tickets:
        if row["submitter_id"] != "agent":
            kinds = {event["type"] for _, event in row["_events"]}
            about = {"source": "ticket", "responded": "Comment" in kinds, "actioned": "Change" in kinds}
            items.append(about | {"at": row["created_at"], "themes": row["_themes"]})
    table = pd.DataFrame(items)
    table["month"] = [month_of(local_day(at)) for at in table["at"]]
    table["voice"] = np.where(table["source"] == "employee", "employee", "customer")
    table["linked"] = table["person"].notna()
    table["person"] = table["person"].where(table["linked"], table.index.to_series())
    table["themed"] = [len(found) > 0 for found in table["themes"]]
    for name in ("responded", "actioned"):
        table[name] = table[name].fillna(False).astype(bool)
    table["used"] = table["responded"] | table["actioned"]
    return table


def test_themes_are_what_people_would_say_they_are(marts: Warehouse, company: Company) -> None:
    items = items_of(company)
    key_of = {
        row["theme"]: str(row["theme_key"])
        for row in marts.rows("select theme, theme_key from cx_marts.main.dim_theme")
    }
    published = {(row["month_start"], row["voice"], row["theme"]): row for row in rows_of(marts, "mart_feedback_theme")}
    rates: dict[tuple[date, str, str], tuple[int, int]] = {}
    shown: dict[tuple[date, str], dict[str, float]] = {}
    seen = set()
    for (month, voice), rows in items.groupby(["month", "voice"]):
        least = 10 if voice == "employee" else 5
        mentions = [
            {
                "theme": theme,
                "weight": 1 / max(1, len(row.themes)),
                "person": row.person,
                "norm": row.norm,
                "scale": row.scale,
            }
            for row in rows.itertuples()
            for theme in (row.themes or {"unthemed"})
        ]
        by_theme = {str(theme): group for theme, group in pd.DataFrame(mentions).groupby("theme")}
        people = {key_of[theme]: group["person"].nunique() for theme, group in by_theme.items()}
        hidden = hidden_siblings(people, people if rows["person"].nunique() < least else (), least)
        shown[month, voice] = {}
        for theme, group in by_theme.items():
            cell = (month, voice, theme)
            row = published[cell]
            seen.add(cell)
            assert row["is_suppressed"] == (key_of[theme] in hidden), cell
            if row["is_suppressed"]:
                figures = (
                    "items",
                    "weighted_items",
                    "share",
                    "theme_rank",
                    "cumulative_share",
                    "mention_rate",
                    "difference",
                    "scores",
                )
                assert {row[name] for name in figures} == {None}
                continue
            rates[cell] = (len(group), len(rows))
            shown[month, voice][theme] = float(group["weight"].sum())
            assert (row["all_items"], row["items"]) == (len(rows), len(group))
            assert same(row["share"], 100 * group["weight"].sum() / len(rows)), cell
            scored = group[group["norm"].notna()].groupby("scale")
            best = min(((-len(part), str(scale)) for scale, part in scored), default=None)
            part = None if best is None else scored.get_group(best[1])
            if part is not None and part["person"].nunique() >= least:
                assert (row["score_scale"], row["scores"]) == (best[1], len(part)), cell
                assert same(row["score_mean"], part["norm"].mean()), cell
            else:
                assert row["score_mean"] is None, cell
    assert seen == set(published)
    check_order(published, shown, key_of)
    check_changes(published, rates, items, marts.as_of)


def check_order(
    published: dict[Any, dict[str, Any]], shown: dict[Any, dict[str, float]], key_of: dict[str, str]
) -> None:
    for (month, voice), weights in shown.items():
        order = sorted(
            (theme for theme in weights if theme != "unthemed"),
            key=lambda theme: (-round(weights[theme], 6), int(key_of[theme])),
        )
        total = 0.0
        for place, theme in enumerate(order, start=1):
            row = published[month, voice, theme]
            total += row["share"]
            assert row["theme_rank"] == place
            assert row["cumulative_share"] == pytest.approx(total, abs=1e-3)


def check_changes(
    published: dict[Any, dict[str, Any]], rates: dict[Any, tuple[int, int]], items: pd.DataFrame, as_of: date
) -> None:
    """Of months that are over against the one before, where that is shown; what nobody named was in none of it."""
    compared = 0
    for (month, voice, theme), (part, whole) in rates.items():
        row = published[month, voice, theme]
        before = (month - timedelta(days=1)).replace(day=1)
        earlier = items[(items["month"] == before) & (items["voice"] == voice)]
        enough = earlier["person"].nunique() >= (10 if voice == "employee" else 5)
        part_before, whole_before = rates.get((before, voice, theme), (0, len(earlier)))
        is_over = (month + timedelta(days=31)).replace(day=1) <= as_of + timedelta(days=1)
        if not is_over or not enough or published.get((before, voice, theme), {}).get("is_suppressed"):
            assert row["difference"] is None
            continue
        compared += 1
        now, then = 100 * part / whole, 100 * part_before / whole_before
        low, high = difference(of_share(part, whole), of_share(part_before, whole_before), now - then, 100)
        assert same(row["difference"], now - then)
        assert same(row["difference_ci_low"], low) and same(row["difference_ci_high"], high)
        assert row["is_changed"] == (low > 0 or high < 0)
    assert compared > 0


def test_use_of_feedback_is_counted_from_what_was_answered_and_solved(marts: Warehouse, company: Company) -> None:
    published = {(row["month_start"], row["source_type"]): row for row in rows_of(marts, "mart_feedback_utilisation")}
    seen = set()
    for month, rows in items_of(company).groupby("month"):
        groups = {
            "all": rows[rows["voice"] == "customer"],
            **{str(source): part for source, part in rows.groupby("source")},
        }
        people = {source: part["person"].nunique() for source, part in groups.items() if source != "employee"}
        hidden = hidden_siblings(people, ())
        if "employee" in groups and len(groups["employee"]) < 10:
            hidden.add("employee")
        for source, part in groups.items():
            row = published[month, source]
            seen.add((month, source))
            assert row["is_suppressed"] == (source in hidden), (month, source)
            for name in ("linked", "themed", "responded", "actioned", "used"):
                assert row[name] == (None if source in hidden else int(part[name].sum())), (month, source, name)
    assert seen == set(published)
