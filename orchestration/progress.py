"""How a step tells a person how far it is.

What lives here: the wire between the two. Not here: what is drawn (orchestration/cli/console.py).

Dagster's events say when a step begins and ends; this says what happens within one, without a line in the
event log each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[int, int], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` (done, total) whenever the running step moves on."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def advance(done: int, total: int) -> None:
    """Say that `done` of `total` parts of the running step are done."""
    for listener in _listeners:
        listener(done, total)
