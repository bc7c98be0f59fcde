"""Columns of models say when they hold personal data, in the words of the contracts; what says nothing holds none.

What lives here: that the tags are words we know, reach from the contracts to every private model, and end before the
marts. Not here: that the marts' values hold nobody's data (the e2e tests look for it).
"""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.dbt.project import load_manifest
from quality.contract.model import all_contracts
from tests.checkout import CHECKOUT

ANYTHING = {"value"}
"""Columns whose name says nothing of what is in them: addresses and phone numbers in one model, figures in others."""

Tags = dict[str, dict[str, str]]


def tags_of(nodes: dict[str, Any]) -> Tags:
    """By model: the tag of each column, `none` where it has none."""
    return {
        node["name"]: {name: column["config"]["meta"].get("pii", "none") for name, column in node["columns"].items()}
        for node in nodes.values()
    }


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return load_manifest(CHECKOUT)


@pytest.fixture(scope="module")
def private(manifest: dict[str, Any]) -> Tags:
    """The tags of the warehouse's models."""
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    return tags_of({key: node for key, node in models.items() if node["database"] != "cx_marts"})


def test_only_what_is_personal_is_written_and_in_words_we_know(manifest: dict[str, Any]) -> None:
    written = [
        column["config"]["meta"]["pii"]
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        for column in node.get("columns", {}).values()
        if "pii" in column["config"]["meta"]
    ]
    assert len(written) > 300
    assert set(written) == {"direct", "indirect", "free_text"}


def test_no_column_of_a_mart_is_personal(manifest: dict[str, Any]) -> None:
    marts = {key: node for key, node in manifest["nodes"].items() if node.get("database") == "cx_marts"}
    tags = {tag for columns in tags_of(marts).values() for tag in columns.values()}
    assert tags == {"none"}


def test_what_a_canonical_contract_calls_personal_the_object_calls_so_too(private: Tags) -> None:
    personal = {
        (contract.stream, name, column.pii)
        for contract in all_contracts()
        if contract.system == "canonical"
        for name, column in contract.columns.items()
        if column.pii != "none"
    }
    assert len(personal) > 40
    lost = {(stream, name, tag) for stream, name, tag in personal if private[f"int_{stream}__version"].get(name) != tag}
    assert lost == set()


def test_a_column_is_personal_in_every_private_model_or_in_none(private: Tags) -> None:
    found: dict[str, set[str]] = {}
    for columns in private.values():
        for name, tag in columns.items():
            found.setdefault(name, set()).add(tag)
    assert {name: tags for name, tags in found.items() if len(tags) > 1 and name not in ANYTHING} == {}
