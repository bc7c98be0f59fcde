"""A connection to PostgreSQL that can only read.

What lives here: its settings, opening it and asking. Not here: what is asked (question.py), what is done with the
answer (pull.py), what a person is told when something is wrong (problems.py).

The settings go with the connection URI, because what is set by a statement does not hold for the transaction it is in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pyarrow as pa

from assets.landing.connectors.config import PostgresPull
from assets.pulling.postgres.problems import broken_off, database, explained, no_uri, not_connected
from storage.data_folder import StreamId
from storage.errors import JourneymartError

_SCHEMES = ("postgresql", "postgres")
# How values are written in text must not depend on the server.
_WRITTEN = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
}
_READING = {"default_transaction_read_only": "on", "default_transaction_isolation": r"repeatable\ read"}
# A server that is gone without a word is noticed within minutes; what the URI says itself stands.
_CONNECTING = {
    "connect_timeout": "30",
    "keepalives_idle": "60",
    "keepalives_interval": "15",
    "keepalives_count": "4",
    "application_name": "journeymart",
}


@dataclass(frozen=True)
class Answer:
    """Columns, and rows as they come; reading them raises what `Session` raises."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class Session:
    """A read-only transaction that sees one snapshot: all it is asked, it answers as of the same moment.

    Every question raises JourneymartError where the database cannot answer it, PassingError where it may later.
    """

    def __init__(self, cursor: Any, stream: StreamId, pull: PostgresPull) -> None:  # noqa: ANN401 - the driver need not be installed
        self._cursor = cursor
        self._stream = stream
        self._pull = pull

    def names(self, question: str) -> tuple[str, ...]:
        """Names of the columns of an answer."""
        with self._explained():
            self._cursor.execute(question)
            return tuple(self._cursor.fetch_arrow_table().schema.names)

    def row(self, question: str) -> tuple[Any, ...]:
        """The only row of an answer."""
        with self._explained():
            self._cursor.execute(question)
            (row,) = self._cursor.fetchall()
            return tuple(row)

    def answer(self, question: str) -> Answer:
        """An answer as it comes, not all of it in memory."""
        with self._explained():
            self._cursor.execute(question)
            reader = self._cursor.fetch_record_batch()
        return Answer(reader.schema, self._batches(reader))

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        began = time.monotonic()
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as error:
                # What goes wrong while rows come has no code.
                seconds = time.monotonic() - began
                raise broken_off(str(error), seconds, self._stream, self._pull) from None
            yield batch

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import adbc_driver_manager

        try:
            yield
        except adbc_driver_manager.Error as error:
            raise explained(error, self._stream, self._pull) from None


@contextmanager
def session(stream: StreamId, pull: PostgresPull) -> Iterator[Session]:
    """Connect, read-only.

    Raises:
        JourneymartError: The driver is not installed, the variable is not set, the server does not let us in, or the
            session could write.
        PassingError: The server cannot be reached now.
    """
    require_driver()
    import adbc_driver_manager
    from adbc_driver_postgresql import dbapi

    uri = connection_uri(pull, stream)
    try:
        connection = dbapi.connect(uri)
    except adbc_driver_manager.Error as error:
        raise not_connected(str(error), stream, pull) from None
    with connection, connection.cursor() as cursor:
        opened = Session(cursor, stream, pull)
        if opened.row("select current_setting('transaction_read_only'), current_setting('TimeZone')") != ("on", "UTC"):
            raise JourneymartError(
                f"{database(stream, pull)} does not keep the settings that make a session read-only and its times UTC "
                "(a pooler may drop them): connect to the server itself."
            )
        yield opened


def require_driver() -> None:
    """Refuse to begin without the driver.

    Raises:
        JourneymartError: It is not installed.
    """
    try:
        import adbc_driver_manager  # noqa: F401
        import adbc_driver_postgresql.dbapi  # noqa: F401
    except ImportError:
        raise JourneymartError(
            "`connector: postgres` needs the ADBC driver for PostgreSQL: install it with "
            "`pip install 'journeymart[postgres]'`."
        ) from None


def connection_uri(pull: PostgresPull, stream: StreamId) -> str:
    """The URI from the environment, with the settings of a session that only reads.

    Raises:
        JourneymartError: The variable is not set, or holds no URI.
    """
    uri = os.environ.get(pull.connection_env)
    if not uri:
        raise JourneymartError(
            f"The environment variable {pull.connection_env}, which says where the database of {stream.source} is, is "
            "not set: set it to postgresql://user:password@host:5432/database."
        )
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise no_uri(pull) from None
    if parts.scheme not in _SCHEMES:
        raise no_uri(pull)
    said = [pair.partition("=") for pair in parts.query.split("&") if pair]
    settings = {unquote(key): unquote(value) for key, _, value in said}
    ours = {**_READING, **_WRITTEN, "statement_timeout": str(int(pull.statement_timeout.total_seconds() * 1000))}
    options = " ".join(
        [
            *([settings["options"]] if "options" in settings else []),
            *(f"-c {key}={value}" for key, value in ours.items()),
        ]
    )
    every = {**_CONNECTING, **settings, "client_encoding": "UTF8", "options": options}
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in every.items())
    return urlunsplit(parts._replace(query=query))
