"""How a step tells a person how far it is.

What lives here: the wire between the two. Not here: what is drawn (orchestration/cli/console.py).

Dagster's events say when a step begins and ends; this says what happens within one, without a line in the
event log each. A pull that takes hours has a line there once a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

from storage.data_folder import StreamId

T = TypeVar("T")
# Between two lines of the event log that say how far a pull is.
_LOGGED_SECONDS = 60.0

Listener = Callable[[str], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` in words how far the running step is, whenever it moves on; from any thread."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def advance(done: int, total: int) -> None:
    """Say that `done` of `total` parts of the running step are done."""
    _tell(f"{done} of {total}")


class Pages:
    """How far pulls are: each page is told at once in a terminal, and now and then in the event log.

    Args:
        log: Writes a line into the event log; called in the thread that waits.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._last: dict[StreamId, str] = {}

    def tell(self, stream: StreamId, pages: int, rows: int) -> None:
        """Say how many pages of an extract are there, and the rows in them; from any thread."""
        self._last[stream] = f"{stream}: {pages:,} pages, {rows:,} rows"
        _tell(self._last[stream])

    def wait_for(self, future: Future[T], seconds: float = _LOGGED_SECONDS) -> T:
        """The result of a pull; what was pulled meanwhile is logged, however long it takes."""
        while not wait([future], timeout=seconds).done:
            for stream in list(self._last):
                self._log(f"{self._last.pop(stream)} so far")
        return future.result()


def _tell(words: str) -> None:
    for listener in _listeners:
        listener(words)
