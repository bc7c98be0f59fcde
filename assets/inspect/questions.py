"""What a question of a survey measures, as its wording and its answers show it.

What lives here: metric, scale and direction of one question. Pure. Not here: which columns are questions (derived.py),
the words (usual_names.yml), what the company says of questions (the table survey_questions).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from assets.inspect.usual_names import measure_words

Metric = Literal["nps", "csat", "ces", "other"]

# "0-10", "1 to 5", "von 1 bis 7"; "1 = not at all, 5 = very".
_SPAN = re.compile(r"(?<!\d)(\d{1,3})\s*(?:[-\N{EN DASH}]|\.\.|to|bis|à|a)\s*(\d{1,3})(?!\d)")
_ENDS = re.compile(r"(?<!\d)(\d{1,3})\s*[=:]")
# Where no wording says how far a scale goes, it ends at the first of these that no answer is above.
_USUAL_ENDS = (5, 7, 10, 100)
_NPS = (0, 10)


@dataclass(frozen=True)
class Question:
    """What a question measures, in the words of the table survey_questions.

    Attributes:
        question_id: The name of its column.
        metric: What it measures; `other`: its wording does not tell.
        scale_min: Lowest answer possible; None: it is answered in words.
        scale_max: Highest answer possible.
        scale_direction: Which end is good; empty: the metric tells, or nobody does.
    """

    question_id: str
    metric: Metric
    scale_min: int | None = None
    scale_max: int | None = None
    scale_direction: str = ""


def question(wording: str, answers: Collection[str], *, is_scored: bool) -> Question:
    """Say what a question measures.

    Args:
        wording: The name of its column.
        answers: Different answers that were given.
        is_scored: They are whole numbers.
    """
    words = wording.casefold()
    measures = measure_words().items()
    metric = next((each for each, begins in measures if re.search(rf"\b(?:{'|'.join(begins)})", words)), "other")
    if not is_scored:
        return Question(wording, "other" if metric == "nps" else _metric(metric))
    low, high = _scale(words, metric, {int(each) for each in answers})
    if metric == "effort":
        return Question(wording, "ces", low, high, "low_is_good")
    return Question(wording, _metric(metric), low, high, "high_is_good" if metric == "ces" else "")


def _metric(measure: str) -> Metric:
    match measure:
        case "nps" | "csat" | "ces":
            return measure
        case "effort":
            return "ces"
        case _:
            return "other"


def _scale(words: str, metric: str, answers: Collection[int]) -> tuple[int, int]:
    """The ends of a scale: as the wording says, as the metric has it, or the usual ones the answers lie between."""
    lowest, highest = min(answers, default=1), max(answers, default=1)
    said = [(int(low), int(high)) for low, high in _SPAN.findall(words)]
    ends = [int(each) for each in _ENDS.findall(words)]
    for low, high in [*said, *([(min(ends), max(ends))] if len(ends) > 1 else [])]:
        if low < high and low <= lowest and highest <= high:
            return low, high
    if metric == "nps" and highest <= _NPS[1]:
        return _NPS
    return min(lowest, 1), next((each for each in _USUAL_ENDS if highest <= each), highest)
