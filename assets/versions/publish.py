"""Turns a finished build into the version readers see, or refuses.

The order of the steps is the promise: nothing a reader can open changes before the new version is written,
flushed, read back by another process and in its final place; then one link moves. Killed at any point before
that, readers stay on the version they had, and the next night clears what is left. Not here: choosing a base,
rolling back (versions.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from assets.versions.contents import DATABASES, STORAGE_VERSION, attach, identifier, literal, read_tables
from assets.versions.manifest import Checks, File, Manifest, Night, Table, write_manifest
from assets.versions.pin import read_pin
from assets.versions.retention import prune
from assets.versions.versions import Version, base_of_build, forget_base, inspect_versions, swing, version_id
from quality.gate.ledger import Ledger, LedgerVerdict
from storage.data_folder import (
    REPORT_PAGES,
    DataFolder,
    marts_file,
    parquet_folder,
    report_file,
    spill_folder,
    warehouse_file,
)
from storage.engine import connect, memory_trouble
from storage.errors import JourneymartError
from storage.faults import fault_point
from storage.files import known_sha256, share_file
from storage.folders import flush, flush_tree
from storage.locks import link_lock

_PROJECT = Path(__file__).resolve().parents[2]
_TOUCHED = "_touched"
# Indexes in DuckDB files have been written damaged (an index scan then finds no rows), fixed-size arrays too;
# Parquet has no 128-bit integers and would round them.
_INDEXED = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY")
_UNSAFE_TYPE = re.compile(r"U?HUGEINT|.*\[\d+\].*", re.IGNORECASE)


def publish(
    folder: DataFolder,
    build: Path,
    *,
    ledger: Ledger,
    night: Night,
    public_tables: Set[str],
    published_at: datetime,
    keep: int,
) -> Version:
    """Turn a build into the version readers see. The caller holds the data lock.

    Args:
        folder: The data folder.
        build: The finished build, as `start_build` made it and dbt filled it; no process has its files open.
        ledger: The night's; anything but a clear yes of it refuses.
        night: What the night knows of itself.
        public_tables: Names of the marts, in schema `main`: the marts must be these, and no others.
        published_at: Now; the only clock that reaches a version.
        keep: How many versions to keep.

    Returns:
        The version readers now see; held to another by a pin, they see it when that is lifted.

    Raises:
        JourneymartError: The night may not be published; readers keep what they had.
    """
    verdict = ledger.verdict()
    _require_permission(verdict)
    name = version_id(night.as_of, night.run_id)
    target = folder.versions / name
    if target.exists():
        raise JourneymartError(f"Version {name} is there already and is never overwritten: start a new run.")

    _require_report(build)
    versions, damaged = inspect_versions(folder)
    base_id = base_of_build(folder)
    base = next((version for version in versions if version.id == base_id), None)
    tables = _finish(build, public_tables, night, base)
    forget_base(folder)
    previous = versions[-1:]
    known = [*(version.manifest for version in versions), *(each.manifest for each in damaged if each.manifest)]
    manifest = Manifest(
        version=name,
        sequence=1 + max((manifest.sequence for manifest in known), default=0),
        as_of=night.as_of,
        run_id=night.run_id,
        published_at=published_at.astimezone(UTC),
        previous=previous[0].id if previous else None,
        base=base.id if base else None,
        fingerprint=night.fingerprint,
        rows_in=night.rows_in,
        quarantined_rows=night.quarantined_rows,
        checks=_counted(verdict),
        duckdb_version=duckdb.__version__,
        storage_version=STORAGE_VERSION,
        batches=night.batches,
        tables=tables,
        files=_files(build, tables),
        missing=night.missing,
        approvals=night.approvals,
        begins=night.begins,
        definitions=night.definitions,
        definition_changes=night.definition_changes,
        engine=night.engine,
    )
    write_manifest(build, manifest)
    _open_to_readers(folder, build)
    flush_tree(build)

    fault_point("before_verify")
    verify_in_fresh_process(build, base.path if base else None)

    fault_point("before_rename")
    build.chmod(0o755)
    build.rename(target)
    flush(folder.versions)
    flush(folder.root)

    fault_point("before_swing")
    with link_lock(folder):
        if read_pin(folder) is None:
            swing(folder, name)
    fault_point("after_swing")
    prune(folder, keep)
    return Version(name, target, manifest)


def verify_in_fresh_process(version: Path, base: Path | None = None) -> None:
    """Have another process read a version back, see verify.py.

    Args:
        version: The version, or the build about to become one.
        base: The version whose copies of unchanged marts it shares; None: everything is read.

    Raises:
        JourneymartError: It is not what its manifest says, or the process died over it.
    """
    # The project's folder as working folder makes the module importable however this process was started.
    folders = [str(folder.resolve()) for folder in (version, base) if folder]
    command = [sys.executable, "-m", "assets.versions.verify", *folders]
    result = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1:] or [f"the process that read it ended with {result.returncode}"]
        raise JourneymartError(f"The new version does not read back, so nothing was published: {reason[0]}")


def _require_permission(verdict: LedgerVerdict) -> None:
    if verdict.may_publish:
        return
    became = {"failed": verdict.failed, "broke": verdict.errored, "did not run": verdict.missing}
    blockers = set(verdict.blockers)
    said = "; ".join(
        f"{', '.join(str(check) for check in checks if check in blockers)} {what}"
        for what, checks in became.items()
        if blockers & set(checks)
    )
    raise JourneymartError(f"Nothing was published: {said or 'the ledger expects no check, so nothing was judged'}.")


def _counted(verdict: LedgerVerdict) -> Checks:
    let_pass = len(verdict.failed) + len(verdict.errored) + len(verdict.missing) - len(verdict.blockers)
    return Checks(passed=len(verdict.passed), warned=len(verdict.warned) + let_pass)


def _finish(build: Path, public_tables: Set[str], night: Night, base: Version | None) -> tuple[Table, ...]:
    """Strip the marts to what is public, write their Parquet copies, close both files for good.

    Returns:
        Every table of both files, as this process read it.
    """
    spill = spill_folder(build)
    try:
        with connect(spill=spill) as connection:
            attach(connection, build, read_only=False)
            # Which rows moved is the next model's business, in this very night: no reader's, and not the next night's.
            for database in DATABASES:
                connection.execute(f"DROP SCHEMA IF EXISTS {database}.{_TOUCHED} CASCADE")
            marts = read_tables(connection, "marts")
            _require_public_shape(connection, marts, public_tables)
            _require_batches(connection, build, night)
            tables = marts + read_tables(connection, "warehouse")
            _write_parquet(connection, build, marts, base)
            for database in DATABASES:
                connection.execute(f"CHECKPOINT {database}")
    except duckdb.Error as error:
        if said := memory_trouble(error):
            raise JourneymartError(said) from error
        raise JourneymartError(
            f"{build} could not be finished ({type(error).__name__}): see that no other process has its "
            "files open and that the disk is not full, then run the night again."
        ) from error
    shutil.rmtree(spill, ignore_errors=True)
    for path in (marts_file(build), warehouse_file(build)):
        if Path(f"{path}.wal").exists():
            raise JourneymartError(
                f"{path}.wal is left beside its file, so somebody still writes there: end that process."
            )
    return tables


def _require_public_shape(
    connection: duckdb.DuckDBPyConnection, marts: tuple[Table, ...], public_tables: Set[str]
) -> None:
    """Refuse marts that hold other than the declared tables, or what DuckDB or Parquet cannot keep safe."""
    found = {table.name if table.schema == "main" else f"{table.schema}.{table.name}" for table in marts}
    views = connection.execute(
        "SELECT view_name FROM duckdb_views() WHERE database_name = 'marts' AND NOT internal"
    ).fetchall()
    found |= {view for (view,) in views}
    if extra := sorted(found - public_tables):
        raise JourneymartError(
            f"The marts file holds {', '.join(extra)}, which is not declared public: drop or declare it."
        )
    if views:
        raise JourneymartError(f"Mart {views[0][0]} is a view: materialize it as a table, views do not travel.")
    if lacking := sorted(public_tables - found):
        raise JourneymartError(f"The marts file lacks {', '.join(lacking)}: see why dbt did not build it.")
    indexed = connection.execute(
        """
        SELECT table_name FROM duckdb_constraints()
        WHERE database_name = 'marts' AND list_contains(?, constraint_type)
        UNION SELECT table_name FROM duckdb_indexes() WHERE database_name = 'marts' ORDER BY ALL
        """,
        [list(_INDEXED)],
    ).fetchall()
    if indexed:
        raise JourneymartError(f"Mart {indexed[0][0]} has an index or a key constraint: test its key instead.")
    for table in marts:
        for column in table.columns:
            if _UNSAFE_TYPE.fullmatch(column.type):
                raise JourneymartError(
                    f"Column {column.name} of mart {table.name} is {column.type}, which Parquet or DuckDB "
                    "cannot keep safe: cast it to bigint, decimal or a list."
                )


def _require_batches(connection: duckdb.DuckDBPyConnection, build: Path, night: Night) -> None:
    """Refuse a manifest that would lie of its batches: the next night would skip some, or load some twice."""
    loaded = {batch for (batch,) in connection.execute("SELECT batch_id FROM warehouse.night.batches").fetchall()}
    named = {batch.batch_id for batch in night.batches}
    if loaded != named:
        raise JourneymartError(
            f"{build} holds {len(loaded)} batches, but not the {len(named)} the night names: run it again."
        )


def _require_report(build: Path) -> None:
    for page in REPORT_PAGES:
        path = report_file(build, page)
        if not path.is_file() or not path.stat().st_size:
            raise JourneymartError(f"The build lacks {path}: see why the step before did not write it.")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, build: Path, marts: tuple[Table, ...], base: Version | None
) -> None:
    """Write the Parquet copies; that of a mart the night left as it was is the base's, by another name.

    Only the base's: all it is made of is still accepted, so nobody who was erased is in it.
    """
    shutil.rmtree(parquet_folder(build), ignore_errors=True)
    parquet_folder(build).mkdir()
    unchanged = base.manifest.unchanged_copies(marts, duckdb.__version__) if base else {}
    for table in marts:
        path = parquet_folder(build) / f"{table.name}.parquet"
        if base and table.name in unchanged and _shared(base.path, unchanged[table.name], path):
            continue
        connection.execute(
            f"COPY marts.{identifier(table.schema)}.{identifier(table.name)} TO {literal(str(path))} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )


def _shared(base: Path, copy: File, path: Path) -> bool:
    """Give a file of the base a second name, if its bytes are still those that were verified."""
    if known_sha256(base / copy.name) != copy.sha256:
        return False
    share_file(base / copy.name, path)
    return True


def _files(build: Path, tables: tuple[Table, ...]) -> tuple[File, ...]:
    """The files a version is made of, hashed. Anything else in the build is a stray, refused by verify."""
    copies = (parquet_folder(build) / f"{table.name}.parquet" for table in tables if table.database == "marts")
    pages = (report_file(build, page) for page in REPORT_PAGES)
    paths = sorted([marts_file(build), warehouse_file(build), *copies, *pages])
    with ThreadPoolExecutor() as pool:
        return tuple(
            File(path.relative_to(build).as_posix(), path.stat().st_size, content)
            for path, content in zip(paths, pool.map(known_sha256, paths), strict=True)
        )


def _open_to_readers(folder: DataFolder, build: Path) -> None:
    """Let every user read the version, whatever the umask, and nobody else the warehouse in it."""
    folder.versions.chmod(0o755)
    warehouse = warehouse_file(build).parent
    for path in build.rglob("*"):
        private = path == warehouse or warehouse in path.parents
        public_mode, private_mode = (0o755, 0o700) if path.is_dir() else (0o644, 0o600)
        path.chmod(private_mode if private else public_mode)
