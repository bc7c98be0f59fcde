"""A request ends when its time is over, however slowly its answer trickles in.

What lives here: connections that can be cut while somebody waits for them, and the time after which they are. Limits of
a library bound the wait for the next byte, so a host that sends one byte within each keeps a request for ever; and
what waits for the handshake, the head or the body of an answer cannot look at a clock meanwhile. Not here: what
follows from it (http.py).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline(HTTPAdapter):
    """The connections of a session whose requests one thread sends, and the time of each.

    Attributes:
        is_over: The time of the last request was over before it was answered.
    """

    def __init__(self, **how: Any) -> None:  # noqa: ANN401 - as HTTPAdapter takes it
        """Nothing is connected yet."""
        self.is_over = False
        self._open: socket.socket | None = None
        self._lock = threading.Lock()
        super().__init__(**how)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut the connection if what is done meanwhile takes longer."""
        self.is_over = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as HTTPAdapter does
        """As HTTPAdapter does, with connections that can be cut."""
        super().init_poolmanager(*arguments, **named)
        self._make_cuttable(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:  # noqa: ANN401 - as HTTPAdapter does
        """As HTTPAdapter does, with connections that can be cut."""
        manager = super().proxy_manager_for(proxy, **named)
        self._make_cuttable(manager)
        return manager

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        self._keep(None)

    def _make_cuttable(self, manager: PoolManager) -> None:
        opened: Callable[[socket.socket], None] = self._opened

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                opened(sock)
                return sock

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                opened(sock)
                return sock

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        tls = type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": Tls})
        manager.pool_classes_by_scheme = {"http": plain, "https": tls}

    def _opened(self, sock: socket.socket) -> None:
        # A handle of its own: what TLS wraps is taken out of the one it was handed.
        self._keep(sock.dup())

    def _keep(self, sock: socket.socket | None) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = sock
        if self.is_over:
            self._shut()

    def _cut(self) -> None:
        self.is_over = True
        self._shut()

    def _shut(self) -> None:
        with self._lock, suppress(OSError):
            if self._open is not None:
                self._open.shutdown(socket.SHUT_RDWR)
