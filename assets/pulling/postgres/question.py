"""What PostgreSQL is asked, as SQL: the rows of one window as text, in an order that can be gone on with.

What lives here: building it, and nothing that runs it. Not here: the connection (session.py), whose settings the SQL
relies on (UTC, ISO dates, standard strings), and cutting the answer into pages (pages.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from assets.landing.connectors.config import PostgresPull
from quality.contract.model import ColumnType
from quality.rows.casts import identifier, literal

# Columns that a cursor may be of, as PostgreSQL names them.
_INSTANT, _CLOCK, _DAY = "timestamp with time zone", "timestamp without time zone", "date"
_NUMBERS = ("integer", "bigint", "numeric")
_SECONDS: Mapping[ColumnType | None, int] = {"epoch_s": 1, "epoch_ms": 1000}


@dataclass(frozen=True)
class Window:
    """What of a table an extract holds: cursor values from `begin` on (None: from the first on), before `end`."""

    begin: datetime | None
    end: datetime


def window_of(pull: PostgresPull, day: date, first_date: date, timezone: str) -> Window:
    """The window of an extract date: its day in the source's zone, and what the day before may have missed.

    A row gets its cursor when it is written and is seen when it is committed, which may be after its day was read:
    the window begins earlier by the overlap. The first date reaches back to the beginning, or to `since`.
    """
    zone = ZoneInfo(timezone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    if day == first_date:
        return Window(datetime.combine(pull.since, time(), zone) if pull.since else None, end)
    begin = datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC")) - pull.overlap
    return Window(begin.astimezone(zone), end)


def relation(pull: PostgresPull) -> str:
    """What is read: the name of a table, or a query in parentheses."""
    if pull.query is None:
        return ".".join(identifier(part) for part in (pull.table or "").split("."))
    # On lines of its own: a query may end with a comment.
    return f"(\n{pull.query.strip().rstrip(';')}\n)"


def names_question(pull: PostgresPull) -> str:
    """Asks for the names of all columns, and no row."""
    return f"select * from {relation(pull)} as q limit 0"


def types_question(pull: PostgresPull, names: Sequence[str]) -> str:
    """Asks for the types of columns, in one row, also where the table has none."""
    types = ", ".join(f"pg_typeof(q.{identifier(name)})::text" for name in names)
    return f"select {types} from (select 1) as one left join {relation(pull)} as q on false"


def lacking_question(pull: PostgresPull) -> str:
    """Asks whether a row has no cursor or no key: no window would ever hold it."""
    lacks = " or ".join(f"q.{identifier(name)} is null" for name in order_of(pull))
    return f"select exists(select 1 from {relation(pull)} as q where {lacks})::text"


def rows_question(
    pull: PostgresPull,
    types: Mapping[str, str],
    window: Window,
    cursor_type: ColumnType | None,
    after: Sequence[str] | None = None,
) -> str:
    """Asks for the rows of a window, every column as text, by cursor and key.

    Args:
        pull: What is read.
        types: PostgreSQL's types by column.
        window: Which rows, if they have a cursor.
        cursor_type: Type of the cursor by contract; None: the contract has no such column.
        after: Go on behind this place: cursor and key, as texts.
    """
    conditions = []
    if pull.cursor is not None:
        cursor = f"q.{identifier(pull.cursor)}"
        kind = types[pull.cursor]
        if window.begin is not None:
            conditions.append(f"{cursor} >= {_bound(window.begin, kind, cursor_type)}")
        conditions.append(f"{cursor} < {_bound(window.end, kind, cursor_type)}")
    order = [f"q.{identifier(name)}" for name in order_of(pull)]
    if after is not None:
        conditions.append(f"({', '.join(order)}) > ({', '.join(map(literal, after))})")
    columns = ", ".join(f"{_text(name, kind)} as {identifier(name)}" for name, kind in types.items())
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select {columns} from {relation(pull)} as q{where} order by {', '.join(order)}"


def order_of(pull: PostgresPull) -> tuple[str, ...]:
    """The columns whose values are a place in the rows: cursor, then key."""
    return tuple(dict.fromkeys([*([pull.cursor] if pull.cursor else []), *pull.key]))


def can_be_cursor(kind: str, cursor_type: ColumnType | None) -> bool:
    """Whether days can be told by a column of this type."""
    return kind in (_INSTANT, _CLOCK, _DAY) or (kind in _NUMBERS and cursor_type in _SECONDS)


def _bound(moment: datetime, kind: str, cursor_type: ColumnType | None) -> str:
    if kind == _INSTANT:
        return literal(moment.isoformat(sep=" "))
    if kind == _CLOCK:
        return literal(moment.replace(tzinfo=None).isoformat(sep=" "))
    if kind == _DAY:
        return literal(moment.date().isoformat())
    return str(int(moment.timestamp()) * _SECONDS[cursor_type])


def _text(name: str, kind: str) -> str:
    column = f"q.{identifier(name)}"
    if kind == "money":
        # Its text has a currency sign and the server's own marks.
        return f"{column}::numeric::text"
    if kind.endswith("[]"):
        # Lists come as JSON from every source.
        return f"to_json({column})::text"
    return f"{column}::text"
