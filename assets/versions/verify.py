"""Reads a version back and compares it with its manifest: `python -m assets.versions.verify <folder> [<base>]`.

Runs in a process of its own, so that it sees what the files hold and not what the writer remembers. Exits
with 1 and one sentence when anything differs. Imports DuckDB and the standard library only, to start fast.
Not here: repairing anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from assets.versions.contents import STORAGE_VERSION, attach, literal, names, read_content, read_tables, storage_version
from assets.versions.manifest import Manifest, Table, read_manifest
from assets.versions.soundness import fault_within
from storage.data_folder import manifest_file, parquet_folder
from storage.engine import connect
from storage.errors import JourneymartError


def verify(version: Path, base: Path | None = None) -> None:
    """Read every byte and every value of a version, or of a build about to become one.

    Args:
        version: Its folder.
        base: A version verified before it; of Parquet copies with the very bytes of its own, of marts with the rows of
            its own, the values are not read again. None: all are read.

    Raises:
        JourneymartError: It is not what its manifest says.
    """
    manifest = read_manifest(version)
    _verify_files(version, manifest)
    known = read_manifest(base).unchanged_copies(manifest.tables_of("marts"), duckdb.__version__) if base else {}
    try:
        with connect(spill=version.with_name(f".{version.name}.spill")) as connection:
            attach(connection, version, read_only=True)
            for database in ("marts", "warehouse"):
                _verify_database(connection, version, manifest, database)
            for table in manifest.tables_of("marts"):
                if known.get(table.name) not in manifest.files:
                    _verify_parquet(connection, version, manifest, table)
    except duckdb.Error as error:
        # DuckDB's own words may quote values, and values may be personal: only the kind of error goes on.
        raise JourneymartError(
            f"{version} cannot be read back whole ({type(error).__name__}): do not publish it."
        ) from error


def _verify_files(version: Path, manifest: Manifest) -> None:
    expected = {file.name: file for file in manifest.files}
    found = _files_below(version)
    if stray := sorted(found - expected.keys()):
        raise JourneymartError(
            f"{version / stray[0]} does not belong there: {len(stray)} file(s) are not in the manifest."
        )
    if lost := sorted(expected.keys() - found):
        raise JourneymartError(f"{version / lost[0]} is missing: {len(lost)} file(s) of the manifest are not there.")
    if fault := fault_within(version, manifest):
        raise JourneymartError(f"{version} is damaged: {fault}.")


def _verify_database(connection: duckdb.DuckDBPyConnection, version: Path, manifest: Manifest, database: str) -> None:
    if storage_version(connection, database) != STORAGE_VERSION:
        raise JourneymartError(
            f"{version}: the {database} file has storage version {storage_version(connection, database)}, "
            f"which clients older than that cannot open: create it with {STORAGE_VERSION}."
        )
    expected, found = names(manifest.tables_of(database)), names(read_tables(connection, database))
    for name in sorted(expected.keys() | found.keys()):
        if name not in found or name not in expected or not _same(manifest, expected[name], found[name]):
            raise JourneymartError(f"{version}: table {name} of the {database} file is not what the manifest says.")


def _verify_parquet(connection: duckdb.DuckDBPyConnection, version: Path, manifest: Manifest, table: Table) -> None:
    path = parquet_folder(version) / f"{table.name}.parquet"
    rows, content = read_content(connection, f"read_parquet({literal(str(path))})", table.columns)
    copy = Table(table.database, table.schema, table.name, rows, table.columns, content)
    if not _same(manifest, table, copy):
        raise JourneymartError(f"{path} does not hold the rows of its mart.")


def _same(manifest: Manifest, expected: Table, found: Table) -> bool:
    """Whether two readings agree. Hashes of another DuckDB say nothing; the files' sha256 still does."""
    comparable = manifest.duckdb_version == duckdb.__version__
    return (expected.rows, expected.columns, comparable and expected.hash) == (
        found.rows,
        found.columns,
        comparable and found.hash,
    )


def _files_below(version: Path) -> set[str]:
    """Names, relative to the version, of everything in it that is not a folder, but the manifest."""
    found = (path for path in version.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(version).as_posix() for path in found if path != manifest_file(version)}


def main() -> int:
    """Verify the folder named on the command line, sparing what a verified one named behind it holds as well."""
    try:
        verify(*map(Path, sys.argv[1:]))
    except JourneymartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
