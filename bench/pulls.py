"""What a pull costs: the connector, and the bare client that asks for the same rows and keeps nothing.

What lives here: the servers asked, as programs beside the measured ones, and both sides. Not here: the ratio
(ratios.py). What is measured is the pull alone, up to the pages that landing takes; landing is part of a night.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.states import Bench
from orchestration.config.settings import PROJECT

TICKETS, ORDERS = 200_000, 2_000_000
DAY = "2026-06-01"

_BARE = str(PROJECT / "bench" / "peers" / "bare_pull.py")
_COMPANY = f"""\
company: Bench
reporting_timezone: UTC
currency: EUR
first_date: {DAY}
sources:
  shop:
    system: canonical
    connector: postgres
    connection_env: SHOP_DATABASE
    mode: full
    streams:
      order: {{table: orders}}
"""


def pulls(bench: Bench, size: str | None = None) -> dict[str, Any]:
    """Tickets of an emulated Zendesk, and orders of a PostgreSQL server."""
    with tempfile.TemporaryDirectory(dir=bench.root) as scratch:
        return {"rest": _of_an_api(bench, Path(scratch)), "postgres": _of_a_database(bench, Path(scratch))}


def _of_an_api(bench: Bench, scratch: Path) -> dict[str, Any]:
    ours, bare = [], []
    company = bench.installation("pulls")
    with _serving("tests.zendesk_emulator", TICKETS) as (address, email, token):
        for pair in range(bench.pairs):
            # The limits of requests a minute aside, which are the vendor's.
            program = ("-m", "tests.rest_kit", str(scratch / f"api {pair}"), address, "tickets", DAY)
            ours.append(company.measured(sys.executable, *program))
            bare.append(company.measured(sys.executable, _BARE, "zendesk", str(TICKETS), address, email, token))
    return {"rows": TICKETS, "ours": [asdict(each) for each in ours], "bare": [asdict(each) for each in bare]}


def _of_a_database(bench: Bench, scratch: Path) -> dict[str, Any]:
    ours, bare = [], []
    company = bench.installation("pulls")
    file = scratch / "company.yml"
    file.write_text(_COMPANY, encoding="utf-8")
    with _serving("tests.postgres_kit", ORDERS) as (uri,):
        for pair in range(bench.pairs):
            said = {"JOURNEYMART_SOURCES": str(file), "JOURNEYMART_COMPANY": "", "SHOP_DATABASE": uri}
            said["JOURNEYMART_DATA"] = str(scratch / f"database {pair}")
            ours.append(company.measured(sys.executable, "-m", "bench.pulled", DAY, str(ORDERS), **said))
            bare.append(company.measured(sys.executable, _BARE, "postgres", str(ORDERS), uri))
    return {"rows": ORDERS, "ours": [asdict(each) for each in ours], "bare": [asdict(each) for each in bare]}


@contextmanager
def _serving(module: str, rows: int) -> Iterator[list[str]]:
    """Start a server of so many rows; gives what it says of how to ask it."""
    with subprocess.Popen(
        [sys.executable, "-m", module, str(rows)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        if server.stdout is None:
            raise RuntimeError("the server has no output")
        try:
            yield server.stdout.readline().split()
        finally:
            server.communicate()
