"""The rows of an answer as text columns: texts as they are, numbers in digits, true and false, all else as JSON.

What lives here: parsing an answer and making columns of its rows. Not here: which rows there are (paging.py), types
(the contract).
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import orjson
import pyarrow as pa

from assets.pulling.rest.paging import NotAPage, Row


@contextmanager
def uncollected() -> Iterator[None]:
    """Take answers apart without the search for cycles of objects, which costs half of it: JSON holds none.

    Threads that do so at once may end each other's rest early, which costs them time only.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        NotAPage: It is none.
    """
    answer = _json(body)
    if not isinstance(answer, dict):
        raise NotAPage("that is not a JSON object")
    return answer


def parse_list(body: bytes, key: str) -> dict[str, Any]:
    """The object that holds the bare JSON list of an answer under a key.

    Raises:
        NotAPage: It is none.
    """
    answer = _json(body)
    if not isinstance(answer, list):
        raise NotAPage("that is not a JSON list")
    return {key: answer}


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
        [_texts(values) for values in _by_column(rows, columns)],
        schema=pa.schema([(name, pa.string()) for name in columns]),
    )


def _by_column(rows: Sequence[Row], columns: Sequence[str]) -> Sequence[Sequence[Any]]:
    """The values of each column. One call takes a row apart where all its keys are there, as they nearly always are."""
    if rows and len(columns) > 1:
        try:
            return list(zip(*map(itemgetter(*columns), rows), strict=True))
        except KeyError:
            pass
    return [[row.get(name) for row in rows] for name in columns]


def _texts(values: Sequence[Any]) -> pa.Array:
    """Values of one column. Those of one kind, nearly all, are turned to text at once."""
    kinds = set(map(type, values))
    has_nulls = type(None) in kinds
    kinds.discard(type(None))
    if kinds <= {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_()).cast(pa.string())
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except OverflowError:
            pass
    if str in kinds or has_nulls:
        return pa.array([_text(value) for value in values], pa.string())
    return pa.array(list(map(orjson.dumps, values)), pa.string())


def _text(value: Any) -> str | bytes | None:  # noqa: ANN401 - whatever JSON holds
    return value if value is None or isinstance(value, str) else orjson.dumps(value)


def _json(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _with_half_characters(body)


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
