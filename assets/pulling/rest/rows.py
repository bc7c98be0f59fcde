"""The rows of an answer as text columns: texts as they are, numbers in digits, true and false, all else as JSON.

What lives here: parsing an answer and making columns of its rows. Not here: which rows there are (paging.py), types
(the contract).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from assets.pulling.rest.paging import NotAPage

Row = Mapping[str, Any]


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        NotAPage: It is none.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = _with_half_characters(body)
    if not isinstance(answer, dict):
        raise NotAPage("that is not a JSON object")
    return answer


def rows_of(answer: Mapping[str, Any], key: str) -> list[Row]:
    """The rows that stand under a key.

    Raises:
        NotAPage: No list stands there, or something in it is no object.
    """
    rows = answer.get(key)
    if not isinstance(rows, list):
        raise NotAPage(f"without the list '{key}'")
    if not all(type(row) is dict for row in rows):
        raise NotAPage(f"whose list '{key}' holds something else than objects")
    return rows


def text_columns(rows: Sequence[Row], columns: Sequence[str]) -> pa.Table:
    """Rows as a table of text columns; what a row lacks is NULL."""
    return pa.table(
        [_texts([row.get(name) for row in rows]) for name in columns],
        schema=pa.schema([(name, pa.string()) for name in columns]),
    )


def _texts(values: list[Any]) -> pa.Array:
    """Values of one column. Those of one kind, nearly all, are turned to text by Arrow at once."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_()).cast(pa.string())
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except OverflowError:
            pass
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    return value if isinstance(value, str | None) else orjson.dumps(value).decode()


def _with_half_characters(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """JSON with an escape for half of a character, as a vendor leaves it that cuts a text within an emoji.

    What is left of the character is no character: it becomes U+FFFD. Anything else that is not JSON stays refused.
    """
    try:
        return _mended(json.loads(body, parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise NotAPage("that is not JSON") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _mended(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    return value
