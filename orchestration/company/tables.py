"""The tables a company may fill, and how its rows and the product's go together.

What lives here: the shape of each table, read from the property files of the seeds (`dbt_project/seeds/*.yml`).
Not here: rows and what is wrong with them (rows.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from storage.errors import JourneymartError
from storage.yaml_file import read_yaml

# replaces: the company's file takes the place of the product's; extends: its rows come on top, by key.
Use = Literal["replaces", "extends"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableColumn(_Strict):
    """One column of a table.

    Attributes:
        type: DuckDB type.
        required: Whether each row has a value; others may be empty, or the column left out.
        allowed: The only values there are; empty: any.
        names: The `table.column` whose value it repeats.
        also: Values there may be besides those it names, such as `*` for any.
        holds: A time zone by its IANA name, a time of day from 00:00 to 24:00, JSON, or a source by its name.
    """

    type: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    names: str | None = None
    also: tuple[str, ...] = ()
    holds: Literal["zone", "time", "json", "source"] | None = None


class CompanyTable(_Strict):
    """One table.

    Attributes:
        name: Name of its file, without `.csv`.
        description: What it holds; ends with its grain, "One row per ...".
        use: How a company's file goes together with the product's.
        key: Columns that name a row.
        unique: Columns each value of which stands in one row only.
        columns: Columns by name, in order.
    """

    name: str
    description: str
    use: Use
    key: tuple[str, ...] = Field(min_length=1)
    unique: tuple[str, ...] = ()
    columns: Mapping[str, TableColumn]


def load_tables(seeds: Path) -> dict[str, CompanyTable]:
    """The tables that property files describe, by name.

    Args:
        seeds: A folder of seeds.

    Raises:
        JourneymartError: A file does not say what a table needs.
    """
    tables: dict[str, CompanyTable] = {}
    for path, seed in described_seeds(sorted(seeds.glob("*.yml"))):
        try:
            tables[seed["name"]] = _table(seed)
        except (KeyError, ValueError) as error:
            words = f"it says nothing of {error}" if isinstance(error, KeyError) else str(error).replace("\n", " ")
            raise JourneymartError(f"{path}: seed '{seed.get('name')}': {words}.") from None
    return tables


def described_seeds(files: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What property files say of seeds, each with its file.

    Raises:
        JourneymartError: One is not YAML, or no list of tables.
    """
    for path in files:
        said = read_yaml(path) or {}
        seeds = (said.get("seeds") or []) if isinstance(said, dict) else None
        if not isinstance(seeds, list) or not all(isinstance(seed, dict) for seed in seeds):
            raise JourneymartError(
                f"{path}: it does not describe tables: write `seeds:`, and below it `- name: TABLE` for each."
            )
        for seed in seeds:
            yield path, seed


def _table(seed: Mapping[str, Any]) -> CompanyTable:
    config, meta = seed["config"], seed["config"]["meta"]
    told = {column["name"]: column.get("config", {}).get("meta", {}) for column in seed.get("columns", [])}
    if unknown := told.keys() - config["column_types"].keys():
        raise ValueError(f"column {', '.join(sorted(unknown))} has no type under column_types")
    return CompanyTable(
        name=seed["name"],
        description=" ".join(seed["description"].split()),
        use=meta["company"],
        key=meta["key"],
        unique=meta.get("unique", ()),
        columns={name: TableColumn(type=kind, **told.get(name, {})) for name, kind in config["column_types"].items()},
    )
