"""The web page as a browser reaches it: Dagster's real server behind the door, and its end.

Not here: which requests the door refuses one by one (tests/unit/test_door.py), the report beside the page
(tests/unit/test_report_server.py).
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from tests.e2e.installation import Installation, hand_over_what_is_made

# On a machine that does much else.
PATIENCE = 240
# As a shell without job control starts what goes on in the background.
DEAF = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
JSON = {"Content-Type": "application/json"}
SCHEDULES = '{ schedulesOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: \
"journeymart"}) { ... on Schedules { results { id name scheduleState { status } } } } }'
STOP = "mutation { stopRunningSchedule(id: %s) { __typename } }"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


class WebPage:
    """`journeymart ui`, started in the background."""

    def __init__(self, root: Path) -> None:
        state = root / "state"
        hand_over_what_is_made(state)
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            # The report takes the port after it, which nobody has now.
            self.port = max(each.getsockname()[1] for each in (one, other)) - 1
        self.process = subprocess.Popen(
            [*DEAF, sys.executable, "-m", "orchestration.cli", "ui", "--port", str(self.port)],
            cwd=PROJECT,
            env=Installation(root / "data", state).environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + PATIENCE
        while not self.is_up():
            assert self.process.poll() is None, self.process.communicate(timeout=PATIENCE)[0]
            if time.monotonic() > deadline:
                self.end()
                pytest.fail(f"the page was not up after {PATIENCE} s")
            time.sleep(0.2)

    def end(self) -> None:
        """End it however it stands; what it started sees that and ends."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def is_up(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): said for name, said in headers.items()})
            answer = connection.getresponse()
            # A socket that was opened sends until somebody closes it.
            return answer.status, "" if answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS else answer.read().decode()
        finally:
            connection.close()

    def query(self, query: str, **headers: str) -> tuple[int, str]:
        return self.ask("POST", "/graphql", json.dumps({"query": query}), **{**JSON, **headers})

    def schedules(self) -> list[dict]:
        status, answer = self.query(SCHEDULES)
        assert status == http.HTTPStatus.OK, answer
        return json.loads(answer)["data"]["schedulesOrError"]["results"]

    def family(self) -> set[int]:
        """The processes that it started, and those that they did."""
        parents = {int(pid): int(parent) for pid, parent in _processes()}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found


def _processes() -> Iterator[tuple[str, str]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, after = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield stat.parent.name, after.split()[1]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebPage]:
    served = WebPage(tmp_path_factory.mktemp("web page"))
    try:
        yield served
    finally:
        served.end()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/graphql", "{json}", {**JSON, "Host": "evil.example"}),
        ("POST", "/graphql", "{json}", {**JSON, "Origin": "https://evil.example"}),
        ("POST", "/graphql", "{json}", {**JSON, "Origin": "null"}),
        ("POST", "/graphql", "{json}", {"Content-Type": "text/plain"}),
        ("POST", "/graphql?query={query}", None, {"Content-Type": "text/plain"}),
        ("GET", "/graphql?query={query}", None, {}),
        ("GET", "/graphql", None, {**UPGRADE, "Origin": "https://evil.example"}),
    ],
    ids=["foreign host", "foreign origin", "no origin", "text", "address of a form", "address", "socket"],
)
def test_nothing_that_another_page_sends_reaches_dagster(
    page: WebPage, method: str, path: str, body: str | None, headers: dict[str, str]
) -> None:
    (schedule,) = page.schedules()
    stop = STOP % json.dumps(schedule["id"])
    asked = path.replace("{query}", stop.replace(" ", "%20").replace('"', "%22"))
    status, _ = page.ask(method, asked, body and json.dumps({"query": stop}), **headers)
    assert status == http.HTTPStatus.FORBIDDEN
    assert page.schedules() == [schedule]
    assert schedule["scheduleState"]["status"] == "RUNNING"


def test_the_page_works_and_its_own_changes_are_done(page: WebPage) -> None:
    own = f"http://127.0.0.1:{page.port}"
    status, html = page.ask("GET", "/", Accept="text/html")
    assert (status, "<html" in html) == (http.HTTPStatus.OK, True)
    assert page.ask("GET", "/graphql", **UPGRADE, Origin=own)[0] == http.HTTPStatus.SWITCHING_PROTOCOLS
    (schedule,) = page.schedules()
    assert page.query(STOP % json.dumps(schedule["id"]), Origin=own)[0] == http.HTTPStatus.OK
    assert [each["scheduleState"]["status"] for each in page.schedules()] == ["STOPPED"]


def test_asked_to_end_it_ends_with_all_it_started(page: WebPage) -> None:
    family = page.family()
    assert len(family) >= len({"the page", "the report", "the definitions", "the schedule"})
    began = time.monotonic()
    page.process.send_signal(signal.SIGTERM)
    said, _ = page.process.communicate(timeout=PATIENCE)
    assert page.process.returncode == 0, said
    assert said.endswith("The web page, the schedule and the report have ended.\n")
    # The report's server is nobody's to wait for; it sees the end by itself.
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.05)
