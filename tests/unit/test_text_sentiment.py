"""The mood of a text, as it is estimated from its words."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import duckdb
import pytest

from assets.text.sentiment import TextSentiment, polarity, text_sentiment
from storage.errors import JourneymartError

# Each lexicon is read when it is asked first; eight threads ask a new process at once.
ASKED_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from assets.text.sentiment import polarity

# One that does not come must not be waited for.
together = Barrier(8, timeout=60)

def ask(_):
    together.wait()
    return polarity("a wonderful lamp, but terribly late")

print(len(set(ThreadPoolExecutor(8).map(ask, range(8)))))
"""


@pytest.mark.parametrize("text", ["Great, thank you!", "The staff were friendly", "not bad at all"])
def test_good_words_are_above_nothing(text: str) -> None:
    assert 0.1 <= polarity(text) <= 1


@pytest.mark.parametrize("text", ["Too slow.", "I am very disappointed.", "not good", "a terrible app"])
def test_bad_words_and_denied_good_ones_are_below_nothing(text: str) -> None:
    assert -1 <= polarity(text) <= -0.1


def test_an_intensifier_makes_more_of_it() -> None:
    assert polarity("very disappointed") < polarity("disappointed") < polarity("a bit slow") < 0


@pytest.mark.parametrize("text", [None, "", "  ", "Where is my order?", "Il servizio \u00e8 pessimo", "😤"])
def test_what_no_word_says_has_no_estimate_instead_of_a_neutral_one(text: str | None) -> None:
    assert polarity(text) is None


def test_threads_that_ask_first_at_once_are_answered_alike() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED_AT_ONCE], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_sql_asks_the_same_function() -> None:
    from assets.warehouse.dbt_functions import Plugin

    with duckdb.connect() as connection:
        Plugin(name="functions", plugin_config={}).configure_connection(connection)
        asked = connection.execute("select text_polarity(t) from (values ('Too slow.'), (null), ('a lamp')) as x (t)")
        assert asked.fetchall() == [(polarity("Too slow."),), (None,), (None,)]


def test_the_estimate_names_the_release_that_made_it() -> None:
    assert text_sentiment("de") == TextSentiment("de", f"textblob {version('textblob')}")


def test_without_the_library_a_wish_for_estimates_is_one_sentence_and_no_wish_is_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("assets.text.sentiment.installed_version", missing)
    assert text_sentiment(None) is None
    with pytest.raises(JourneymartError, match=r"^Estimating the mood of texts needs TextBlob: install it with .*\.$"):
        text_sentiment("en")
