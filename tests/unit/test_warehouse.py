"""Loading accepted batches: all or none, once, by name, only the new ones."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.warehouse.load import Night, accepted_table, load, prepare
from quality.contract.model import DUCKDB_TYPES, all_contracts, load_contract
from quality.rows.work import ADDED_COLUMNS
from storage.data_folder import StreamId, marts_file, warehouse_file
from storage.errors import JourneymartError

NIGHT = Night(as_of=date(2026, 1, 5), run_id="run", reporting_timezone="Europe/Berlin", currency="EUR")
TICKETS = StreamId("zendesk", "zendesk", "tickets")


def accept(
    root: Path,
    ids: list[str],
    day: date = date(2026, 1, 5),
    stream: StreamId = TICKETS,
    columns: str = "columns",
) -> Path:
    """An accepted partition, as the gate leaves it; `columns` says what is odd about its file."""
    # Names that a pattern would take for something else.
    folder = root / "what? [a*]" / stream.source / stream.stream / day.isoformat()
    folder.mkdir(parents=True)
    types = {
        name: DUCKDB_TYPES[known.type] for name, known in load_contract(stream.system, stream.stream).columns.items()
    }
    types |= ADDED_COLUMNS
    values = {
        "id": "id",
        "_source": f"'{stream.source}'",
        "_extract_date": f"date '{day}'",
        "_op": "'upsert'",
    }
    names = (
        list(reversed(types))
        if columns == "reversed"
        else [n for n in types if columns != "incomplete" or n != "status"]
    )
    selected = ", ".join(f'cast({values.get(name, "null")} as {types[name]}) as "{name}"' for name in names)
    with duckdb.connect() as connection:
        connection.execute("create table ids as select unnest($1::varchar[]) as id", [ids])
        connection.table("ids").query("ids", f"select {selected} from ids").write_parquet(str(folder / "rows.parquet"))
    describe(folder, stream, day, len(ids))
    return folder


def describe(folder: Path, stream: StreamId, day: date, rows: int) -> None:
    described = {
        "batch_id": hashlib.sha256((folder / "rows.parquet").read_bytes()).hexdigest(),
        "source": stream.source,
        "system": stream.system,
        "stream": stream.stream,
        "extract_date": day.isoformat(),
        "rows": rows,
        "quarantined": 0,
        "landing_sha256": "0",
        "contract_fingerprint": "0",
    }
    (folder / "batch.json").write_text(json.dumps(described), encoding="utf-8")


def query(build: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse_file(build)), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "a build [1]"
    prepare(folder)
    return folder


def test_both_files_stand_in_a_format_old_clients_read_and_the_private_one_is_private(build: Path) -> None:
    for file in (warehouse_file(build), marts_file(build)):
        with duckdb.connect(str(file), read_only=True) as connection:
            tags = connection.execute(
                "select tags from duckdb_databases() where database_name = current_database()"
            ).fetchone()
        assert tags is not None
        assert "v1.2.0" in str(tags[0])
    assert stat.S_IMODE(warehouse_file(build).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(marts_file(build).parent.stat().st_mode) == 0o755


def test_preparing_a_clone_keeps_what_it_holds(build: Path, tmp_path: Path) -> None:
    load(build, [accept(tmp_path / "accepted", ["1"])], NIGHT)
    prepare(build)
    assert query(build, "select count(*) from accepted.zendesk__tickets") == [(1,)]


def test_every_contract_has_its_table_even_when_nothing_arrived(build: Path) -> None:
    load(build, [], NIGHT)
    found = {name for (name,) in query(build, "select table_name from duckdb_tables() where schema_name = 'accepted'")}
    assert found == {accepted_table(contract.system, contract.stream) for contract in all_contracts()}


def test_rows_carry_their_batch_and_their_night_and_keep_their_order(build: Path, tmp_path: Path) -> None:
    later = accept(tmp_path, ["c", "d"], date(2026, 1, 6))
    earlier = accept(tmp_path, ["a", "b"], date(2026, 1, 5))
    assert load(build, [later, earlier], NIGHT) == {TICKETS: 4}
    ids = {folder: json.loads((folder / "batch.json").read_text())["batch_id"] for folder in (earlier, later)}
    assert query(build, "select id, _batch_id, _night from accepted.zendesk__tickets order by rowid") == [
        ("a", ids[earlier], 1),
        ("b", ids[earlier], 1),
        ("c", ids[later], 1),
        ("d", ids[later], 1),
    ]
    assert query(build, "select batch_id, rows, night from night.batches order by extract_date") == [
        (ids[earlier], 2, 1),
        (ids[later], 2, 1),
    ]


def test_columns_are_taken_by_name(build: Path, tmp_path: Path) -> None:
    load(build, [accept(tmp_path, ["1"], columns="reversed")], NIGHT)
    assert query(build, "select id, _op, _source from accepted.zendesk__tickets") == [("1", "upsert", "zendesk")]


def test_two_installations_of_a_product_share_a_table_and_stay_apart(build: Path, tmp_path: Path) -> None:
    other = StreamId("zendesk_emea", "zendesk", "tickets")
    loaded = load(build, [accept(tmp_path, ["1"]), accept(tmp_path, ["1"], stream=other)], NIGHT)
    assert loaded == {TICKETS: 1, other: 1}
    assert query(build, "select _source from accepted.zendesk__tickets order by all") == [
        ("zendesk",),
        ("zendesk_emea",),
    ]


def test_a_night_knows_its_number_and_the_night_before(build: Path) -> None:
    load(build, [], NIGHT)
    assert query(build, "select night, as_of, previous_as_of from night.night") == [(1, date(2026, 1, 5), None)]
    load(build, [], Night(date(2026, 1, 9), "next", "Europe/Berlin", "EUR", stale_since=date(2026, 1, 7)))
    assert query(build, "select night, as_of, previous_as_of, run_id, is_stale, stale_since from night.night") == [
        (2, date(2026, 1, 9), date(2026, 1, 5), "next", True, date(2026, 1, 7))
    ]


def test_a_night_opens_no_batch_of_an_earlier_one(build: Path, tmp_path: Path) -> None:
    first = accept(tmp_path, ["1"])
    load(build, [first], NIGHT)
    shutil.rmtree(first)
    load(build, [accept(tmp_path, ["2"], date(2026, 1, 6))], NIGHT)
    assert query(build, "select id, _night from accepted.zendesk__tickets order by id") == [
        ("1", 1),
        ("2", 2),
    ]


def refused(build: Path, batches: list[Path], match: str) -> None:
    """Nothing of a refused load stays: no row, no night."""
    before = query(build, "select id from accepted.zendesk__tickets order by id")
    with pytest.raises(JourneymartError, match=match):
        load(build, batches, NIGHT)
    assert query(build, "select id from accepted.zendesk__tickets order by id") == before
    assert query(build, "select night from night.night") == [(1,)]


@pytest.fixture
def loaded(build: Path, tmp_path: Path) -> Path:
    """A build with one batch in it."""
    load(build, [accept(tmp_path / "first", ["1"])], NIGHT)
    return build


def test_a_batch_is_loaded_once(loaded: Path, tmp_path: Path) -> None:
    refused(loaded, [tmp_path / "first/what? [a*]/zendesk/tickets/2026-01-05"], "is in the warehouse already")


def test_another_content_of_a_loaded_extract_needs_a_base_without_it(loaded: Path, tmp_path: Path) -> None:
    refused(loaded, [accept(tmp_path, ["9"])], "start from a base without it")


def test_a_file_that_changed_after_it_was_accepted_is_refused(loaded: Path, tmp_path: Path) -> None:
    folder = accept(tmp_path, ["2"], date(2026, 1, 6))
    shutil.copy(accept(tmp_path / "other", ["3"]) / "rows.parquet", folder)
    good = accept(tmp_path, ["4"], date(2026, 1, 7))
    refused(loaded, [good, folder], "changed after it was accepted")


def test_a_description_that_counts_other_rows_is_refused(loaded: Path, tmp_path: Path) -> None:
    folder = accept(tmp_path, ["2"], date(2026, 1, 6))
    describe(folder, TICKETS, date(2026, 1, 6), rows=7)
    good = accept(tmp_path, ["4"], date(2026, 1, 5), StreamId("zendesk_emea", "zendesk", "tickets"))
    refused(loaded, [good, folder], "holds 1 rows of its source where its description says 7")


def test_a_file_without_a_column_of_the_contract_is_refused(loaded: Path, tmp_path: Path) -> None:
    refused(loaded, [accept(tmp_path, ["2"], date(2026, 1, 6), columns="incomplete")], "columns of its contract")


def test_a_missing_file_or_description_is_refused(loaded: Path, tmp_path: Path) -> None:
    folder = accept(tmp_path, ["2"], date(2026, 1, 6))
    (folder / "rows.parquet").unlink()
    refused(loaded, [folder], "cannot be read")
    (folder / "batch.json").write_text("{}")
    refused(loaded, [folder], "does not describe an accepted extract")


@settings(max_examples=5)
@given(
    plan=st.lists(st.lists(st.text("ab", min_size=1, max_size=2), max_size=3), min_size=1, max_size=5),
    cut=st.integers(0, 5),
)
def test_any_split_of_batches_over_two_nights_loads_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, plan: list[list[str]], cut: int
) -> None:
    root = tmp_path_factory.mktemp("split")
    batches = [accept(root / "accepted", ids, date(2026, 1, 1 + day)) for day, ids in enumerate(plan)]
    build = root / "build"
    prepare(build)
    for part in (batches[:cut], batches[cut:]):
        load(build, part, NIGHT)
    expected = sorted((ids, date(2026, 1, 1 + day)) for day, group in enumerate(plan) for ids in group)
    assert sorted(query(build, "select id, _extract_date from accepted.zendesk__tickets")) == expected
