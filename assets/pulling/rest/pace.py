"""How fast a vendor may be asked, and until when a night may wait for it.

What lives here: the requests of a minute, shared by all streams of a source that count against one limit, and the end
of the night's time. Not here: what is asked (http.py), which limits a vendor has (one file per vendor).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_MINUTE = 60.0


class OutOfTime(Exception):  # noqa: N818 - the night's time is up: no mistake of anybody
    """What must be waited for comes after the time a night may pull.

    Attributes:
        seconds: How long the wait would be.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s more would be needed")
        self.seconds = seconds


class Pace:
    """Lets as many requests through in any minute as a vendor does; safe to share between threads."""

    def __init__(
        self,
        per_minute: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin the night's time.

        Args:
            per_minute: Requests that any 60 seconds may hold.
            seconds: How long from now on there is time to pull.
            clock: Tells seconds that never go back.
            sleep: Waits some seconds.
        """
        self.per_minute = per_minute
        self._clock = clock
        self._sleep = sleep
        self._until = clock() + seconds
        self._turns: deque[float] = deque(maxlen=per_minute)
        self._lock = threading.Lock()

    def turn(self) -> None:
        """Wait until one more request may be sent.

        Raises:
            OutOfTime: That would be after the night's time.
        """
        with self._lock:
            now = self._clock()
            is_full = len(self._turns) == self.per_minute
            at = max(now, self._turns[0] + _MINUTE) if is_full else now
            self._require_time(at - now)
            self._turns.append(at)
        if at > now:
            self._sleep(at - now)

    def wait(self, seconds: float) -> None:
        """Wait as long as a vendor says, or as is wise after a fault.

        Raises:
            OutOfTime: That would be after the night's time; nothing was waited.
        """
        self._require_time(seconds)
        self._sleep(seconds)

    def calls_left(self) -> int:
        """Requests that fit into what is left of the night's time, if nobody else sends any."""
        return max(0, int((self._until - self._clock()) / _MINUTE * self.per_minute))

    def _require_time(self, seconds: float) -> None:
        if self._clock() + seconds > self._until:
            raise OutOfTime(seconds)
