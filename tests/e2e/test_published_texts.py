"""What people wrote never leaves the private warehouse: the texts of everything published, searched value by value.

The sample company's customers write addresses and numbers into comments and tickets, so what is searched for was there.
"""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from storage.data_folder import REPORT_PAGES, parquet_folder, report_file
from tests.e2e.installation import Installation
from tests.kpi_recount import opened

ADDRESS = r"[\w.+-]+@[\w-]+\.\w+"
NUMBER = r"\b0\d+[ /]\d{5,}"
COMMENTS = """
select comment from private.accepted.zendesk__satisfaction_ratings
union select description from private.accepted.zendesk__tickets
union select cast(events as varchar) from private.accepted.zendesk__ticket_audits
union select "QID3_TEXT" from private.accepted.qualtrics__responses
"""


@pytest.fixture(scope="module")
def told(rebuilt: Installation) -> set[str]:
    """Every address and number in a comment, a description or a text as it was delivered."""
    with opened(rebuilt.data / "current") as connection:
        texts = [text for (text,) in connection.execute(COMMENTS).fetchall() if text]
    return {found[0] for text in texts for found in re.finditer(f"{ADDRESS}|{NUMBER}", text)}


def test_customers_wrote_addresses_and_numbers_into_comments(told: set[str]) -> None:
    assert [text for text in told if re.fullmatch(ADDRESS, text)]
    assert [text for text in told if re.fullmatch(NUMBER, text)]


def test_no_published_table_holds_an_address_or_what_was_told(rebuilt: Installation, told: set[str]) -> None:
    current = rebuilt.data / "current"
    copies = [f"read_parquet('{file}')" for file in parquet_folder(current).iterdir()]
    told_or_like = "|".join([ADDRESS, *sorted(map(re.escape, told))])
    found = []
    with opened(current) as connection:
        tables = [f"marts.main.{name}" for name in rebuilt.mart_tables()]
        for table in (*tables, *copies):
            columns = [
                name for name, kind, *_ in connection.execute(f"describe from {table}").fetchall() if kind == "VARCHAR"
            ]
            for column in columns:
                texts = connection.execute(f'select distinct "{column}" from {table}').fetchall()
                if any(text and re.search(told_or_like, text) for (text,) in texts):
                    found.append(f"{table}.{column}")
    assert len(copies) == len(tables) > 0
    assert found == []


def test_texts_are_estimated_as_the_sources_file_asks_and_nothing_is_said_of_other_languages(
    rebuilt: Installation,
) -> None:
    """Tickets name no language, so theirs is the one the file names; answers name theirs."""
    estimated = "select {} from fct_feedback where estimated_by is not null"
    languages = {language for (language,) in rebuilt.marts(estimated.format("distinct language"))}
    assert languages == {"en", "unknown"}
    assert rebuilt.marts(estimated.format("distinct estimated_by")) == [(f"textblob {version('textblob')}",)]
    ((good, bad),) = rebuilt.marts(
        "select count(*) filter (sentiment = estimated_sentiment), count(*) filter (sentiment <> estimated_sentiment) "
        "from fct_feedback where 'neutral' not in (sentiment, estimated_sentiment)"
    )
    assert good > 2 * bad


@pytest.mark.parametrize("page", REPORT_PAGES)
def test_no_page_holds_what_was_told(rebuilt: Installation, told: set[str], page: str) -> None:
    text = report_file(rebuilt.data / "current", page).read_text(encoding="utf-8")
    assert [part for part in told if part in text] == []
