"""Takes people who asked to be erased out of rows, landed or accepted ones.

What lives here: which cells of a row are a person's, and what becomes of them. Not here: where rows name people
(find.py), the files that hold them (landed.py, accepted.py, quarantined.py), who is on the register (register.py).

A person's own record is dropped. Rows that name the person (tickets, orders, answers) are facts of the company: they
stay, without anything that leads to the person. Where a person wrote or was written to, the texts go too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assets.erasure.find import Found, Mask, find
from assets.erasure.register import BlockList
from assets.erasure.stand_ins import ERASED, changed_column
from quality.contract.model import Column, Contract
from quality.contract.roles import usual_roles

# In JSON that holds texts, a word without blanks under another key than these is the machine's; all else is somebody's.
_WORD = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
_PERSON_KEYS = frozenset({"address", "email", "ip_address", "location", "name", "phone", "recipient"})
_TEXT_KEYS = frozenset(
    {"body", "comment", "description", "html_body", "message", "plain_body", "subject", "text", "title"}
)
_VALUES = frozenset({"previous_value", "value"})
_FIELDS = frozenset({"assignee_id", "group_id", "priority", "satisfaction_score", "status", "tags", "type"})


Place = tuple[str | None, int | None]


@dataclass(frozen=True)
class Taken:
    """Rows after people were taken out of them.

    Attributes:
        kept: The rows that are left.
        dropped: Where rows were that are gone: file and record.
        emptied: Where rows were of which something is gone.
    """

    kept: pa.Table
    dropped: frozenset[Place]
    emptied: frozenset[Place]

    @staticmethod
    def nothing() -> Taken:
        """Of what is not there."""
        return Taken(pa.table({}), frozenset(), frozenset())

    @property
    def files(self) -> frozenset[str | None]:
        """Delivered files that hold what was taken out."""
        return frozenset(file for file, _ in self.dropped | self.emptied)


def take_out(blocked: BlockList, contract: Contract, source: str, rows: Path) -> Taken:
    """Rows of a file, landed or accepted, without people: their own records dropped, what names them emptied."""
    found = find(blocked, contract, source, rows)
    table = pq.read_table(rows)
    if not found.rows.any():
        return Taken(table, frozenset(), frozenset())
    dropped = found.own if contract.record == "person" else np.zeros_like(found.own)
    emptied = np.zeros_like(dropped)
    for name in table.column_names:
        for mask, change in _changes(blocked, contract, source, found, name):
            table, changed = changed_column(table, name, mask & ~dropped, change)
            emptied |= changed
    at = list(zip(table["_file"].to_pylist(), table["_row"].to_pylist(), strict=True))
    return Taken(
        table.filter(pa.array(~dropped)),
        frozenset(at[row] for row in np.flatnonzero(dropped)),
        frozenset(at[row] for row in np.flatnonzero(emptied)),
    )


def _changes(
    blocked: BlockList, contract: Contract, source: str, found: Found, name: str
) -> Iterable[tuple[Mask, Callable[[str | None], str | None]]]:
    """What becomes of one column: masks, and what each makes of a value."""
    column = contract.columns.get(name)
    nothing = _nothing(blocked, source, column)
    if name in found.quoted:
        yield found.quoted[name], nothing
    if column is None:
        if name == "_extra":
            yield found.redacted, _without_values
        elif not name.startswith("_"):
            # Nobody said what is in it.
            yield found.redacted, lambda _: None
    elif name in contract.key:
        if column.role == "subject":
            yield found.own, lambda value: value and blocked.pseudonym(source, value)
    elif column.contact_point:
        yield found.own, nothing
    elif column.pii in ("direct", "free_text"):
        yield found.redacted, nothing
    elif column.role == "subject":
        # Who asks in a conversation is also who writes in it: the two must stay one.
        yield found.own, (lambda _: ERASED) if contract.record == "conversation" else nothing
    elif column.role in ("author", "actor"):
        yield found.acted.get(name, np.zeros_like(found.own)), lambda _: ERASED
    elif column.type == "json":
        yield found.redacted, lambda value: value and _scrubbed(blocked, source, value, has_texts=False)
    elif column.role == "trait":
        yield found.own, nothing


def _nothing(blocked: BlockList, source: str, column: Column | None) -> Callable[[str | None], str | None]:
    """As little as a column may hold."""
    if column is None or not column.required:
        return lambda _: None
    if column.type == "json":
        return lambda value: value and _scrubbed(blocked, source, value, has_texts=True)
    return lambda _: ERASED


def _scrubbed(blocked: BlockList, source: str, text: str, *, has_texts: bool) -> str:
    """JSON without what says who somebody is, the ids of those on the list, and people's texts where it has any."""

    def scrub(said: Any, key: str) -> Any:  # noqa: ANN401 - JSON
        if isinstance(said, dict):
            about = said.get("field_name")
            return {
                name: None
                if has_texts and name in _VALUES and about is not None and about not in _FIELDS
                else scrub(value, str(about) if name in _VALUES and about else name)
                for name, value in said.items()
            }
        if isinstance(said, list):
            return [scrub(value, key) for value in said]
        if isinstance(said, str) and (
            key in _PERSON_KEYS or (has_texts and (key in _TEXT_KEYS or not _WORD.fullmatch(said)))
        ):
            return ""
        names = (
            usual_roles().get(key) in ("subject", "author", "actor")
            and isinstance(said, str | int)
            and not isinstance(said, bool)
        )
        return ERASED if names and blocked.has_id("record", source, str(said)) else said

    try:
        said = json.loads(text)
    except ValueError:
        return "null"
    scrubbed = scrub(said, "")
    # As it was delivered where nothing is gone: the same row must not differ by its blanks.
    return text if scrubbed == said else json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":"))


def _without_values(text: str | None) -> str | None:
    return text and json.dumps(dict.fromkeys(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
