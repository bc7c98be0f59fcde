"""What questions of a survey measure, as their wording and their answers show it."""

from __future__ import annotations

import pytest

from assets.inspect.questions import Question, question


@pytest.mark.parametrize(
    ("wording", "answers", "meant"),
    [
        ("How likely are you to recommend us to a friend? (0-10)", "3 9 10", ("nps", 0, 10, "")),
        ("Würden Sie uns weiterempfehlen?", "7 8", ("nps", 0, 10, "")),
        ("How satisfied are you? (1 = very unsatisfied, 5 = very satisfied)", "1 4", ("csat", 1, 5, "")),
        ("Wie zufrieden sind Sie auf einer Skala von 1 bis 7", "3 4", ("csat", 1, 7, "")),
        ("The company made it easy to handle my issue", "1 6", ("ces", 1, 7, "high_is_good")),
        ("How much effort did you have to put forth?", "1 5", ("ces", 1, 5, "low_is_good")),
        ("NPS", "0 10", ("nps", 0, 10, "")),
        ("Did the increase please you?", "0 3", ("other", 0, 5, "")),
        ("How satisfied are you? (1-5)", "2 9", ("csat", 1, 10, "")),
    ],
)
def test_a_question_with_numbers_for_answers_has_a_metric_and_a_scale_that_holds_them(
    wording: str, answers: str, meant: tuple[str, int, int, str]
) -> None:
    assert question(wording, answers.split(), is_scored=True) == Question(wording, *meant)


def test_what_is_answered_in_words_has_no_scale_and_is_no_nps() -> None:
    assert question("Would you recommend us?", ["yes", "no"], is_scored=False) == Question(
        "Would you recommend us?", "other"
    )
    assert question("Zufriedenheit", ["gut", "mäßig"], is_scored=False) == Question("Zufriedenheit", "csat")
