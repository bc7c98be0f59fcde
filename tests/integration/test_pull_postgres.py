"""Extracts pulled from a real PostgreSQL hold each row once, as text that keeps every digit, whatever goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.inspect.reached import reach
from assets.landing.connectors.config import FileStream, PostgresPull
from assets.landing.land import land
from assets.pulling.delivery import Delivery, clear_delivery, open_delivery
from assets.pulling.extract import Extracted, extract
from assets.pulling.postgres.pages import PageSize
from assets.pulling.postgres.pull import pull_postgres
from assets.pulling.postgres.session import session
from orchestration.cli.app import command_line
from storage.data_folder import DataFolder, StreamId
from storage.errors import JourneymartError, PassingError
from storage.faults import FAULT_VARIABLE
from tests.landing_kit import FIRST, contract
from tests.postgres_kit import Server, running_server

VARIABLE = "DESK_DATABASE"
SECRET = "g/e:h@e im"
NEXT_DAY = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        # Settings of a server that would spoil what is read, if sessions did not say theirs.
        server.run(
            "alter system set timezone = 'America/New_York'",
            "alter system set datestyle = 'German'",
            "alter system set extra_float_digits = -5",
            "select pg_reload_conf()",
            f"create role guest login password '{SECRET}'",
        )
        yield server


@pytest.fixture(autouse=True)
def _connection(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, server.uri())
    server.run("drop schema if exists desk cascade", "create schema desk", "grant usage on schema desk to guest")


@dataclass
class Desk:
    """Tickets in a database, pulled into a data folder."""

    folder: DataFolder
    pull: PostgresPull = field(
        default_factory=lambda: PostgresPull(VARIABLE, "desk.ticket", None, ("id",), "updated_at")
    )
    settings: dict[str, Any] = field(default_factory=dict)
    size: PageSize = field(default_factory=PageSize)

    def reading(self, **how: Any) -> Desk:
        return replace(self, pull=replace(self.pull, **how))

    @property
    def stream(self) -> FileStream:
        return FileStream(
            **{
                "stream": StreamId("desk", "zendesk", "tickets"),
                "location": str(self.folder.pulled / "desk"),
                "pattern": "{stream}/{date}/*.parquet",
                "first_date": FIRST,
                "pull": self.pull,
                "mode": "increment" if self.pull.cursor else "full",
                **self.settings,
            }
        )

    def pulled(self, day: date = FIRST) -> list[dict[str, str | None]]:
        """Pull, land and clear away; the rows that landed."""
        self.begun(day)
        landed = land(self.stream, contract("status", "updated_at"), self.folder, day)
        clear_delivery(self.folder, self.stream.stream, day)
        assert landed is not None
        rows = pq.read_table(self.folder.landing_partition(self.stream.stream, day) / "rows.parquet")
        return rows.drop_columns(["_file", "_row"]).to_pylist()

    def extracted(self, *days: date, **how: Any) -> Extracted:
        """As a night does: what has landed is not pulled again."""
        return extract(self.stream, contract("status", "updated_at"), self.folder, days, **how)

    def begun(self, day: date = FIRST) -> Delivery:
        return pull_postgres(self.stream, self.pull, contract("status", "updated_at"), self.folder, day, size=self.size)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(DataFolder(tmp_path / "data"))


def ids(rows: list[dict[str, str | None]]) -> list[int]:
    return [int(row["id"] or "") for row in rows]


def tickets(server: Server, *rows: str, kind: str = "timestamptz") -> None:
    """A table of tickets, with rows as SQL."""
    server.run(f"create table desk.ticket (id bigint, updated_at {kind}, status text)")
    for row in rows:
        server.run(f"insert into desk.ticket {row}")


MANY = f"""select row, timestamptz '{FIRST} 12:00Z' + row / 7 * interval '1 second', repeat('x', 400)
    from generate_series(1, 5000) as row"""


class StoppedError(Exception):
    """A pull that ends between two pages."""


@pytest.fixture
def between_pages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Do something before the page of a number is added."""
    added = Delivery.add

    def install(number: int, act: Any) -> None:
        def add(self: Delivery, rows: pa.Table, following: str | None, *, end: bool) -> None:
            if self.pages + 1 == number:
                monkeypatch.setattr(Delivery, "add", added)
                act()
            added(self, rows, following, end=end)

        monkeypatch.setattr(Delivery, "add", add)

    return install


def stop() -> None:
    raise StoppedError


def test_a_source_is_asked_for_a_page_of_which_nothing_is_kept(server: Server, desk: Desk) -> None:
    tickets(server, MANY)
    found = reach(desk.stream, contract("status", "updated_at", "colour"), FIRST)
    assert (found.found, found.missing, found.unknown, found.is_well) == (f"5,000 rows of {FIRST}", (), (), True)
    assert not desk.folder.root.exists()
    server.run("alter table desk.ticket add column extra text")
    asked = replace(desk.stream, pull=replace(desk.pull, key=("updated_at",)))
    found = reach(asked, contract("status", "updated_at", key=("number",)), FIRST)
    assert (found.missing, found.unknown, found.is_well) == (("number",), ("id", "extra"), False)
    server.run("drop table desk.ticket")
    found = reach(desk.stream, contract("status", "updated_at"), FIRST)
    assert "desk.ticket" in found.problem


def test_values_that_typed_reads_break_keep_every_digit(server: Server, desk: Desk) -> None:
    written = {
        "numeric(30, 9)": ("'12345678901234567890.123456789'", "12345678901234567890.123456789"),
        "numeric": ("'NaN'", "NaN"),
        "money": ("1234.5::money", "1234.50"),
        "real": ("0.1", "0.1"),
        "double precision": ("0.30000000000000004", "0.30000000000000004"),
        "timestamptz": ("'2026-03-29 02:30+01'", "2026-03-29 01:30:00+00"),
        "timestamptz /* far */": ("'20000-01-01 00:00+00'", "20000-01-01 00:00:00+00"),
        "timestamptz /* never */": ("'infinity'", "infinity"),
        "timestamp": ("'2026-03-29 02:30:00.123456'", "2026-03-29 02:30:00.123456"),
        "date": ("'2026-12-31'", "2026-12-31"),
        "date /* never */": ("'-infinity'", "-infinity"),
        "boolean": ("true", "true"),
        "uuid": ("'7d444840-9dc0-11d1-b245-5ffdce74fad2'", "7d444840-9dc0-11d1-b245-5ffdce74fad2"),
        "inet": ("'10.0.0.1/8'", "10.0.0.1/8"),
        "jsonb": ("""'{"a": 1.10}'""", '{"a": 1.10}'),
        "json": ("""'{"b":  "\\u00fc"}'""", '{"b":  "\\u00fc"}'),
        "text[]": ("array['x', null, 'y,\"']", '["x",null,"y,\\""]'),
        "bytea": (r"'\x00ff'", "\\x00ff"),
        "interval": ("'1 mon 2 days 03:04:05.5'", "P1M2DT3H4M5.5S"),
        "int4range": ("'[1,3)'", "[1,3)"),
        "char(5)": ("'ab'", "ab"),
        "text": ("E'two\\nlines, \"quotes\", \\u00e4\\U0001F600'", 'two\nlines, "quotes", ä😀'),
        "text /* empty */": ("''", ""),
        "text /* nothing */": ("null", None),
    }
    columns = ", ".join(f'"v{n}" {kind}' for n, kind in enumerate(written))
    values = ", ".join(value for value, _ in written.values())
    server.run(
        f"create table desk.ticket (id bigint, updated_at timestamptz, {columns})",
        f"insert into desk.ticket values (1, '{FIRST} 12:00Z', {values})",
    )

    (row,) = desk.pulled()

    assert dict(zip(written, list(row.values())[2:], strict=True)) == {
        kind: text for kind, (_, text) in written.items()
    }


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
def test_each_date_holds_its_day_in_the_zone_of_the_source_and_the_overlap_before_it(
    server: Server, desk: Desk, kind: str
) -> None:
    """A time without a zone, and a day, are meant in the source's; the first date reaches back to the beginning."""
    desk.settings["timezone"] = "Europe/Berlin"
    zone = "+01" if kind == "timestamptz" else ""
    times = ["1999-12-31 10:00", f"{FIRST} 22:30", f"{FIRST} 23:59:59.999999", f"{NEXT_DAY} 00:00", f"{NEXT_DAY} 12:00"]
    tickets(server, *(f"values ({n}, '{time}{zone}', 'open')" for n, time in enumerate(times)), kind=kind)

    assert ids(desk.pulled(FIRST)) == [0, 1, 2]
    # By days, the overlap is the day before.
    assert ids(desk.pulled(NEXT_DAY)) == ([1, 2, 3, 4] if kind == "date" else [2, 3, 4])


def test_a_row_committed_after_its_day_was_read_comes_with_the_next(server: Server, desk: Desk) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    assert ids(desk.pulled(FIRST)) == [1]

    server.run(f"insert into desk.ticket values (2, '{FIRST} 23:59:58Z', 'open')")
    assert ids(desk.pulled(NEXT_DAY)) == [2]


def test_the_first_date_begins_where_the_company_says(server: Server, desk: Desk) -> None:
    tickets(server, "values (1, '2019-12-31 23:59Z', 'open'), (2, '2020-01-01 00:00Z', 'open')")

    assert ids(desk.reading(since=date(2020, 1, 1)).pulled()) == [2]


def test_numbers_that_count_seconds_or_milliseconds_are_cursors_where_the_contract_says_so(
    server: Server, desk: Desk
) -> None:
    tickets(
        server,
        f"select n, extract(epoch from timestamptz '{FIRST}Z')::bigint + n * 3600, '' "
        "from generate_series(20, 28) as n",
        kind="bigint",
    )

    with pytest.raises(JourneymartError, match="tells no day"):
        desk.begun()
    delivery = pull_postgres(
        desk.stream, desk.pull, contract("status", "updated_at", updated_at="epoch_s"), desk.folder, FIRST
    )
    assert delivery.rows == 4


def test_rows_that_share_a_cursor_at_the_edge_of_a_page_come_once_each_after_a_stop(
    server: Server, desk: Desk, between_pages: Any
) -> None:
    """Even where the key names several rows."""
    tickets(server, f"select n / 3, timestamptz '{FIRST} 12:00Z', n::text from generate_series(0, 99) as n")
    desk.size = PageSize(rows=7)
    for page in (2, 3, 7, 12):
        between_pages(page, stop)
        with pytest.raises(StoppedError):
            desk.begun()

    assert sorted(int(row["status"] or "") for row in desk.pulled()) == list(range(100))


def test_rows_that_are_written_during_a_pull_are_the_next_dates(server: Server, desk: Desk, between_pages: Any) -> None:
    """One extract shows one moment: neither half of a change is in it."""
    tickets(server, MANY)
    desk.size = PageSize(rows=500)
    between_pages(
        3,
        lambda: server.run(
            f"insert into desk.ticket values (0, '{FIRST} 23:30Z', 'new')",
            f"update desk.ticket set status = 'changed', updated_at = '{NEXT_DAY} 00:10Z' where id = 4900",
        ),
    )
    rows = desk.pulled(FIRST)
    assert ids(rows) == list(range(1, 5001))
    assert {row["status"] for row in rows} == {"x" * 400}

    assert ids(desk.pulled(NEXT_DAY)) == [0, 4900]


@pytest.mark.promise("kills")
def test_a_pull_that_is_killed_between_pages_is_gone_on_with(server: Server, desk: Desk) -> None:
    tickets(server, MANY)
    program = (
        "from pathlib import Path; from assets.pulling.postgres.pages import PageSize; "
        "from storage.data_folder import DataFolder; from tests.integration.test_pull_postgres import Desk; "
        f"Desk(DataFolder(Path({str(desk.folder.root)!r})), size=PageSize(rows=500)).begun()"
    )
    for _ in range(2):
        killed = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, FAULT_VARIABLE: "after_page"}, check=False
        )
        assert killed.returncode == -signal.SIGKILL

    desk.size = PageSize(rows=500)
    delivery = desk.begun()
    assert delivery.resumed == 2
    assert ids(desk.pulled()) == list(range(1, 5001))


@pytest.mark.promise("once")
def test_a_server_that_dies_half_way_may_pass_and_nothing_is_pulled_twice(
    server: Server, desk: Desk, between_pages: Any
) -> None:
    tickets(
        server, f"select n, timestamptz '{FIRST} 12:00Z', repeat(md5(n::text), 60) from generate_series(1, 30000) as n"
    )
    desk.size = PageSize(rows=1000)
    between_pages(3, server.stop)
    try:
        with pytest.raises(PassingError, match=r"desk was lost while desk/tickets was read: .*run the night again"):
            desk.begun()
        with pytest.raises(PassingError, match=rf"desk \({VARIABLE}\) cannot be reached"):
            desk.begun()
    finally:
        server.start()

    delivery = desk.begun()
    assert delivery.resumed >= 3
    assert delivery.rows == 30000
    assert ids(desk.pulled()) == list(range(1, 30001))


def test_a_whole_table_shows_what_was_deleted(server: Server, desk: Desk) -> None:
    tickets(server, "select n, now(), 'open' from generate_series(1, 50) as n")
    desk = desk.reading(cursor=None)
    desk.settings["max_delete_share"] = 1
    desk.size = PageSize(rows=9)
    assert ids(desk.pulled(FIRST)) == list(range(1, 51))

    server.run("delete from desk.ticket where id = 7", "update desk.ticket set status = 'closed' where id = 8")
    desk.pulled(NEXT_DAY)
    changes = pq.read_table(desk.folder.landing_partition(desk.stream.stream, NEXT_DAY) / "changes.parquet")
    assert sorted(zip(changes["id"].to_pylist(), changes["_op"].to_pylist(), strict=True)) == [
        ("7", "delete"),
        ("8", "upsert"),
    ]


def test_a_quiet_day_lands_with_no_row_and_all_columns(server: Server, desk: Desk) -> None:
    tickets(server)

    assert desk.pulled() == []
    rows = desk.folder.landing_partition(desk.stream.stream, FIRST) / "rows.parquet"
    assert pq.read_schema(rows).names[:3] != []
    assert set(pq.read_schema(rows).names) == {"id", "updated_at", "status", "_file", "_row"}


def test_a_query_is_read_like_a_table(server: Server, desk: Desk) -> None:
    tickets(server, f"select n, timestamptz '{FIRST} 12:00Z', 'open' from generate_series(1, 50) as n")
    desk.size = PageSize(rows=9)

    rows = desk.reading(
        table=None, query="select id, updated_at, upper(status) as status from desk.ticket where id > 40 -- the newer"
    ).pulled()

    assert ids(rows) == list(range(41, 51))
    assert {row["status"] for row in rows} == {"OPEN"}


def test_another_table_is_never_mixed_into_pages_that_are_there(server: Server, desk: Desk, between_pages: Any) -> None:
    tickets(server, MANY)
    server.run("create table desk.other as select * from desk.ticket where id <= 10")
    desk.size = PageSize(rows=500)
    between_pages(2, stop)
    with pytest.raises(StoppedError):
        desk.begun()

    assert ids(desk.reading(table="desk.other").pulled()) == list(range(1, 11))


def test_nothing_can_be_written(server: Server, desk: Desk) -> None:
    """Not by what a session is asked, nor by a function that a query calls."""
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    server.run(
        "create function desk.spoil() returns text language sql volatile as "
        "$$insert into desk.ticket values (2, now(), 'spoilt') returning status$$"
    )
    with session(desk.stream.stream, desk.pull) as opened, pytest.raises(JourneymartError, match="written into"):
        opened.row("create table desk.spoilt (id int)")
    with pytest.raises(JourneymartError, match="written into"):
        desk.reading(table=None, query="select id, updated_at, desk.spoil() as status from desk.ticket").begun()

    assert server.ask("select count(*), to_regclass('desk.spoilt')::text from desk.ticket") == [(1, None)]


@pytest.mark.parametrize("lacking", ["(2, null, 'open')", f"(null, '{FIRST} 12:00Z', 'open')"])
def test_rows_that_no_window_would_hold_are_refused(server: Server, desk: Desk, lacking: str) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')", f"values {lacking}")

    with pytest.raises(JourneymartError, match="has rows without updated_at or id, which no extract would hold"):
        desk.begun()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"table": "desk.tickets"}, r'has no such table \(relation "desk.tickets" does not exist\): correct the table'),
        ({"cursor": "changed_at"}, r"has no column 'changed_at' in the table desk.ticket: correct the cursor or key"),
        ({"table": None, "query": "select nothing"}, r'cannot read the query \(column "nothing" does not exist\)'),
        ({"table": None, "query": "delete from desk.ticket"}, r"cannot read the query \(syntax error"),
        ({"table": None, "query": "select 1 as id, current_date / 0 as updated_at"}, "cannot read the query"),
        (
            {"table": None, "query": "select id, updated_at, (1 / (id - 1))::text as x from desk.ticket"},
            r"failed reading the query for desk/tickets \(over one of its rows\): run it there to see why",
        ),
        ({"cursor": "status"}, "The cursor 'status' of desk/tickets is of the type text, which tells no day"),
        (
            {
                "statement_timeout": timedelta(milliseconds=300),
                "table": None,
                "query": "select id, updated_at, pg_sleep(5)::text as status from desk.ticket",
            },
            r"gave up reading desk/tickets after 0 s: give its cursor and key an index, or raise statement_timeout",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    server: Server, desk: Desk, how: dict[str, Any], said: str
) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")

    with pytest.raises(JourneymartError, match=said) as raised:
        desk.reading(**how).begun()

    assert not isinstance(raised.value, PassingError)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("connection", "said", "may_pass"),
    [
        ("postgresql://nobody@{host}", r"does not know the user: correct the connection in DESK_DATABASE", False),
        ("postgresql://owner@{host}&dbname=nothing", "does not know or does not open the database", False),
        ("postgresql://guest:wrong@{host}", "does not take the user name or the password", False),
        ("postgresql://owner:hidden@127.0.0.1:1/postgres", "cannot be reached: see that it runs", True),
        ("postgresql://owner:hidden@/postgres?host=/nowhere/hidden", "cannot be reached", True),
        ("owner:hidden@there", "holds no connection URI: set it to postgresql://user:password@host", False),
        ("postgresql://owner@{host}&hidden=1", "holds no connection URI", False),
        ("postgresql://[hidden", "holds no connection URI", False),
        ("", "DESK_DATABASE, which says where the database of desk is, is not set: set it", False),
    ],
)
def test_a_connection_that_cannot_be_made_is_said_without_what_stands_in_it(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch, connection: str, said: str, *, may_pass: bool
) -> None:
    monkeypatch.setenv(VARIABLE, connection.replace("{host}", server.uri().partition("@")[2]))
    access = server.folder / "data/pg_hba.conf"
    before = access.read_text()
    if "guest" in connection:
        access.write_text("local all guest scram-sha-256\n" + before)
        server.run("select pg_reload_conf()")
    try:
        with pytest.raises(JourneymartError, match=said) as raised:
            desk.begun()
    finally:
        access.write_text(before)
        server.run("select pg_reload_conf()")

    assert isinstance(raised.value, PassingError) == may_pass
    assert not any(secret in str(raised.value) for secret in ("hidden", "wrong", str(server.folder)))
    assert "\n" not in str(raised.value)


def test_a_user_who_may_not_read_is_told_what_to_grant_and_a_password_of_any_letters_opens(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    monkeypatch.setenv(VARIABLE, server.uri("guest", SECRET))
    with pytest.raises(JourneymartError, match=r"grant select on the table desk\.ticket for desk/tickets"):
        desk.begun()

    server.run("grant select on desk.ticket to guest")
    assert ids(desk.pulled()) == [1]


def test_options_of_the_connection_stay_and_ours_win(
    server: Server, monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    options = "options=-c%20work_mem%3D7MB%20-c%20default_transaction_read_only%3Doff"
    monkeypatch.setenv(VARIABLE, f"{server.uri()}&{options}&application_name=mine")

    with session(desk.stream.stream, desk.pull) as opened:
        asked = ", ".join(
            f"current_setting('{name}')"
            for name in ("work_mem", "transaction_read_only", "application_name", "transaction_isolation")
        )
        assert opened.row(f"select {asked}") == ("7MB", "on", "mine", "repeatable read")


def test_pages_that_are_complete_are_not_asked_for_again(server: Server, desk: Desk) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    desk.begun()
    server.run(f"insert into desk.ticket values (2, '{FIRST} 12:00Z', 'open')")

    assert desk.begun().resumed == 1
    assert ids(desk.pulled()) == [1]
    assert open_delivery(desk.folder, desk.stream.stream, FIRST, "").pages == 0


def test_a_night_pulls_what_has_not_landed_and_leaves_no_page_behind(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open'), (2, '{NEXT_DAY} 12:00Z', 'open')")

    first = desk.extracted(FIRST)
    assert [(each.extract_date, each.pages, each.rows, each.resumed) for each in first.pulled] == [(FIRST, 1, 1, 0)]
    assert [each.manifest.rows for each in desk.extracted(FIRST, NEXT_DAY).landed] == [1, 1]
    assert [path for path in desk.folder.pulled.rglob("*") if path.is_file()] == []

    monkeypatch.delenv(VARIABLE)
    again = desk.extracted(FIRST, NEXT_DAY)
    assert (again.pulled, [each.changed for each in again.landed]) == ([], [False, False])


def test_what_a_killed_night_left_of_an_extract_that_landed_goes(server: Server, desk: Desk) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    desk.begun()
    land(desk.stream, contract("status", "updated_at"), desk.folder, FIRST)

    assert desk.extracted(FIRST).pulled == []
    assert [path for path in desk.folder.pulled.rglob("*") if path.is_file()] == []


def test_a_person_may_have_landed_extracts_pulled_again(server: Server, desk: Desk) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    desk.extracted(FIRST, NEXT_DAY)
    server.run(f"insert into desk.ticket values (2, '{NEXT_DAY} 01:00Z', 'late')")

    again = desk.extracted(FIRST, NEXT_DAY, again_from=NEXT_DAY)

    assert [each.extract_date for each in again.pulled] == [NEXT_DAY]
    assert [(each.manifest.rows, each.changed) for each in again.landed] == [(1, False), (1, True)]


def test_a_whole_table_is_pulled_for_the_first_and_the_last_date_of_a_range(server: Server, desk: Desk) -> None:
    tickets(server, "values (1, now(), 'open')")
    days = [FIRST + timedelta(days=n) for n in range(4)]

    extracted = desk.reading(cursor=None).extracted(*days)

    assert [each.extract_date for each in extracted.pulled] == [days[0], days[3]]
    assert [each.manifest.date for each in extracted.landed] == [days[0], days[3]]


def test_a_stream_that_may_be_missing_goes_on_without_a_source_nobody_reaches_once_nobody_tries_again(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets(server, f"values (1, '{FIRST} 12:00Z', 'open')")
    desk.settings["when_missing"] = "carry_forward"
    monkeypatch.setenv(VARIABLE, "postgresql://owner@127.0.0.1:1/postgres")
    with pytest.raises(PassingError):
        desk.extracted(FIRST)

    without = desk.extracted(FIRST, may_wait=False)
    assert (without.landed, without.pulled) == ([], [])
    assert "cannot be reached" in (without.unreached or "")

    desk.settings["when_missing"] = "block"
    with pytest.raises(PassingError):
        desk.extracted(FIRST, may_wait=False)
    assert desk.extracted(FIRST, may_wait=False, excused=[FIRST]).landed == []


def test_a_table_that_nobody_pulled_yet_is_looked_at_and_mapped_by_its_first_page(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.run(
        "create table desk.bought (id int, customer_no text, state text, placed_on timestamp, total_gross numeric, "
        "changed_on timestamp)",
        f"insert into desk.bought select n, 'K' || n, 'STORNO', '{FIRST} 08:00', 9.50, '{FIRST} 09:00' "
        "from generate_series(1, 40) as n",
    )
    company = tmp_path / "company.yml"
    company.write_text(
        "company: Acme\nreporting_timezone: UTC\ncurrency: EUR\n"
        f"first_date: {FIRST}\nsources:\n  shop:\n    system: canonical\n    connector: postgres\n"
        f"    connection_env: {VARIABLE}\n    timezone: UTC\n    streams:\n"
        "      order: {table: desk.bought, cursor: changed_on, key: [id]}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("JOURNEYMART_COMPANY", str(tmp_path))
    monkeypatch.setenv("JOURNEYMART_DATA", str(tmp_path / "data"))
    assert command_line(["map", "--suggest", "shop/order", "--write"]) == 0, capsys.readouterr().err
    mapping = (tmp_path / "mappings" / "shop.yml").read_text(encoding="utf-8")
    assert "ordered_at: placed_on" in mapping
    assert "STORNO: cancelled" in mapping
    capsys.readouterr()
    assert command_line(["check", "shop/order", "--json"]) == 0, capsys.readouterr().err
    (looked,) = json.loads(capsys.readouterr().out)["deliveries"]
    assert (looked["rows"], looked["missing"], looked["as_declared"]["blocked_by"]) == (40, [], {})
    assert not (tmp_path / "data" / "pulled").exists()
