"""The same rows, written in any way that a file may be written in, become the same typed rows, or are refused.

Orders are drawn and written as one CSV, JSON Lines or Parquet file: delimiter, quotes, encoding, decimal mark, groups
of thousands, order of dates, words for nothing, ids as floats, spelling of headers and statuses. Read with the rules
that say so, they are what was drawn. Read without, what is accepted is still what was drawn.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.landing.connectors.config import FileStream
from assets.landing.land import land
from quality.contract.model import load_contract
from quality.contract.reading import Reading
from quality.gate.delivery_checks import schema
from quality.landed.extract import LandedExtract
from quality.landed.manifest import read_manifest
from quality.rows.connection import set_up
from quality.rows.delivered_as import local_dates, number_shapes
from quality.rows.formats import date_faults, number_faults
from quality.rows.split import make_work
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError
from tests.landing_kit import FIRST

ORDERS = load_contract("canonical", "order")
STREAM = StreamId("shop", "canonical", "order")
COLUMNS = (
    "order_id",
    "contact_id",
    "status",
    "ordered_at",
    "item_amount",
    "refund_amount",
    "currency",
    "product",
    "updated_at",
)
SPELLINGS = {"cancelled": ("cancelled", "canceled", "Cancelled", "CANCELED "), "completed": ("completed", "Complete")}
NOTHING = ("", "  ", "NULL", "nan", "N/A")

Order = dict[str, Any]


@dataclass(frozen=True)
class Style:
    """One way of writing a file."""

    ending: str
    delimiter: str
    quoting: int
    encoding: str
    newline: str
    reading: Reading
    separator: str
    id_form: str
    nothing: str
    header: str
    spelling: int
    blank: str

    @property
    def writes_local_numbers(self) -> bool:
        return self.ending == "csv"

    def cell(self, name: str, value: object) -> str:
        match value:
            case None:
                return self.nothing if name != "product" else ""
            case Decimal():
                return self.number(value) if self.writes_local_numbers else f"{value:f}"
            case datetime():
                return self.time(value)
            case int():
                return self.id_form.format(value)
        if name == "status":
            words = SPELLINGS.get(str(value), (str(value),))
            return words[self.spelling % len(words)]
        return f" {value}" if name == "currency" and self.spelling else str(value)

    def number(self, value: Decimal) -> str:
        grouped = f"{value:,.2f}" if self.reading.thousands else f"{value:.2f}"
        marks = {ord(","): self.reading.thousands, ord("."): self.reading.point}
        return grouped.translate(marks).replace(" ", self.blank)

    def time(self, value: datetime) -> str:
        date = {
            None: "{0:%Y-%m-%d}",
            "day-first": "{0:%d}{1}{0:%m}{1}{0:%Y}",
            "month-first": "{0:%m}{1}{0:%d}{1}{0:%Y}",
        }
        clock = "%I:%M:%S %p" if self.separator == "/" and self.reading.dates else "%H:%M:%S"
        return date[self.reading.dates].format(value, self.separator) + f" {value:{clock}}"

    def name(self, column: str) -> str:
        return {"exact": column, "title": column.replace("_", " ").title(), "loud": f"{column.upper()} "}[self.header]

    def write(self, orders: Sequence[Order], path: Path) -> None:
        cells = [[self.cell(name, order[name]) for name in COLUMNS] for order in orders]
        names = [self.name(column) for column in COLUMNS]
        if self.ending == "csv":
            text = io.StringIO()
            writer = csv.writer(text, delimiter=self.delimiter, quoting=self.quoting, lineterminator=self.newline)  # type: ignore[arg-type]
            writer.writerows([names, *cells])
            path.write_bytes(text.getvalue().encode(self.encoding))
        elif self.ending == "jsonl":
            lines = [
                json.dumps(
                    {
                        name: float(order[column]) if isinstance(order[column], Decimal) else cell
                        for name, column, cell in zip(names, COLUMNS, row, strict=True)
                    }
                )
                for order, row in zip(orders, cells, strict=True)
            ]
            path.write_text("\n".join(lines), encoding="utf-8")
        else:
            pq.write_table(
                pa.table(
                    {name: [order[column] for order in orders] for name, column in zip(names, COLUMNS, strict=True)}
                ),
                path,
            )


ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le")
READINGS = st.builds(
    lambda marks, dates: Reading(decimal=marks[0], thousands=marks[1], dates=dates),
    st.sampled_from([(".", None), (",", None), (".", ","), (",", "."), (",", " "), (".", "'")]),
    st.sampled_from([None, "day-first", "month-first"]),
)
STYLES = st.builds(
    Style,
    ending=st.sampled_from(["csv", "csv", "csv", "jsonl", "parquet"]),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(ENCODINGS),
    newline=st.sampled_from(["\n", "\r\n"]),
    reading=READINGS,
    separator=st.sampled_from("/.-"),
    id_form=st.sampled_from(["{}", "{}.0", " {} "]),
    nothing=st.sampled_from(NOTHING),
    header=st.sampled_from(["exact", "title", "loud"]),
    spelling=st.integers(0, 3),
    blank=st.sampled_from([" ", "\u00a0"]),
)
TEXTS = st.sampled_from(["NULL", "NA", "Müller & Söhne", 'two "quoted" words', "a;b,c|d", "1.000", "nan"])
AMOUNTS = st.decimals(-(10**5), 10**7, places=2, allow_nan=False) | st.integers(-5000, 5000).map(Decimal)
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2026, 2, 27)).map(lambda at: at.replace(microsecond=0))
ORDER_LISTS = st.lists(
    st.fixed_dictionaries(
        {
            "order_id": st.integers(1, 10**15 - 1),
            "contact_id": st.none() | st.integers(1, 10**9),
            "status": st.sampled_from(["cancelled", "completed", "placed"]),
            "ordered_at": MOMENTS,
            "item_amount": st.none() | AMOUNTS.map(lambda amount: amount.quantize(Decimal("0.01"))),
            "refund_amount": st.none(),
            "currency": st.none() | st.sampled_from(["EUR", "USD"]),
            "product": st.none() | TEXTS,
            "updated_at": MOMENTS,
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda order: order["order_id"],
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        set_up(connection)
        yield connection


def accepted(
    connection: duckdb.DuckDBPyConnection, folder: Path, orders: Sequence[Order], style: Style, *, is_declared: bool
) -> list[Order] | None:
    """The typed rows that come of a file; None: the extract is refused, in words."""
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    for left in inbox.iterdir():
        left.unlink()
    style.write(orders, inbox / f"order_{FIRST}.{style.ending}")
    declared = {"delimiter": style.delimiter, "encoding": style.encoding, "reading": style.reading}
    stream = FileStream(
        stream=STREAM,
        location=str(inbox),
        pattern=f"{{stream}}_{{date}}.{style.ending}",
        first_date=FIRST,
        complete="rename",
        **(declared if is_declared and style.ending == "csv" else {"reading": style.reading} if is_declared else {}),  # type: ignore[arg-type]
    )
    data = DataFolder(folder / "data")
    try:
        land(stream, ORDERS, data, FIRST)
    except JourneymartError:
        return None
    partition = data.landing_partition(STREAM, FIRST)
    extract = LandedExtract(STREAM, ORDERS, FIRST, "UTC", "increment", partition, stream.reading)
    if schema(ORDERS, read_manifest(partition)).outcome != "pass":
        return None
    faults = number_faults(number_shapes(connection, extract), extract.reading)
    if faults or date_faults(local_dates(connection, extract), extract.reading):
        return None
    make_work(connection, ORDERS, [extract])
    found = connection.execute(f"select {', '.join(COLUMNS)} from work where not _quarantined order by _row").fetchall()
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def expected(orders: Sequence[Order]) -> list[Order]:
    ids = ("order_id", "contact_id")
    return [
        {
            name: str(value)
            if name in ids and value is not None
            else value.replace(tzinfo=UTC)
            if isinstance(value, datetime)
            else value
            for name, value in order.items()
        }
        for order in orders
    ]


@given(orders=ORDER_LISTS, style=STYLES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_what_was_written_or_are_refused_whatever_the_way_of_writing(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, orders: list[Order], style: Style
) -> None:
    assert accepted(connection, tmp_path, orders, style, is_declared=True) == expected(orders)
    unasked = accepted(connection, tmp_path, orders, style, is_declared=False)
    assert unasked is None or all(row in expected(orders) for row in unasked)
