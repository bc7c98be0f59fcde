"""What a company says of questions of surveys, put before what is delivered, as a night does.

Not here: which KPIs need it (kpi_outlook.py), the night's own way (int_survey_question__unioned).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from assets.inspect.kpi_needs import TOLD_AGAIN
from quality.contract.model import DUCKDB_TYPES, load_contract
from quality.rows.casts import identifier

ANSWER, QUESTION = "survey_answer", "survey_question"
_COMMENT = "comment"


def describe_questions(
    connection: duckdb.DuckDBPyConnection, said: Sequence[Mapping[str, str]], *, are_delivered: bool
) -> None:
    """Make the table newest_survey_question, or change it, to hold what the company says.

    Args:
        connection: Any; has the table if questions are delivered.
        said: Rows of the company's table survey_questions.
        are_delivered: Whether there is such a table.
    """
    contract = load_contract("canonical", QUESTION)
    types = {name: DUCKDB_TYPES[column.type] for name, column in contract.columns.items()}
    if not are_delivered:
        columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in types.items())
        connection.execute(f"create or replace table newest_{QUESTION} ({columns}, {TOLD_AGAIN} boolean)")
    told = [name for name in types if name in said[0]]
    texts = ", ".join(f"{identifier(name)} varchar" for name in told)
    connection.execute(f"create or replace temp table said_of_questions ({texts})")
    places = ", ".join("?" for _ in told)
    connection.executemany(
        f"insert into said_of_questions values ({places})", [[row[name] or None for name in told] for row in said]
    )
    values = ", ".join(_value(name, kind, is_said=name in told) for name, kind in types.items())
    keys = " and ".join(f"said.{identifier(key)} = newest.{identifier(key)}" for key in contract.key)
    connection.execute(
        f"""
        create or replace table newest_{QUESTION} as
        select {values}, coalesce(newest.{TOLD_AGAIN}, false) as {TOLD_AGAIN}
        from newest_{QUESTION} as newest full join said_of_questions as said on {keys}
        """
    )


def _value(name: str, kind: str, *, is_said: bool) -> str:
    """A column of a question: what is said of it goes before what is delivered."""
    column = identifier(name)
    if not is_said:
        return f"newest.{column}"
    said = f"nullif(said.{column}, '{_COMMENT}')" if name == "metric" else f"said.{column}"
    return f"coalesce(try_cast({said} as {kind}), newest.{column}) as {column}"
