"""The dbt project of a company: the product's files, its own models and tables, and what follows from contracts.

What lives here: which file comes from where, and bringing the folder dbt reads into that state. Not here: what a table
is and what is wrong with its rows (tables.py, rows.py), what dbt is told of contracts (source_tables.py), parsing the
project (orchestration/dbt).

Files are links to where they are written, so that an edit is seen at once, except those made of several.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestration.company.rows import TableRow, as_csv, mistakes, read_rows, source_mistakes, together
from orchestration.company.tables import CompanyTable, described_seeds, load_tables
from quality.contract.files import contract_files
from storage.company_folder import BESIDE_IN_FOLDER, READ_IN_FOLDER, CompanyFolder
from storage.errors import JourneymartError
from storage.locks import in_turn
from storage.nearest import nearest_words
from storage.permissions import make_private

# Raise it when this room makes other files of the same inputs.
_COMPOSING = 3
_KINDS = frozenset({".sql", ".csv", ".yml", ".yaml", ".py", ".md"})
_MADE_BY_DBT = frozenset({"target", "logs", "dbt_packages"})
_MAPPINGS = PurePosixPath("macros", "canonical", "mappings.sql")
_STREAMS = PurePosixPath("macros", "canonical", "mapped_streams.sql")
_DIMENSIONS = PurePosixPath("macros", "kpi", "kpi_dimensions.sql")

# What a file of the composed project is: a link to where it is written, or a text of its own.
Content = Path | str


@dataclass(frozen=True)
class Company:
    """What a dbt project is composed of.

    Attributes:
        product: The product's dbt project.
        folder: The company.
    """

    product: Path
    folder: CompanyFolder


def compose(company: Company, project: Path) -> None:
    """Bring the dbt project of a company up to date; several processes may ask at once.

    Args:
        company: What it is composed of.
        project: The folder dbt reads; what else lies in it is deleted.

    Raises:
        JourneymartError: The company's tables or models hold a mistake: the first, with file and line.
    """
    stamp_file = project.with_name(f"{project.name}.json")
    stamp = _stamp(company)
    if _is_current(stamp_file, stamp):
        return
    make_private(project.parent)
    with in_turn(project.with_name(f".{project.name}.lock")):
        if _is_current(stamp_file, stamp):
            return
        files = project_files(company)
        # Killed half-way, nothing says that the folder is as it should be.
        stamp_file.unlink(missing_ok=True)
        _bring(project, files)
        stamp_file.write_text(json.dumps(stamp), encoding="utf-8")


def project_files(company: Company) -> dict[PurePosixPath, Content]:
    """Every file of the composed project by its path in it.

    Raises:
        JourneymartError: The company's tables or models hold a mistake: the first, with file and line.
    """
    found, wrong = _composed(company)
    for mistake in wrong:
        raise JourneymartError(mistake)
    return found


def company_mistakes(company: Company) -> list[str]:
    """All that is wrong with the company's tables and models, a sentence each."""
    try:
        return list(_composed(company)[1])
    except JourneymartError as error:
        return [str(error)]


def mistakes_of_sources(company: Company, sources: Collection[str]) -> list[str]:
    """Rows of the company's tables that name a source nobody has, a sentence each.

    Args:
        company: The company.
        sources: Names of its sources.

    Raises:
        JourneymartError: A table cannot be read.
    """
    rows, tables = _rows(company)
    return [each for name in tables for each in source_mistakes(tables[name], rows[name], sources)]


def own_files(folder: CompanyFolder) -> dict[str, int]:
    """How many tables, contracts and models a company has."""
    own = (("tables", folder.seeds, ".csv"), ("contracts", folder.contracts, ".yml"), ("models", folder.models, ".sql"))
    return {what: sum(path.suffix == suffix for path in _files(of)) for what, of, suffix in own}


def unread_files(folder: CompanyFolder) -> list[Path]:
    """What lies in the folder and is none of its parts, such as a misspelt `seed/`."""
    if folder.root is None or not folder.root.is_dir():
        return []
    known = {*READ_IN_FOLDER, *BESIDE_IN_FOLDER}
    return sorted(path for path in folder.root.iterdir() if path.name not in known and not path.name.startswith("."))


def _composed(company: Company) -> tuple[dict[PurePosixPath, Content], Iterator[str]]:
    """The files, and what is wrong with the tables among them."""
    from orchestration.company.source_tables import dimensions_macro, mappings_macro, source_files, streams_macro
    from quality.contract.model import all_contracts

    files: dict[PurePosixPath, Content] = dict(_files(company.product))
    models = _own_models(company, files)
    files |= models
    rows, tables = _rows(company)
    files |= {PurePosixPath("seeds", f"{name}.csv"): as_csv(tables[name], rows[name]) for name in tables}
    files |= _own_seeds(company, files)
    files |= source_files(all_contracts())
    written = {
        path: content
        for path, content in files.items()
        if path.parts[0] == "models" and path.suffix == ".sql" and isinstance(content, Path)
    }
    files[_MAPPINGS] = mappings_macro(written)
    files[_STREAMS] = streams_macro(written)
    files[_DIMENSIONS] = dimensions_macro(row.values["dimension"] for row in rows["kpi_dimensions"])
    return files, mistakes(tables, rows)


def _files(folder: Path | None) -> dict[PurePosixPath, Path]:
    """Files of dbt in a folder, by their path in it."""
    paths = {PurePosixPath(path.relative_to(folder)): path for path in folder.rglob("*")} if folder else {}
    return {
        name: path
        for name, path in sorted(paths.items())
        if path.suffix in _KINDS and not name.parts[0].startswith(".") and name.parts[0] not in _MADE_BY_DBT
    }


def _own_models(company: Company, ours: Mapping[PurePosixPath, Content]) -> dict[PurePosixPath, Path]:
    """The company's models, none of which is called like one of the product.

    Raises:
        JourneymartError: One is.
    """
    taken = {path.stem: path for path in ours if path.parts[0] == "models" and path.suffix == ".sql"}
    models = {PurePosixPath("models", name): path for name, path in _files(company.folder.models).items()}
    for name, path in models.items():
        if name in ours or (name.suffix == ".sql" and name.stem in taken):
            where = name if name in ours else taken[name.stem]
            raise JourneymartError(f"{path}: the product has {where}: give it another name.")
    return models


def _rows(company: Company) -> tuple[dict[str, list[TableRow]], dict[str, CompanyTable]]:
    """Rows of every table of the product, with the company's."""
    tables = load_tables(company.product / "seeds")
    rows = {}
    for name, table in tables.items():
        own = company.folder.seeds / f"{name}.csv" if company.folder.seeds else None
        theirs = read_rows(table, own) if own and own.exists() else None
        rows[name] = together(table, read_rows(table, company.product / "seeds" / f"{name}.csv"), theirs)
    return rows, tables


def _own_seeds(company: Company, ours: Mapping[PurePosixPath, Content]) -> dict[PurePosixPath, Path]:
    """Tables that only the company has, for its own models: each is described in a property file beside it.

    Raises:
        JourneymartError: One is not, so that it may be a misspelt table of the product.
    """
    files = _files(company.folder.seeds)
    known = {name.stem for name in ours if name.parts[0] == "seeds" and name.suffix == ".csv"}
    properties = (path for path in files.values() if path.suffix in {".yml", ".yaml"})
    described = {seed.get("name") for _, seed in described_seeds(properties)}
    own = {name: path for name, path in files.items() if not (name.suffix == ".csv" and name.stem in known)}
    for name, path in own.items():
        if name.suffix == ".csv" and name.stem not in described:
            hint = nearest_words(name.stem, known, show=0)
            raise JourneymartError(
                f"{path}: there is no table '{name.stem}'{f'; {hint}' if hint else ''} (docs/company.md lists them); "
                "describe a table of your own in a property file beside it."
            )
        if PurePosixPath("seeds", name) in ours:
            raise JourneymartError(f"{path}: the product has a file of that name: give it another.")
    return {PurePosixPath("seeds", name): path for name, path in own.items()}


def _bring(project: Path, files: Mapping[PurePosixPath, Content]) -> None:
    """Make a folder hold these files and no others, touching only what differs."""
    for path in sorted(project.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif PurePosixPath(path.relative_to(project)) not in files:
            path.unlink()
    for name, content in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            if not (path.is_symlink() and path.readlink() == content):
                path.unlink(missing_ok=True)
                path.symlink_to(content)
        elif path.is_symlink() or not path.exists() or path.read_text(encoding="utf-8") != content:
            path.unlink(missing_ok=True)
            path.write_text(content, encoding="utf-8")


def _is_current(stamp_file: Path, stamp: object) -> bool:
    try:
        return bool(json.loads(stamp_file.read_text(encoding="utf-8")) == stamp)
    except (FileNotFoundError, ValueError):
        return False


def _stamp(company: Company) -> object:
    """What the composed project depends on: every file it is made of, by place, size and time of change."""
    own = company.folder
    inputs = [
        *_files(company.product).values(),
        *_files(own.models).values(),
        *_files(own.seeds).values(),
        *contract_files().values(),
    ]
    return [_COMPOSING, [[str(path), (stat := path.stat()).st_size, stat.st_mtime_ns] for path in inputs]]
