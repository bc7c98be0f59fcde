"""Pulls the extract of one stream from PostgreSQL, page by page, into a delivery that landing takes.

What lives here: the way from a question to pages. Not here: the question (question.py), the connection (session.py),
cutting (pages.py), keeping pages (assets/pulling/delivery.py).
"""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pyarrow as pa

from assets.landing.connectors.config import FileStream, PostgresPull
from assets.pulling.delivery import Delivery, open_delivery
from assets.pulling.postgres.pages import PageSize, pages_of
from assets.pulling.postgres.problems import database, read
from assets.pulling.postgres.question import (
    can_be_cursor,
    lacking_question,
    names_question,
    order_of,
    rows_question,
    types_question,
    window_of,
)
from assets.pulling.postgres.session import Session, session
from quality.contract.model import ColumnType, Contract
from storage.data_folder import DataFolder
from storage.errors import JourneymartError
from storage.nearest import nearest_words

_PAGE = PageSize()


def pull_postgres(
    stream: FileStream,
    pull: PostgresPull,
    contract: Contract,
    folder: DataFolder,
    extract_date: date,
    *,
    size: PageSize = _PAGE,
) -> Delivery:
    """Pull an extract, or go on where a killed pull stopped; give its complete delivery.

    All pages of one pull show one moment of the database. One that goes on shows a later moment from there on: a row
    that changed in between comes with its new cursor, behind that place, or is the next date's.

    Args:
        stream: Which stream, its zone and first date.
        pull: How it is read.
        contract: Says of a cursor that is a number what it counts.
        folder: The data folder.
        extract_date: Which date's extract.
        size: When a page is full.

    Raises:
        JourneymartError: It cannot be read, or holds rows no window would hold; pages that came are kept.
        PassingError: The connection cannot be made or was lost; pages that came are kept.
    """
    column = contract.columns.get(pull.cursor or "")
    cursor_type = column.type if column else None
    with session(stream.stream, pull) as opened:
        types = _types(opened, stream, pull, cursor_type)
        window = window_of(pull, extract_date, stream.first_date, stream.timezone)
        question = rows_question(pull, types, window, cursor_type)
        asked = hashlib.sha256(question.encode()).hexdigest()
        delivery = open_delivery(folder, stream.stream, extract_date, asked)
        if not delivery.is_ended:
            _require_places(opened, stream, pull)
            after = json.loads(delivery.next) if delivery.next else None
            question = rows_question(pull, types, window, cursor_type, after)
            answer = opened.answer(question)
            for page, end in pages_of(answer.batches, answer.schema, order_of(pull), size):
                delivery.add(page, None if end else _last_place(page, pull), end=end)
    delivery.complete()
    return delivery


def _types(opened: Session, stream: FileStream, pull: PostgresPull, cursor_type: ColumnType | None) -> dict[str, str]:
    """PostgreSQL's types of all columns, cursor and key among them."""
    names = opened.names(names_question(pull))
    for name in order_of(pull):
        if name not in names:
            raise JourneymartError(
                f"{database(stream.stream, pull)} has no column '{name}' in {read(pull)}: correct the cursor or key of "
                f"{stream.stream} in company.yml; {nearest_words(name, names, show=40)}"
            )
    types = dict(zip(names, opened.row(types_question(pull, names)), strict=True))
    if pull.cursor is not None and not can_be_cursor(types[pull.cursor], cursor_type):
        raise JourneymartError(
            f"The cursor '{pull.cursor}' of {stream.stream} is of the type {types[pull.cursor]}, which tells no "
            "day: name a column of dates or times, make one in a query, or read the whole table (mode: full)."
        )
    return types


def _require_places(opened: Session, stream: FileStream, pull: PostgresPull) -> None:
    """Refuse rows without a cursor or key: they would be left out without a word."""
    if opened.row(lacking_question(pull)) != ("true",):
        return
    columns = " or ".join(order_of(pull))
    raise JourneymartError(
        f"{stream.stream} has rows without {columns}, which no extract would hold: read it with a query that fills "
        "these columns or leaves such rows out on purpose"
        + (", or read the whole table (mode: full)." if pull.cursor else ".")
    )


def _last_place(page: pa.Table, pull: PostgresPull) -> str:
    return json.dumps([page[name][-1].as_py() for name in order_of(pull)])
