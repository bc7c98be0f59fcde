"""int_order__unioned and int_survey_answer__unioned on what vendors deliver. Not here: the marts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from dbt_harness import Warehouse

ORDERS = "int_order__unioned"
ANSWERS = "int_survey_answer__unioned"


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
        ("2", "completed", "01 12:00"),
    ]
    assert warehouse.values("select status from intermediate.int_order__unioned order by order_id")[2:] == [
        "lost",
        "open",
    ]
    # The same change of stage, corrected to be about the other deal.
    warehouse.night({"salesforce.opportunity_history": [{**change, "OpportunityId": "2", "CreatedDate": at}]})
    assert [tuple(row.values()) for row in warehouse.rows(bought)][:2] == [
        ("1", "completed", "01 12:00"),
        ("2", "completed", "27 08:00"),
    ]


def question(identifier: str, metric: str, modified: str = "2026-01-01 00:00:00+00") -> dict[str, Any]:
    scale = {"scale_min": 0, "scale_max": 10} if metric != "reason" else {}
    return {"survey_id": "s", "question_id": identifier, "metric": metric, "last_modified": modified, **scale}


def response(identifier: str, **columns: Any) -> dict[str, Any]:
    return {"ResponseId": identifier, "SurveyId": "s", "QID1": "9", **columns}


def scores(warehouse: Warehouse) -> dict[str, float | None]:
    rows = warehouse.rows("select answer_id, score from intermediate.int_survey_answer__unioned")
    return {row["answer_id"]: row["score"] for row in rows}


def test_only_answered_scored_questions_become_answers(warehouse: Warehouse) -> None:
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
    assert scores(warehouse) == {"r1:QID1": 9, "r1:QID7": 4, "r3:QID1": None}
    assert warehouse.values(
        "select reason from intermediate.int_survey_answer__unioned where answer_id = 'r1:QID1'"
    ) == ["price"]


def test_a_definition_that_comes_late_or_changes_reaches_the_answers(warehouse: Warehouse) -> None:
    warehouse.night({"qualtrics.responses": [response("r1", QID2="3")]}, ANSWERS)
    assert scores(warehouse) == {}
    warehouse.night({"qualtrics.survey_definitions": [question("QID1", "nps"), question("QID2", "csat")]})
    assert scores(warehouse) == {"r1:QID1": 9, "r1:QID2": 3}
    warehouse.night({"qualtrics.survey_definitions": [question("QID2", "reason", "2026-01-02 00:00:00+00")]})
    assert scores(warehouse) == {"r1:QID1": 9}


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
    }
    warehouse.night(
        {
            "qualtrics.survey_definitions": [question("QID1", "nps")],
            "qualtrics.responses": [response(name, Status=status) for name, status in statuses.items()],
        },
        ANSWERS,
    )
    marked = "select list(response_id order by response_id) from intermediate.int_survey_answer__unioned where "
    assert warehouse.values(marked + "is_test") == [["b", "c"]]
    assert warehouse.values(marked + "is_spam") == [["d"]]


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
