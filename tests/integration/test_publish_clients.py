"""Older DuckDB clients, as BI tools embed them, and plain Parquet readers open what is published.

The clients are installed once, into a cache outside the repository: `JOURNEYMART_TEST_CACHE`, by default
`~/.cache/journeymart-test`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from assets.versions.contents import attach
from storage.data_folder import DataFolder, marts_file
from tests.small_night import ROWS, SmallNight, data_folder, run

_CACHE = Path(os.environ.get("JOURNEYMART_TEST_CACHE") or Path.home() / ".cache" / "journeymart-test")
_OUT_OF_REACH = ("Connection", "Retrying", "ProxyError", "Temporary failure", "timed out", "Name or service")
# Types that marts use, and some that older formats stored in another way.
_RICH = """
CREATE OR REPLACE TABLE marts.main.mart_b AS
SELECT range AS id, 1 AS night, range % 3 = 0 AS flag, 'né ' || range AS name, range * 1.25 AS share,
    (range / 7)::decimal(18, 2) AS amount, DATE '2026-01-01' + range::int AS day,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (range) MINUTE AS happened_at,
    CASE WHEN range % 5 > 0 THEN range END AS gap, [range, NULL] AS list, {'a': range, 'b': 'x'} AS pair
FROM range(50000)
"""
# A client's own account of what it sees: every value of every mart as text, from the file and from Parquet.
_READ = """
import duckdb, json, sys
marts, parquet = sys.argv[1:]
connection = duckdb.connect(marts, read_only=True)
connection.execute("SET TimeZone = 'UTC'")
one = lambda sql: connection.execute(sql).fetchone()
read = {
    place: one(f"SELECT count(*), md5(string_agg(t::varchar, ';' ORDER BY id)) FROM {place} t")
    for mart in ("mart_a", "mart_b") for place in (mart, f"'{parquet}/{mart}.parquet'")
}
print(json.dumps([duckdb.__version__, *one("SELECT current_database()"), read]))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = data_folder(tmp_path_factory.mktemp("published"))

    def rich(build: Path) -> None:
        with duckdb.connect() as connection:
            attach(connection, build, read_only=False)
            connection.execute(_RICH)

    run(folder, SmallNight(1), spoil=rich)
    # The clients are simple programs; spare them the quoting.
    plain = DataFolder(tmp_path_factory.mktemp("plain") / "data")
    shutil.copytree(folder.root, plain.root, symlinks=True)
    return plain


def read_with(packages: Path | None, folder: DataFolder) -> tuple[str, str, dict[str, tuple[int, str]]]:
    environment = {**os.environ, **({"PYTHONPATH": str(packages)} if packages else {})}
    program = [sys.executable, "-c", _READ, str(marts_file(folder.current)), str(folder.current / "parquet")]
    result = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return tuple(json.loads(result.stdout))


def client(version: str) -> Path:
    """Folder that holds another DuckDB; installed at the first call."""
    target = _CACHE / f"duckdb-{version}-py{sys.version_info.major}{sys.version_info.minor}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
            install = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
            ]
            result = subprocess.run(
                [*install, "--target", f"{folder}/packages", f"duckdb=={version}"],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0 and any(sign in result.stderr for sign in _OUT_OF_REACH):
                pytest.skip(f"the package index is out of reach, so duckdb {version} cannot be installed")
            assert result.returncode == 0, result.stderr
            Path(f"{folder}/packages").rename(target)
    return target


@pytest.mark.parametrize("version", ["1.4.5", "1.5.6"])
def test_an_older_client_reads_what_this_one_wrote(published, version):
    found, database, read = read_with(client(version), published)
    assert (found, database) == (version, "cx_marts")
    assert read == read_with(None, published)[2]
    assert [rows for rows, _ in read.values()] == [ROWS, ROWS, 50_000, 50_000]


def test_a_plain_parquet_reader_reads_every_mart(published):
    rows = {path.stem: pq.read_table(path).num_rows for path in (published.current / "parquet").iterdir()}
    assert rows == {"mart_a": ROWS, "mart_b": 50_000}
