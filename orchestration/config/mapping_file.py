"""The shape of a mapping file: its keys, and what each may be.

Not here: what follows from several keys together (mappings.py), what is said of a mistake (mistakes.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, RootModel

from orchestration.config.sources_file import StrictModel, Zone


def _text(value: object) -> object:
    """A text, also where it was written as a number or a truth: 1 is "1", true is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _placed(value: object) -> object:
    """A bare name is a column as it is."""
    return {"from": value} if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text), Field(strict=True)]
Name = Annotated[str, Field(strict=True, min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class ValueKeys(StrictModel):
    """Where a column of the contract comes from; a bare name is that column as it is."""

    from_: Annotated[Name | None, Field(alias="from")] = None
    """A delivered column; another spelling of its name is found where only one can be meant."""
    values: Annotated[dict[str, Text | None], Field(min_length=1)] | None = None
    """With `from`: what stands for each text, blanks around it aside; nothing (`null`) where it means nothing. A text
    without an entry stays as it is, so that the gate sees it."""
    otherwise: Text | None = None
    """With `values`: what stands for a text without an entry. An empty field stays empty."""
    format: Annotated[tuple[Name, ...] | None, BeforeValidator(_several)] = None
    """With `from`: how a date or time is written, such as "%d.%m.%Y %H:%M" (DuckDB's strptime), or several, tried in
    order. A day alone is midnight in a time column. What fits none stays as it is, and goes to quarantine."""
    timezone: Zone | None = None
    """With `format`: the zone of times that carry no offset; the stream's if nothing is said."""
    decimal: Literal[".", ","] | None = None
    """With `from`: the decimal mark of a number, where it is not the stream's; `thousands` what groups its digits."""
    thousands: Literal[".", ",", " ", "'"] | None = None
    """See `decimal`."""
    const: Text | None = None
    """The same text in every row."""
    sql: Name | None = None
    """A DuckDB expression over the delivered columns of the record (in double quotes), such as lower("E-mail")."""
    key: Annotated[tuple[Name, ...] | None, Field(min_length=1)] = None
    """Delivered columns that name the row together, put into one id; empty where one of them is."""


Placed = Annotated[ValueKeys, BeforeValidator(_placed)]


class UnpivotKeys(StrictModel):
    """Columns of which each gives a row of its own, such as the questions of a survey."""

    columns: Names
    """Delivered columns, or patterns of them such as "Q*". A column without a value gives no row."""
    name: Name = "question"
    """What the name of the column is called in this block."""
    value: Name = "answer"
    """What its value is called in this block."""


class LookUpKeys(StrictModel):
    """A column that another stream of the source says of the record a delivered column names."""

    from_: Annotated[Name, Field(alias="from")]
    """The delivered column that names a record of the other stream by its key."""
    stream: Name
    """The other stream, as company.yml calls it under the same source."""
    column: Name
    """The column of its contract that is taken: a text, an id or a truth."""


class StreamMappingKeys(StrictModel):
    """How the rows of one stream are made."""

    columns: Annotated[dict[str, Placed], Field(min_length=1)]
    """Columns of the stream's contract, and where each comes from."""
    where: Name | None = None
    """A DuckDB expression; a record of which it is false is not ours. It is left out and counted."""
    lookup: Annotated[dict[str, LookUpKeys], Field(min_length=1)] | None = None
    """Columns that other streams of the source say, by what each is called in this block, where it stands as if it were
    delivered."""
    unpivot: UnpivotKeys | None = None
    """Makes a row of each of some columns."""
    ignore: Names = ()
    """Delivered columns, or patterns of them, that are known and not wanted; any other that is not mapped is warned
    of."""
    optional: Names = ()
    """Columns it names, or patterns of them, that need not be delivered; any other that is not there is warned of."""


class MappingFile(RootModel[dict[str, StreamMappingKeys]]):
    """The whole file: a block per stream of the source."""


def keys_at(at: tuple[Any, ...]) -> type[StrictModel]:
    """The model whose keys stand at a place of the file."""
    match at:
        case (_, "columns", _, *_):
            return ValueKeys
        case (_, "lookup", _, *_):
            return LookUpKeys
        case (_, "unpivot", *_):
            return UnpivotKeys
        case _:
            return StreamMappingKeys
