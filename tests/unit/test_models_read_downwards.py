"""Models read only what lies below them, so that a source system is known to its own folder alone.

What lives here: who may read whom, over the parsed dbt project. Not here: what the models hold.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestration.dbt.project import load_manifest
from tests.checkout import CHECKOUT


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """Every model by its name."""
    nodes = load_manifest(CHECKOUT)["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


def parents(models: dict[str, Any], model: str) -> set[str]:
    """Names of the models a model reads."""
    return {name for name in models if models[name]["unique_id"] in models[model]["depends_on"]["nodes"]}


def layer(node: Any) -> str:
    """Folder of a model: staging, intermediate or marts."""
    return str(node["fqn"][1])


def test_only_the_folder_of_a_system_reads_its_rows(models: dict[str, Any]) -> None:
    readers = {(name, parent) for name in models for parent in parents(models, name) if parent.startswith("stg_")}
    assert len(readers) > 30
    assert {
        (reader, read) for reader, read in readers if models[reader]["fqn"][:-1] != models[read]["fqn"][:-1]
    } == set()


def test_only_the_union_of_an_object_reads_its_mappings(models: dict[str, Any]) -> None:
    mappings = [
        name for name, node in models.items() if layer(node) == "staging" and name.endswith(f"__{node['fqn'][2]}")
    ]
    assert len(mappings) > 30
    for mapping in mappings:
        matched = re.fullmatch(r"int_(\w+)__(\w+)", mapping)
        assert matched, mapping
        canonical = matched[1]
        assert {name for name in models if mapping in parents(models, name)} == {f"int_{canonical}__version"}


def test_what_a_system_needs_for_its_mappings_only_its_own_folder_reads(models: dict[str, Any]) -> None:
    steps = {
        name for name, node in models.items() if layer(node) == "staging" and name.startswith(f"int_{node['fqn'][2]}__")
    }
    readers = {name for name in models if parents(models, name) & steps}
    assert steps
    assert {name for name in readers if layer(models[name]) != "staging"} == set()


def test_marts_read_no_staging(models: dict[str, Any]) -> None:
    marts = [name for name, node in models.items() if layer(node) == "marts"]
    assert len(marts) > 30
    assert {name for name in marts if "staging" in {layer(models[parent]) for parent in parents(models, name)}} == set()


def test_the_union_of_an_object_refuses_columns_that_are_not_its_own(models: dict[str, Any]) -> None:
    unions = {name: node for name, node in models.items() if name.endswith("__version")}
    assert len(unions) == 13
    for name, node in unions.items():
        assert node["config"]["contract"]["enforced"], name
        assert {"system", "source", "_night", "_op", "_version_at"} <= set(node["columns"]), name


# The one model that still names systems: whose contacts are leads.
NAMES_SYSTEMS = "int_journey_event__registration"


def test_no_model_outside_the_folder_of_a_system_names_it(models: dict[str, Any]) -> None:
    systems = {node["fqn"][2] for node in models.values() if layer(node) == "staging"}
    named = re.compile("|".join(f"'{system}'" for system in sorted(systems)))
    assert {"zendesk", "salesforce"} <= systems
    assert {name for name, node in models.items() if layer(node) != "staging" and named.search(node["raw_code"])} == {
        NAMES_SYSTEMS
    }
