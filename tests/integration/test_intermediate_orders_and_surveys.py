"""int_order__unioned and int_survey_answer__unioned on what vendors deliver. Not here: the marts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from dbt_harness import DbtProject, Warehouse

ORDERS = "int_order__unioned"
ANSWERS = "int_survey_answer__unioned"
JUDGED = "int_survey_answer__judged"


def amounts(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values())
        for row in warehouse.rows(
            "select order_id, item_amount, freight_amount, payment_amount "
            "from intermediate.int_order__unioned order by order_id"
        )
    ]


def test_an_order_without_items_has_no_amount_rather_than_nothing(warehouse: Warehouse) -> None:
    warehouse.night({"olist.orders": [{"order_id": "1"}]}, ORDERS)
    assert amounts(warehouse) == [("1", None, None, None)]


def test_late_items_payments_and_customers_reach_their_order(warehouse: Warehouse) -> None:
    warehouse.night({"olist.orders": [{"order_id": "1", "customer_id": "c"}, {"order_id": "2"}]}, ORDERS)
    item = {"order_id": "1", "freight_value": "2.50"}
    warehouse.night(
        {
            "olist.order_items": [
                {**item, "order_item_id": 1, "price": "10.10"},
                {**item, "order_item_id": 2, "price": 5},
            ]
        }
    )
    warehouse.night({"olist.order_payments": [{"order_id": "1", "payment_sequential": 1, "payment_value": "20.10"}]})
    warehouse.night({"olist.customers": [{"customer_id": "c", "customer_unique_id": "person"}]})
    assert amounts(warehouse) == [
        ("1", Decimal("15.10"), Decimal("5.00"), Decimal("20.10")),
        ("2", None, None, None),
    ]
    assert warehouse.values("select contact_id from intermediate.int_order__unioned order by order_id") == [
        "person",
        None,
    ]
    warehouse.night({"olist.order_items": [{"order_id": "1", "order_item_id": 2, "_op": "delete"}]})
    assert amounts(warehouse)[0] == ("1", Decimal("10.10"), Decimal("2.50"), Decimal("20.10"))


def test_a_deal_is_bought_when_its_history_says_else_on_its_closing_day(warehouse: Warehouse) -> None:
    won = {"StageName": "Closed Won", "IsClosed": True, "IsWon": True, "CloseDate": "2026-03-01"}
    change = {"Id": "h", "StageName": "Closed Won"}
    at = "2026-02-27 08:00:00+00"
    warehouse.night(
        {
            "salesforce.opportunity": [
                {"Id": "1", **won},
                {"Id": "2", **won},
                {"Id": "3", "IsClosed": True, "StageName": "Closed Lost"},
                {"Id": "4", "StageName": "Proposal"},
            ],
            "salesforce.opportunity_history": [{**change, "OpportunityId": "1", "CreatedDate": at, "_row": 1}],
        },
        ORDERS,
    )
    bought = (
        "select order_id, status, strftime(ordered_at, '%d %H:%M') "
        "from intermediate.int_order__unioned order by order_id"
    )
    assert [tuple(row.values()) for row in warehouse.rows(bought)][:2] == [
        ("1", "completed", "27 08:00"),
        ("2", "completed", "01 11:00"),
    ]  # A day has no time: noon in Berlin.
    assert warehouse.values("select status from intermediate.int_order__unioned order by order_id")[2:] == [
        "lost",
        "open",
    ]
    # The same change of stage, corrected to be about the other deal.
    warehouse.night({"salesforce.opportunity_history": [{**change, "OpportunityId": "2", "CreatedDate": at}]})
    assert [tuple(row.values()) for row in warehouse.rows(bought)][:2] == [
        ("1", "completed", "01 11:00"),
        ("2", "completed", "27 08:00"),
    ]


def deal(identifier: str, outcome: str, close_date: str, version: str, **more: object) -> dict[str, Any]:
    """A version of a deal, of the day it names."""
    stage = {"won": "Closed Won", "lost": "Closed Lost"}.get(outcome, "Proposal")
    flags = {"IsClosed": outcome != "open", "IsWon": outcome == "won", "StageName": stage}
    at = f"{version} 09:00:00+00"
    return {"Id": identifier, **flags, "CloseDate": close_date, "CreatedDate": "2026-01-01 00:00:00+00",
            "SystemModstamp": at, "_version_at": at, **more}  # fmt: skip


def stage(identifier: str, opportunity: str, name: str, at: str) -> dict[str, Any]:
    return {"Id": identifier, "OpportunityId": opportunity, "StageName": name, "CreatedDate": f"{at} 09:00:00+00"}


def bought_on(warehouse: Warehouse) -> dict[str, str]:
    rows = warehouse.rows(
        "select order_id, strftime(ordered_at, '%m-%d') as day from intermediate.int_order__unioned order by 1"
    )
    return {row["order_id"]: row["day"] for row in rows}


def test_a_deal_stays_on_the_day_it_was_closed_for_good_whatever_is_edited_after(warehouse: Warehouse) -> None:
    """The first row of the last unbroken run of the stage; without a history, the closing day it had then."""
    edited = [deal("edited", "won", "2026-01-15", "2026-01-15"), deal("edited", "won", "2026-03-30", "2026-03-30")]
    again = [
        deal("again", "won", "2026-01-10", "2026-01-10"),
        deal("again", "open", "2026-02-10", "2026-01-20"),
        deal("again", "won", "2026-02-12", "2026-02-12"),
        deal("again", "won", "2026-03-01", "2026-03-01"),
    ]
    warehouse.night(
        {
            "salesforce.opportunity": [
                *edited,
                *again,
                deal("told", "won", "2026-01-31", "2026-03-30"),
                deal("reopened", "won", "2026-01-31", "2026-03-30"),
                deal("cut", "won", "2026-01-15", "2026-03-30"),
                deal("behind", "won", "2026-01-15", "2026-03-30"),
            ],
            "salesforce.opportunity_history": [
                stage("h1", "told", "Proposal", "2026-01-02"),
                stage("h2", "told", "Closed Won", "2026-01-20"),
                stage("h3", "told", "Closed Won", "2026-03-30"),
                stage("h4", "reopened", "Closed Won", "2026-01-05"),
                stage("h5", "reopened", "Proposal", "2026-01-25"),
                stage("h6", "reopened", "Closed Won", "2026-02-05"),
                stage("h7", "reopened", "Closed Won", "2026-03-30"),
                stage("h8", "cut", "Closed Won", "2026-03-30"),
                stage("h9", "behind", "Proposal", "2026-01-02"),
            ],
        },
        ORDERS,
    )
    days = {
        "edited": "01-15",
        "again": "02-12",
        "told": "01-20",
        "reopened": "02-05",
        "cut": "01-15",
        "behind": "01-15",
    }
    assert bought_on(warehouse) == days
    # Another edit, and a row of the history that comes late.
    warehouse.night(
        {
            "salesforce.opportunity": [deal("edited", "won", "2026-04-01", "2026-04-01", Amount=900)],
            "salesforce.opportunity_history": [stage("h0", "behind", "Closed Won", "2026-01-14")],
        }
    )
    assert bought_on(warehouse) == {**days, "behind": "01-14"}
    assert warehouse.differences(warehouse.rebuilt(), ["intermediate.int_order__unioned"]) == {}


def test_an_order_of_an_account_is_of_the_one_customer_the_account_had_then(warehouse: Warehouse) -> None:
    """Whoever joins or leaves the account later changes no order of before."""
    order = {"status": "completed", "ordered_at": "2026-02-01 00:00:00+00"}
    ann = {"contact_id": "ann", "account_id": "one", "created_at": "2026-01-01 00:00:00+00"}
    warehouse.night(
        {
            "canonical.contact": [
                ann,
                {"contact_id": "bob", "account_id": "two", "created_at": "2026-01-01 00:00:00+00"},
                {"contact_id": "cid", "account_id": "two", "created_at": "2026-01-02 00:00:00+00"},
                {"contact_id": "dan", "account_id": "late", "created_at": "2026-03-01 00:00:00+00"},
            ],
            "canonical.order": [
                {"order_id": "of one", "account_id": "one", **order},
                {"order_id": "of two", "account_id": "two", **order},
                {"order_id": "of late", "account_id": "late", **order},
                {"order_id": "of none", "account_id": "none", **order},
                {"order_id": "lost name", "contact_id": "eve", "account_id": "one", **order},
                {"order_id": "nameless", **order},
            ],
        },
        "int_order__customer int_order__unioned map_customer_identity",
    )
    found = {
        "lost name": (None, "unknown_contact"), "nameless": (None, "names_nobody"), "of late": ("dan", None),
        "of none": (None, "account_of_nobody"), "of one": ("ann", None), "of two": (None, "account_of_several"),
    }  # fmt: skip
    assert owners(warehouse) == found
    warehouse.night(
        {
            "canonical.contact": [
                {**ann, "account_id": "two", "updated_at": "2026-05-01 00:00:00+00"},
                {"contact_id": "fay", "account_id": "one", "created_at": "2026-04-01 00:00:00+00"},
                {"contact_id": "gus", "account_id": "late", "created_at": "2026-04-01 00:00:00+00"},
            ]
        }
    )
    assert owners(warehouse) == found


def owners(warehouse: Warehouse) -> dict[str, tuple[str | None, str | None]]:
    rows = warehouse.rows(
        "select orders.order_id, contacts.contact_id, owners.no_customer_reason "
        "from intermediate.int_order__customer as owners "
        "join intermediate.int_order__unioned as orders using (order_key) "
        "left join intermediate.map_customer_identity as contacts on contacts.customer_key = owners.customer_key"
    )
    return {row["order_id"]: (row["contact_id"], row["no_customer_reason"]) for row in rows}


def question(identifier: str, metric: str, modified: str = "2026-01-01 00:00:00+00") -> dict[str, Any]:
    scale = {"scale_min": 0, "scale_max": 10} if metric != "reason" else {}
    return {"survey_id": "s", "question_id": identifier, "metric": metric, "last_modified": modified, **scale}


def response(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"ResponseId": identifier, "SurveyId": "s", "QID1": "9", **columns}


def scores(warehouse: Warehouse) -> dict[str, float | None]:
    rows = warehouse.rows("select answer_id, score from intermediate.int_survey_answer__unioned")
    return {row["answer_id"]: row["score"] for row in rows}


def unread(warehouse: Warehouse) -> list[Any]:
    return warehouse.values(
        "select answer_id from intermediate.int_survey_answer__unioned where is_unread order by answer_id"
    )


IN_WORDS: dict[str, int | None] = {
    "10 - Extremely likely": 10,
    "0 \N{EN DASH} Not at all likely": 0,
    "7. Rather": 7,
    "3 (neutral)": 3,
    " 9 ": 9,
    "9.0": 9,
    "Very Satisfied": 10,
    "  very satisfied": 10,
    "Meh": None,
    "11 - Off the scale": None,
    "5 to 10 times": None,
    "10% of the time": None,
    "10 of 10": None,
    "10th": None,
}


@pytest.fixture(scope="module")
def in_words(dbt_project: DbtProject, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Every answer in words, given to a question of both systems."""
    asked = {"survey_id": "s", "question_id": "QID1", "metric": "nps", "scale_min": 0, "scale_max": 10}
    asked["recode_values"] = '{"very satisfied": 10}'
    warehouse = Warehouse(dbt_project, tmp_path_factory.mktemp("in words"))
    warehouse.night(
        {
            "qualtrics.survey_definitions": [asked],
            "qualtrics.responses": [response(f"r{n}", QID1=answer) for n, answer in enumerate(IN_WORDS)],
            "canonical.survey_question": [asked],
            "canonical.survey_answer": [
                {"answer_id": f"a{n}", "survey_id": "s", "question_id": "QID1", "answer": answer}
                for n, answer in enumerate(IN_WORDS)
            ],
        },
        ANSWERS,
    )
    return warehouse


@pytest.mark.parametrize("answer", IN_WORDS)
def test_an_answer_in_words_is_worth_what_is_declared_or_the_number_in_front(in_words: Warehouse, answer: str) -> None:
    """Both systems read alike; what nobody can read is there, without a score, and says so."""
    score = IN_WORDS[answer]
    number = list(IN_WORDS).index(answer)
    both = {f"a{number}", f"r{number}:QID1"}
    found = scores(in_words)
    assert len(found) == 2 * len(IN_WORDS)
    assert {name: found[name] for name in both} == dict.fromkeys(both, score)
    assert both & set(unread(in_words)) == (set() if score is not None else both)


def test_a_value_declared_later_reaches_the_answers_in_words_and_goes_before_codes(warehouse: Warehouse) -> None:
    asked = {"survey_id": "s", "question_id": "QID1", "metric": "csat", "scale_min": 1, "scale_max": 5}
    given = {"survey_id": "s", "question_id": "QID1"}
    warehouse.night(
        {
            "canonical.survey_question": [{**asked, "updated_at": "2026-01-01 00:00:00+00"}],
            "canonical.survey_answer": [
                {"answer_id": "words", "answer": "Fair", **given},
                {"answer_id": "code", "answer": "1", **given},
            ],
        },
        ANSWERS,
    )
    assert scores(warehouse) == {"words": None, "code": 1}
    told = {"recode_values": '{"Fair": 3, "1": 5}', "updated_at": "2026-01-02 00:00:00+00"}
    warehouse.night({"canonical.survey_question": [{**asked, **told}]})
    assert scores(warehouse) == {"words": 3, "code": 5}


def test_the_good_end_of_a_scale_is_declared_or_follows_from_the_question(warehouse: Warehouse) -> None:
    questions = [
        ("nps", {"metric": "nps", "scale_min": 0, "scale_max": 10}),
        ("csat", {"metric": "csat", "scale_min": 1, "scale_max": 5}),
        ("grades", {"metric": "csat", "scale_min": 1, "scale_max": 6, "positive_values": "[1, 2]"}),
        ("effort", {"metric": "ces", "scale_min": 1, "scale_max": 7}),
        ("ease", {"metric": "ces", "scale_min": 1, "scale_max": 7, "positive_values": "[5, 6, 7]"}),
        ("said", {"metric": "ces", "scale_min": 1, "scale_max": 7, "scale_direction": "low_is_good"}),
    ]
    warehouse.night(
        {"canonical.survey_question": [{"survey_id": name, "question_id": "q", **told} for name, told in questions]},
        "int_survey_question__unioned",
    )
    rows = warehouse.rows("select survey_id, scale_direction from intermediate.int_survey_question__unioned")
    assert {row["survey_id"]: row["scale_direction"] for row in rows} == {
        "nps": "high_is_good",
        "csat": "high_is_good",
        "grades": "low_is_good",
        "effort": None,
        "ease": "high_is_good",
        "said": "low_is_good",
    }


def test_only_answered_questions_that_are_scored_or_unknown_become_answers(warehouse: Warehouse) -> None:
    warehouse.night(
        {
            "qualtrics.survey_definitions": [
                question("QID1", "nps"),
                question("QID2", "reason"),
                question("QID7", "csat"),
            ],
            "qualtrics.responses": [
                response("r1", QID2="price", _extra={"QID7": "4"}),
                response("r2", QID1=" ", _extra={"QID7": None}),
                response("r3", QID1="ten"),
                {**response("r4"), "SurveyId": "unknown"},
            ],
        },
        ANSWERS,
    )
    assert scores(warehouse) == {"r1:QID1": 9, "r1:QID7": 4, "r3:QID1": None, "r4:QID1": 9}
    assert unread(warehouse) == ["r3:QID1"]
    assert warehouse.values(
        "select reason from intermediate.int_survey_answer__unioned where answer_id = 'r1:QID1'"
    ) == ["price"]


def test_a_definition_that_comes_late_or_changes_reaches_the_answers(warehouse: Warehouse) -> None:
    warehouse.night({"qualtrics.responses": [response("r1", QID2="3")]}, ANSWERS)
    assert scores(warehouse) == {"r1:QID1": 9}
    warehouse.night({"qualtrics.survey_definitions": [question("QID1", "nps"), question("QID2", "csat")]})
    assert scores(warehouse) == {"r1:QID1": 9, "r1:QID2": 3}
    warehouse.night({"qualtrics.survey_definitions": [question("QID2", "reason", "2026-01-02 00:00:00+00")]})
    assert scores(warehouse) == {"r1:QID1": 9}


def test_a_definition_that_comes_late_takes_away_what_was_taken_for_an_answer(warehouse: Warehouse) -> None:
    warehouse.night({"qualtrics.responses": [response("r1", QID2="slow")]}, ANSWERS)
    assert scores(warehouse) == {"r1:QID1": 9}
    warehouse.night({"qualtrics.survey_definitions": [question("QID2", "reason")]})
    # Nothing of it is scored: that it was answered is all that is known.
    assert scores(warehouse) == {"r1:*": None}
    warehouse.night({"qualtrics.survey_definitions": [question("QID1", "nps")]})
    assert scores(warehouse) == {"r1:QID1": 9}
    assert warehouse.differences(warehouse.rebuilt(), ["intermediate.int_survey_answer__unioned"]) == {}


def test_of_a_survey_without_scores_the_company_may_say_that_nothing_is_lacking(warehouse: Warehouse) -> None:
    warehouse.seed("survey_questions", ["source,survey_id,question_id,metric", "qualtrics,s,QID2,comment"])
    asked = [question("QID2", "reason"), {**question("QID2", "reason"), "survey_id": "t"}]
    given = [response("r1"), {**response("r2"), "SurveyId": "t"}]
    warehouse.night({"qualtrics.survey_definitions": asked, "qualtrics.responses": given}, ANSWERS)
    assert scores(warehouse) == {"r2:*": None}


def test_an_anonymous_answer_keeps_nothing_that_names_a_person(warehouse: Warehouse) -> None:
    identity = {"ExternalReference": "crm", "RecipientEmail": "ann@a.example"}
    warehouse.night(
        {
            "qualtrics.survey_definitions": [question("QID1", "nps")],
            "qualtrics.responses": [
                response("known", DistributionChannel="email", **identity),
                response("link", DistributionChannel="anonymous", **identity),
                response("code", DistributionChannel="qr", **identity),
            ],
        },
        ANSWERS,
    )
    assert [
        tuple(row.values())
        for row in warehouse.rows(
            "select response_id, contact_id, email, personal_email, is_anonymous "
            "from intermediate.int_survey_answer__unioned order by response_id"
        )
    ] == [
        ("code", None, None, None, True),
        ("known", "crm", "ann@a.example", "ann@a.example", False),
        ("link", None, None, None, True),
    ]


def test_previews_tests_and_spam_are_marked(warehouse: Warehouse) -> None:
    statuses = {
        "a": "IP Address",
        "b": "Survey Preview",
        "c": "Survey Test",
        "d": "Spam",
        "e": "Imported",
        "f": None,
        "g": "Offline Survey Preview",
        "h": "Imported Spam",
        "i": "1",
        "j": "0",
    }
    tried_out = response("k", Status="IP Address", DistributionChannel="preview")
    warehouse.night(
        {
            "qualtrics.survey_definitions": [question("QID1", "nps")],
            "qualtrics.responses": [response(name, Status=told) for name, told in statuses.items()] + [tried_out],
        },
        ANSWERS,
    )
    marked = "select list(response_id order by response_id) from intermediate.int_survey_answer__unioned where "
    assert warehouse.values(marked + "is_test") == [["b", "c", "g", "i", "k"]]
    assert warehouse.values(marked + "is_spam") == [["d", "h"]]


def test_an_invitation_that_names_another_response_leaves_the_first(warehouse: Warehouse) -> None:
    invitation = {
        "distribution_id": "d",
        "contact_id": "c",
        "survey_id": "s",
        "sent_at": "2026-01-01 00:00:00+00",
    }
    asked = "select response_id, invitation_id from intermediate.int_survey_answer__unioned order by 1"
    warehouse.night(
        {
            "qualtrics.survey_definitions": [question("QID1", "nps")],
            "qualtrics.responses": [response("r1"), response("r2")],
            "qualtrics.distributions": [{**invitation, "response_id": "r1", "updated_at": "2026-01-01 00:00:00+00"}],
        },
        ANSWERS,
    )
    assert [row["invitation_id"] for row in warehouse.rows(asked)] == ["d:c", None]
    warehouse.night(
        {"qualtrics.distributions": [{**invitation, "response_id": "r2", "updated_at": "2026-01-02 00:00:00+00"}]}
    )
    assert [row["invitation_id"] for row in warehouse.rows(asked)] == [None, "d:c"]


def test_good_and_bad_are_one_and_nothing_on_a_question_of_the_help_desk(warehouse: Warehouse) -> None:
    words = ["good", "good_with_comment", "bad", "bad_with_comment", "offered", "unoffered"]
    warehouse.night({"zendesk.satisfaction_ratings": [{"id": word, "score": word} for word in words]}, ANSWERS)
    assert scores(warehouse) == {"good": 1, "good_with_comment": 1, "bad": 0, "bad_with_comment": 0}
    assert [
        tuple(row.values())
        for row in warehouse.rows(
            "select distinct q.metric, q.scale_min, q.scale_max "
            "from intermediate.int_survey_answer__unioned as a "
            "inner join intermediate.int_survey_question__unioned as q using (survey_question_key)"
        )
    ] == [("csat", 0, 1)]


def test_a_review_of_several_orders_and_several_reviews_of_one_are_all_answers(warehouse: Warehouse) -> None:
    reviews = [("r1", "o1"), ("r1", "o2"), ("r2", "o1")]
    warehouse.night(
        {"olist.order_reviews": [{"review_id": r, "order_id": o, "review_score": 4} for r, o in reviews]},
        ANSWERS,
    )
    assert sorted(scores(warehouse)) == ["r1:o1", "r1:o2", "r2:o1"]
    warehouse.night(
        {
            "olist.orders": [{"order_id": "o1", "customer_id": "c"}],
            "olist.customers": [{"customer_id": "c", "customer_unique_id": "person"}],
        }
    )
    assert warehouse.values("select contact_id from intermediate.int_survey_answer__unioned order by answer_id") == [
        "person",
        None,
        "person",
    ]


@pytest.mark.parametrize("source", ["shop", "other"])
def test_fixed_questions_exist_where_their_answers_do(warehouse: Warehouse, source: str) -> None:
    warehouse.night({"olist.order_reviews": [{"review_id": "1", "order_id": "1", "_source": source}]}, ANSWERS)
    assert warehouse.rows("select source, question_id from intermediate.int_survey_question__unioned") == [
        {"source": source, "question_id": "review_score"}
    ]


def test_a_question_that_only_the_company_describes_is_there_with_its_first_answer(warehouse: Warehouse) -> None:
    described = ["cx,s,Recommend?,nps,0,10", "cx,s,Easy?,ces,1,7", "other,s,Late?,nps,0,10"]
    warehouse.seed("survey_questions", ["source,survey_id,question_id,metric,scale_min,scale_max", *described])

    def answer(question: str, given: str) -> dict[str, str]:
        return {"_source": "cx", "survey_id": "s", "answer_id": question, "question_id": question, "answer": given}

    def questions() -> list[tuple[Any, ...]]:
        asked = (
            "select question_id, wording, metric, scale_max from intermediate.int_survey_question__unioned order by 1"
        )
        return [tuple(row.values()) for row in warehouse.rows(asked)]

    answers = [answer("Recommend?", "9"), answer("Late?", "3")]
    warehouse.night({"canonical.survey_answer": answers}, ANSWERS)
    assert questions() == [("Recommend?", "Recommend?", "nps", 10)]
    warehouse.night({"canonical.survey_answer": [answer("Easy?", "7")]})
    assert questions() == [("Easy?", "Easy?", "ces", 7), ("Recommend?", "Recommend?", "nps", 10)]
    assert scores(warehouse) == {"Recommend?": 9, "Late?": 3, "Easy?": 7}
    told = {"survey_id": "s", "question_id": "Recommend?", "wording": "Would you?", "metric": "csat", "_source": "cx"}
    warehouse.night({"canonical.survey_question": [{**told, "updated_at": "2026-01-02 00:00:00+00"}]})
    assert questions()[1] == ("Recommend?", "Would you?", "nps", 10)


def test_a_ticket_that_was_rated_again_stays_so_when_more_of_the_first_response_arrives(warehouse: Warehouse) -> None:
    def answer(identifier: str, response: str, question: str, answered_at: str) -> dict[str, Any]:
        about = {"survey_id": "s", "question_id": question, "ticket_id": "t", "score": 4}
        return {**about, "answer_id": identifier, "response_id": response, "answered_at": answered_at}

    scale = {"metric": "nps", "scale_min": 0, "scale_max": 10, "scale_direction": "high_is_good"}
    asked = [{"survey_id": "s", "question_id": name, **scale} for name in ("again", "once")]
    first, second = "2026-01-01 10:00:00+00", "2026-01-02 10:00:00+00"
    rated = [answer("a1", "r1", "again", first), answer("a2", "r2", "again", second)]
    warehouse.night(
        {
            "canonical.survey_question": [{**each, "updated_at": first} for each in asked],
            "canonical.survey_answer": [{**each, "updated_at": second} for each in rated],
        },
        JUDGED,
    )
    more = answer("a3", "r1", "once", first)
    warehouse.night({"canonical.survey_answer": [{**more, "updated_at": "2026-01-03 10:00:00+00"}]})
    reasons = warehouse.values(f"select exclusion_reason from intermediate.{JUDGED}")
    assert sorted(map(str, reasons)) == ["None", "None", "rated_again"]
    assert warehouse.differences(warehouse.rebuilt(), [f"intermediate.{JUDGED}"]) == {}
