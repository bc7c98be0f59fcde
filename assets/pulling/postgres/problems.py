"""What a person is told when PostgreSQL cannot be read: one sentence, without secrets and without values of rows.

What lives here: what the driver's errors mean. Not here: the driver (session.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assets.landing.connectors.config import PostgresPull
from storage.data_folder import StreamId
from storage.errors import JourneymartError, PassingError

# What libpq and the server say where a connection cannot be made, which has no code. Anything else may pass.
_NOT_CONNECTED = {
    "password authentication failed": "does not take the user name or the password",
    "no password supplied": "wants a password",
    "pg_hba.conf": "does not let this user in from this machine",
    'role "': "does not know the user",
    'database "': "does not know or does not open the database",
    "unrecognized configuration parameter": "does not take the settings that make a session read-only",
    "unsupported startup parameter": "does not take the settings that make a session read-only (a pooler does not: "
    "connect to the server itself)",
}
# A parameter of the URI that libpq refuses may be anything that stands in it, so nothing of what it says is repeated.
_REACHED_OUT = ("connection to server", "could not translate host name")

# SQLSTATE classes and codes of what may pass: connection, transaction and resources; the server stops or starts.
_PASSING = ("08", "40", "53", "57", "58")
# Names, types and syntax: words about these hold no values of rows.
_ABOUT_NAMES = "42"
_SERVER_STOPPED_IT, _MAY_PASS = "PGRES_FATAL_ERROR", ("FATAL:", "conflict with recovery")
_TIMEOUT, _STOPPED_BY_PERSON = "57014", "user request"


def no_uri(pull: PostgresPull) -> JourneymartError:
    """The variable holds something else than a connection URI."""
    return JourneymartError(
        f"The environment variable {pull.connection_env} holds no connection URI: set it to "
        "postgresql://user:password@host:5432/database, with what is special in a password written as %40 for @."
    )


def not_connected(said: str, stream: StreamId, pull: PostgresPull) -> JourneymartError:
    """The connection could not be made, and libpq or the server said so."""
    if not any(words in said for words in _REACHED_OUT):
        return no_uri(pull)
    for words, meaning in _NOT_CONNECTED.items():
        if words in said:
            return JourneymartError(
                f"{database(stream, pull)} {meaning}: correct the connection in {pull.connection_env}, or what the "
                "server allows."
            )
    return PassingError(
        f"{database(stream, pull)} cannot be reached: see that it runs and that the connection in "
        f"{pull.connection_env} is right, and run the night again, which goes on where it stopped."
    )


def explained(error: Any, stream: StreamId, pull: PostgresPull) -> JourneymartError:  # noqa: ANN401 - the driver need not be installed
    """What an error of a connection that was made means.

    Args:
        error: An error of the driver.
        stream: What was read.
        pull: How.
    """
    code: str = error.sqlstate or ""
    words = _primary(error)
    if code == _TIMEOUT and _STOPPED_BY_PERSON not in words:
        return _out_of_time(stream, pull)
    if not code or code.startswith(_PASSING):
        return _lost(stream)
    known = next((each for each in _MEANT if code.startswith(each)), None)
    return _meant(known, stream, pull, words) if known else _failed(stream, pull, f"SQLSTATE {code}")


def broken_off(said: str, seconds: float, stream: StreamId, pull: PostgresPull) -> JourneymartError:
    """What an answer that broke off behind its beginning means.

    Args:
        said: What libpq or the server said, without a code.
        seconds: How long the answer had been coming.
        stream: What was read.
        pull: How.
    """
    if _SERVER_STOPPED_IT not in said or any(words in said for words in _MAY_PASS):
        return _lost(stream)
    # The server may say it in any language.
    if "statement timeout" in said or seconds >= pull.statement_timeout.total_seconds():
        return _out_of_time(stream, pull)
    if "read-only transaction" in said:
        return _meant("25006", stream, pull, "while rows came")
    return _failed(stream, pull, "over one of its rows")


def _meant(code: str, stream: StreamId, pull: PostgresPull, words: str) -> JourneymartError:
    return JourneymartError(f"{database(stream, pull)} {_MEANT[code](read(pull), words)} for {stream}.")


def _out_of_time(stream: StreamId, pull: PostgresPull) -> JourneymartError:
    return JourneymartError(
        f"The database gave up reading {stream} after {pull.statement_timeout.total_seconds():,.0f} s: give its cursor "
        "and key an index, or raise statement_timeout in company.yml; pages that came are kept."
    )


def _lost(stream: StreamId) -> PassingError:
    return PassingError(
        f"The connection to the database of {stream.source} was lost while {stream} was read: see that the server "
        "runs, and run the night again, which goes on behind the last page that came."
    )


def _failed(stream: StreamId, pull: PostgresPull, how: str) -> JourneymartError:
    return JourneymartError(
        f"{database(stream, pull)} failed reading {read(pull)} for {stream} ({how}): run it there to see why, and "
        "correct it."
    )


_MEANT: dict[str, Callable[[str, str], str]] = {
    "42P01": lambda what, words: f"has no such table ({words}): correct {what}, in upper and lower case as there,",
    "42501": lambda what, words: f"does not let its user in ({words}): grant select on {what}",
    "25006": lambda what, words: f"was to be written into ({words}): take out of {what} what does so",
    _ABOUT_NAMES: lambda what, words: f"cannot read {what} ({words}): correct it",
}


def database(stream: StreamId, pull: PostgresPull) -> str:
    """The database of a stream, at the beginning of a sentence."""
    return f"The database of {stream.source} ({pull.connection_env})"


def read(pull: PostgresPull) -> str:
    """What of it is read."""
    return f"the table {pull.table}" if pull.query is None else "the query"


def _primary(error: Any) -> str:  # noqa: ANN401 - as above
    """The server's own short message; it may be in the server's language."""
    said: bytes = dict(error.details or ()).get(b"PG_DIAG_MESSAGE_PRIMARY", b"")
    return said.decode(errors="replace")
