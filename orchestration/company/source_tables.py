"""What dbt must be told first: source tables, the objects each system has mappings for, what KPIs are broken down by.

What lives here: contracts -> sources of dbt, names of mappings `int_<object>__<system>.sql` -> the macro `mappings`,
what they read -> the macro `mapped_streams`, rows of the table `kpi_dimensions` -> the macro of that name.
Not here: where both are written (compose.py), loading the tables (assets/warehouse).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path, PurePosixPath

from assets.warehouse.load import LOADED_COLUMNS, accepted_table
from orchestration.company.mapped_columns import stream_told
from quality.contract.model import DUCKDB_TYPES, Contract
from quality.rows.work import ADDED_COLUMNS

# What the pipeline itself knows of a row, in the words of docs/contracts.md.
_BOOKKEEPING = {
    "_extra": "Columns the contract does not know, as JSON.",
    "_source": "Installation the row came from.",
    "_extract_date": "Extract date.",
    "_file": "Delivered file.",
    "_row": "Record number in the file, from 1.",
    "_op": "upsert, or delete where the record vanished from a full dump.",
    "_version_at": "When this version came to be; the newest wins.",
    "_batch_id": "Accepted extract, by the hash of its content.",
    "_night": "Number of the night that loaded the row.",
}


def source_files(contracts: Iterable[Contract]) -> dict[PurePosixPath, str]:
    """The property file of every system's source tables.

    Args:
        contracts: All contracts, ordered by system.

    Returns:
        Text by path in the dbt project; JSON, which is YAML, too.
    """
    files = {}
    for system, of_system in groupby(contracts, key=lambda contract: contract.system):
        source = {
            "name": system,
            "description": f"Accepted rows of every source system of kind {system}.",
            "schema": "accepted",
            "tables": [_table(contract) for contract in of_system],
        }
        path = PurePosixPath("models", "staging", system, f"_{system}__sources.yml")
        files[path] = json.dumps({"sources": [source]}, indent=1, ensure_ascii=False)
    return files


def mappings_macro(models: Iterable[PurePosixPath]) -> str:
    """The macro that names the systems of every object.

    Args:
        models: Every model of the dbt project by its path; mappings are called
            `models/staging/<system>/int_<object>__<system>.sql`.
    """
    systems: dict[str, list[str]] = {}
    for path in sorted(models):
        if mapping := _mapping(path):
            systems.setdefault(mapping[0], []).append(mapping[1])
    said: Mapping[str, list[str]] = {name: sorted(systems[name]) for name in sorted(systems)}
    return _returning("mappings", said)


def streams_macro(models: Mapping[PurePosixPath, Path]) -> str:
    """The macro that names the stream each system's records of an object are told by.

    Args:
        models: Where every model of the dbt project is written, by its path in it.
    """
    streams: dict[str, dict[str, str]] = {}
    for path in sorted(models):
        if (mapping := _mapping(path)) and (stream := stream_told(models[path], *mapping)):
            streams.setdefault(mapping[0], {})[mapping[1]] = stream
    return _returning("mapped_streams", {name: streams[name] for name in sorted(streams)})


def _mapping(path: PurePosixPath) -> tuple[str, str] | None:
    """The object and the system a model maps; None: it is no mapping."""
    name, _, system = path.stem.removeprefix("int_").rpartition("__")
    is_mapping = path.parts[1] == "staging" and path.stem.startswith("int_") and system == path.parent.name
    return (name, system) if is_mapping else None


def dimensions_macro(dimensions: Iterable[str]) -> str:
    """The macro that names what KPIs are broken down by.

    Args:
        dimensions: As the table `kpi_dimensions` names them.
    """
    return _returning("kpi_dimensions", list(dimensions))


def _returning(name: str, said: object) -> str:
    return f"{{%- macro {name}() -%}}{{{{ return({said!r}) }}}}{{%- endmacro -%}}\n"


def _table(contract: Contract) -> dict[str, object]:
    """One source table: the accepted rows of a stream."""
    columns = [
        _column(name, DUCKDB_TYPES[known.type], known.description, known.pii)
        for name, known in contract.columns.items()
    ]
    for name, data_type in {**ADDED_COLUMNS, **LOADED_COLUMNS}.items():
        columns.append(_column(name, data_type, _BOOKKEEPING[name], "free_text" if name == "_extra" else "none"))
    return {
        "name": contract.stream,
        "identifier": accepted_table(contract.system, contract.stream),
        "description": contract.description,
        "columns": columns,
    }


def _column(name: str, data_type: str, description: str, pii: str) -> dict[str, object]:
    """One column of a source table."""
    return {
        "name": name,
        "data_type": data_type,
        "description": description,
        **({} if pii == "none" else {"config": {"meta": {"pii": pii}}}),
        **({} if name.isidentifier() else {"quote": True}),
    }
