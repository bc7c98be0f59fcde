"""An S3 of the tests' own: moto's server behind a door that lets one request through at a time and can disturb any.

One at a time, because moto compares and replaces in two steps, where a store promises one. What is done to a request is
said by its number: the door then kills a process before or after it, refuses it, loses its answer, or holds it up.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from assets.object_store.client import ObjectStore, open_store
from tests.remote_kit import HOST, S3Server, s3_server

URL = "s3://drop/acme/cx"
PREFIX = "acme/cx/"
# Done to a request; it says whether the request goes on, and whether its answer goes back.
Disturbance = Callable[["Request"], tuple[bool, bool]]
_NOT_SENT_ON = {"connection", "content-length", "transfer-encoding", "content-encoding", "host"}


@dataclass(frozen=True)
class Request:
    """One request, by its place in the order of all, from 1."""

    number: int
    method: str
    path: str
    send: Callable[[], requests.Response]


@dataclass
class Door:
    """What the publisher talks to.

    Attributes:
        address: Where it is.
        behind: The S3 itself.
        disturb: What is done to requests; None: nothing.
        seen: Methods and paths of the requests that came.
    """

    address: str
    behind: S3Server
    disturb: Disturbance | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What a process needs to talk to it."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "robot",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def store(self) -> ObjectStore:
        """The store, as the product opens it."""
        return open_store(URL)

    def objects(self) -> dict[str, bytes]:
        """All objects, not through the door."""
        listed = self.behind.client.list_objects_v2(Bucket="drop", Prefix=PREFIX).get("Contents", ())
        return {each["Key"].removeprefix(PREFIX): self.get(each["Key"]) for each in listed}

    def get(self, key: str) -> bytes:
        """One object, not through the door."""
        content: bytes = self.behind.client.get_object(Bucket="drop", Key=key)["Body"].read()
        return content


@contextmanager
def store_door() -> Iterator[Door]:
    """A store; it ends with the block."""
    with s3_server() as behind:
        turn = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_SENT_ON}

                def send() -> requests.Response:
                    return requests.request(
                        self.command, f"{behind.address}{self.path}", data=body, headers=headers, timeout=60
                    )

                with turn:
                    door.seen.append((self.command, self.path))
                    request = Request(len(door.seen), self.command, self.path, send)
                    goes_on, comes_back = door.disturb(request) if door.disturb else (True, True)
                    answer = send() if goes_on else None
                if not comes_back:
                    self.close_connection = True
                    return
                status, content = (answer.status_code, answer.content) if answer is not None else (500, b"")
                self.send_response(status)
                for name, value in answer.headers.items() if answer is not None else ():
                    if name.lower() not in {*_NOT_SENT_ON, "date", "server"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer((HOST, 0), Handler)
        server.handle_error = lambda *_: None  # a killed publisher reads no answer
        door = Door(f"http://{HOST}:{server.server_port}", behind)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            server.shutdown()
            server.server_close()
            thread.join(60)
            # All of moto's servers in one process have the same buckets.
            requests.post(f"{behind.address}/moto-api/reset", timeout=60)


def killing(started: list[int], number: int, *, after: bool) -> Disturbance:
    """Kill a process at its request of that number: before the store sees it, or after, with its answer lost."""

    def disturb(request: Request) -> tuple[bool, bool]:
        if request.number != number:
            return True, True
        if after:
            request.send()
        os.kill(started[0], signal.SIGKILL)
        return False, False

    return disturb
