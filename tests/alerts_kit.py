"""A receiver of messages on this machine, and published versions whose one KPI says how it stands."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb

from assets.report.scorecard.columns import DEFINITION_COLUMNS
from assets.versions.publish import publish
from storage.data_folder import DataFolder, marts_file
from storage.locks import data_lock
from tests.small_night import NOW, PUBLIC, SmallNight, build


@dataclass
class Receiver:
    """What arrived, and with which status the next messages are answered."""

    port: int = 0
    arrived: list[dict] = field(default_factory=list)
    status: int = 200

    def address(self, secret: str) -> str:
        """The address of a receiver as apprise writes it, with a secret in each of its parts."""
        return f"json://{secret}:{secret}@127.0.0.1:{self.port}/{secret}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.arrived]

    @property
    def text(self) -> str:
        return json.dumps(self.arrived)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at a port of the system's choice."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if receiver.status == 200:
                receiver.arrived.append(message)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def publish_kpi(folder: DataFolder, number: int, *, value: float, low: float, high: float, others: int = 0) -> None:
    """Publish a version with one KPI, satisfaction, of which dbt says how it changed, and others that did not.

    Args:
        folder: Data folder.
        number: Number of the night.
        value: Difference to the period before.
        low: Lower end of the difference's interval.
        high: Its upper end.
        others: How many KPIs did not change.
    """
    night = SmallNight(number, rows=10)
    with data_lock(folder):
        path = build(folder, night)
        write_kpis(marts_file(path), {"csat": (value, low, high), **{f"other_{n}": (0, -5, 5) for n in range(others)}})
        publish(
            folder,
            path,
            ledger=night.ledger(folder),
            night=night.night,
            public_tables=PUBLIC | {"dim_kpi", "mart_kpi_daily"},
            published_at=NOW,
            keep=5,
        )


def write_kpis(marts: Path, changes: dict[str, tuple[float, float, float]]) -> None:
    """Write marts of KPIs that stood at 80 and changed by so much, each with the interval of its change."""
    with duckdb.connect(marts) as connection:
        empty = ", ".join(f"null::varchar as {name}" for name in DEFINITION_COLUMNS if name not in _SAID)
        connection.execute(
            f"create or replace table dim_kpi as select kpi, 'Customer satisfaction' as name, 'percent' as unit, "
            f"1 as decimals, 'higher_is_better' as direction, 'flow' as basis, {empty} "
            "from (select unnest(?) as kpi)",
            [list(changes)],
        )
        connection.execute(
            """
            create or replace table mart_kpi_daily as
            with changes as (
                select
                    unnest($kpis) as kpi, unnest($differences) as difference,
                    unnest($lows) as difference_low, unnest($highs) as difference_high
            )
            select
                kpi, 'rolling_28' as period, 'all' as dimension, 'all' as member,
                date '2026-01-02' as date_day, date '2025-12-06' as window_start,
                80 + difference as value, 80::double as previous_value, difference,
                difference_low, difference_high, difference_low > 0 or difference_high < 0 as is_changed,
                400 as n, null::double as ci_low, null::double as ci_high, null::double as target,
                null::boolean as is_target_met, null::double as benchmark, null::varchar as benchmark_source,
                false as is_suppressed, false as is_low_n, true as is_complete_window, false as is_stale
            from changes
            """,
            {
                "kpis": list(changes),
                "differences": [float(each[0]) for each in changes.values()],
                "lows": [float(each[1]) for each in changes.values()],
                "highs": [float(each[2]) for each in changes.values()],
            },
        )


_SAID = {"kpi", "name", "unit", "decimals", "direction", "basis"}
