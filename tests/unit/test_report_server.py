"""The server of the report: its pages, to this machine only, for as long as the process that started it lives."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assets.versions.versions import swing
from orchestration.ui.report_server import serve_beside
from storage.data_folder import DataFolder, report_file
from storage.errors import JourneymartError

STARTER = """
import os, sys
from pathlib import Path
from orchestration.ui.report_server import serve_beside
from storage.data_folder import DataFolder
serve_beside(DataFolder(Path(sys.argv[1])), int(sys.argv[2]))
os.execv("/bin/sleep", ["/bin/sleep", "600"])
"""


class Served:
    """A data folder with two versions, its server, and the process that started it."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        for version in ("2026-06-28-one", "2026-06-29-two"):
            for name in ("index", "journey"):
                page = report_file(self.folder.versions / version, name)
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(f"{name} of {version}")
            page.with_name("private.html").write_text("not a page")
            page.with_name("manifest.json").write_text("{}")
        swing(self.folder, "2026-06-28-one")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-c", STARTER, str(root), str(self.port)]
        self.starter = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        self.wait(is_up=True)

    def is_up(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self, *, is_up: bool) -> None:
        deadline = time.monotonic() + 20
        while self.is_up() is not is_up:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def ask(self, path: str, method: str = "GET", host: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("served") / "da ta")
    yield served
    if served.starter.poll() is None:
        served.starter.kill()
        served.starter.wait()


def test_the_page_is_that_of_the_version_that_is_current_when_it_is_asked_for(served):
    assert served.ask("/index.html") == served.ask("/?x=1") == (200, "index of 2026-06-28-one")
    assert served.ask("/journey.html") == (200, "journey of 2026-06-28-one")
    swing(served.folder, "2026-06-29-two")
    assert served.ask("/journey.html") == (200, "journey of 2026-06-29-two")
    assert served.ask("/journey.html", "HEAD") == (200, "")


@pytest.mark.parametrize(
    "path",
    [
        "/private.html",
        "/manifest.json",
        "/report/",
        "/../manifest.json",
        "/journey.html/../private.html",
        "/%2e%2e/%2e%2e/current/report/journey.html",
        "//etc/passwd",
        "/journey.html%00",
    ],
)
def test_nothing_else_is_served_and_no_folder_is_listed(served, path):
    assert served.ask(path)[0] == 404


def test_a_page_of_another_site_cannot_read_it(served):
    assert served.ask("/journey.html", host="example.com")[0] == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_only_reads(served, method):
    assert served.ask("/journey.html", method)[0] == 501


def test_only_this_machine_can_ask(served):
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {line.split()[1] for line in listening if line.split()[3] == "0A"}
    assert f"0100007F:{served.port:04X}" in addresses
    assert f"00000000:{served.port:04X}" not in addresses


def test_a_taken_port_is_one_sentence(served):
    with pytest.raises(JourneymartError, match=rf"port {served.port} \(Address already in use\): name another --port"):
        serve_beside(served.folder, served.port)


def test_it_ends_with_the_process_that_started_it_however_that_ends(served):
    os.kill(served.starter.pid, signal.SIGKILL)
    served.starter.wait()
    served.wait(is_up=False)
