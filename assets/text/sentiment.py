"""How good a text sounds, estimated from its words: optional, and never more than an estimate.

What lives here: the estimate of one text, and who makes it. Not here: which texts are estimated and what counts as good
or bad (dbt's macros/feedback), the SQL function that models call (assets/warehouse/dbt_functions.py).

TextBlob takes the mean polarity of English words with their negations and intensifiers. An estimate is a function of
the text alone, so a build from nothing gives the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from threading import Lock
from typing import Any

from storage.errors import JourneymartError

_LIBRARY = "textblob"

# TextBlob reads its lexicon when it is asked first, and answers other threads from the part it has read.
_reading = Lock()


@dataclass(frozen=True)
class TextSentiment:
    """That a company wants its texts estimated.

    Attributes:
        unlabelled: Language of texts whose source names none, as ISO 639-1 code.
        method: The library that estimates, with its release.
    """

    unlabelled: str
    method: str


def text_sentiment(unlabelled: str | None) -> TextSentiment | None:
    """What a night needs to know to estimate texts; None: no text is estimated.

    Args:
        unlabelled: Language of texts whose source names none, as `company.yml` says it.

    Raises:
        JourneymartError: The library is not installed.
    """
    if unlabelled is None:
        return None
    try:
        return TextSentiment(unlabelled, f"{_LIBRARY} {installed_version(_LIBRARY)}")
    except PackageNotFoundError:
        raise JourneymartError(
            "Estimating the mood of texts needs TextBlob: install it with `pip install 'journeymart[sentiment]'`, "
            "or take text_sentiment out of the company file."
        ) from None


def polarity(text: str | None) -> float | None:
    """How good an English text sounds, -1 (bad) to 1 (good); None: there is none, or no word of it says.

    Source: TextBlob's pattern analyzer, the mean polarity of the words its lexicon knows.
    """
    if text is None:
        return None
    found = _analyzer()(text)
    return round(float(found.polarity), 4) if found.assessments else None


@cache
def _analyzer() -> Callable[[str], Any]:
    with _reading:
        from textblob import TextBlob

        def analyze(text: str) -> Any:  # noqa: ANN401 - TextBlob need not be installed
            return TextBlob(text).sentiment_assessments

        analyze("good")
        return analyze
