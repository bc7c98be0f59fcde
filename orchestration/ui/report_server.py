"""Serves the pages of the current version beside Dagster's web page, for as long as that runs.

What lives here: the server, and starting it as a process of its own. Not here: the pages (assets/report).

Browsers refuse links from a web page to a file, so the link Dagster shows needs an address. Only this machine can ask,
only for the pages every version has, by name; what they ask is answered from the version that is current then. The
process ends when its standard input does, which is when whoever started it (or became something else since) ends,
however that ends. Imports the standard library only, to start at once.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from storage.data_folder import REPORT_PAGES, DataFolder, report_file
from storage.errors import JourneymartError

HOST = "127.0.0.1"

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    # The next night's page has the same address.
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


def serve_beside(folder: DataFolder, port: int) -> None:
    """Serve the current version's pages from another process until this one ends, whatever it becomes.

    Raises:
        JourneymartError: The port is taken.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise JourneymartError(
            f"The report cannot be served on port {port} ({os.strerror(error.errno or 0)}): name another --port, "
            "the report takes the one after it."
        ) from error
    # This end stays open through an exec and closes by itself when the process ends.
    theirs, ours = os.pipe()
    os.set_inheritable(ours, True)
    subprocess.Popen(
        [sys.executable, "-m", __name__, str(listening.fileno()), str(folder.root.resolve())],
        stdin=theirs,
        pass_fds=(listening.fileno(),),
        cwd=Path(__file__).resolve().parents[2],
    )
    listening.close()
    os.close(theirs)


class Handler(BaseHTTPRequestHandler):
    """Answers for one of the pages, and for nothing else."""

    server_version = "journeymart"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 10
    folder: DataFolder

    def do_GET(self) -> None:
        """Send a page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what a page's answer would begin with."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is Dagster's."""

    def _answer(self, *, with_body: bool) -> None:
        # A page of another site whose name was made to point here would send that name.
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in {HOST, "localhost"}:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        page = _page(self.path)
        content = page and _read(self.folder, page)
        if not content:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)


def _page(path: str) -> str | None:
    """The page an address names: nothing of the address ever becomes part of a path."""
    asked = path.partition("?")[0]
    return next((page for page in REPORT_PAGES if asked == f"/{page}.html"), REPORT_PAGES[0] if asked == "/" else None)


def _read(folder: DataFolder, page: str) -> bytes | None:
    """A page of the version that is current now."""
    path = report_file(folder.current.resolve(), page)
    try:
        return None if path.is_symlink() else path.read_bytes()
    except OSError:
        return None


def main() -> None:
    """The process's side: serve on the socket that was passed until standard input ends."""
    # Ctrl-C is for everybody in the terminal; this process ends with the one that started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, root = sys.argv[1:]
    Handler.folder = DataFolder(Path(root))
    listening = socket.socket(fileno=int(descriptor))
    server = ThreadingHTTPServer(listening.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
