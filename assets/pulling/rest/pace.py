"""How fast a vendor may be asked, and until when a night may wait for it.

What lives here: the requests of some seconds, counted for all that counts against one limit, and the end of the time
for an extract. Not here: what is asked (http.py), which limits a vendor has (one file per vendor).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cache


class OutOfTime(Exception):  # noqa: N818 - the time is up: no mistake of anybody
    """What must be waited for comes after the time there is.

    Attributes:
        seconds: How long the wait would be.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s more would be needed")
        self.seconds = seconds


class Turns:
    """The requests that some seconds may hold; threads may share it."""

    def __init__(self, requests: int, seconds: float = 60.0) -> None:
        """None was sent yet.

        Args:
            requests: How many.
            seconds: Any so many seconds may hold them.
        """
        self._given: deque[float] = deque(maxlen=requests)
        self._seconds = seconds
        self._lock = threading.Lock()

    def take(self, now: float, until: float) -> float:
        """Take the next turn there is.

        Args:
            now: The time, in seconds that never go back.
            until: The last moment that is of use.

        Returns:
            Seconds to wait for it.

        Raises:
            OutOfTime: It comes too late; it is not taken.
        """
        with self._lock:
            is_full = len(self._given) == self._given.maxlen
            at = max(now, self._given[0] + self._seconds) if is_full else now
            if at > until:
                raise OutOfTime(at - now)
            self._given.append(at)
        return at - now


@cache
def turns_at(base: str, limit: str, requests: int, seconds: float) -> Turns:
    """The turns of a limit at a host, which all streams that are asked there in this process share."""
    return Turns(requests, seconds)


class Pace:
    """The turns an extract takes and the waits it makes, until its time is over."""

    def __init__(
        self,
        turns: Turns,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin the time of an extract.

        Args:
            turns: The requests it may send.
            seconds: How long it may take from now on.
            clock: Tells seconds that never go back.
            sleep: Waits some seconds.
        """
        self._turns = turns
        self._clock = clock
        self._sleep = sleep
        self._until = clock() + seconds

    def turn(self) -> None:
        """Wait until one more request may be sent.

        Raises:
            OutOfTime: That would be too late; nothing was waited.
        """
        self._sleep(self._turns.take(self._clock(), self._until))

    def wait(self, seconds: float) -> None:
        """Wait as long as a vendor says, or as is wise after a fault.

        Raises:
            OutOfTime: That would be too long; nothing was waited.
        """
        if self._clock() + seconds > self._until:
            raise OutOfTime(seconds)
        self._sleep(seconds)
