"""The project fingerprint changes with all that changes a mart's values, and with nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from assets.text.sentiment import TextSentiment
from assets.versions.fingerprint import fingerprint_of, project_meaning
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.config.sources_file import EngineKeys
from quality.contract.files import CONTRACTS
from quality.contract.model import Contract, all_contracts
from tests.checkout import CHECKOUT

_FILES = {
    "dbt_project.yml": "name: x\n",
    "models/staging/stg_a.sql": "select 1 as a",
    "models/marts/mart_a.sql": "select * from a",
    "models/marts/_marts.yml": (
        "models:\n- name: mart_a\n  description: One row.\n  config: {materialized: table}\n"
        "  columns:\n  - {name: a, data_type: int, data_tests: [not_null]}\n"
    ),
    "seeds/kpis.csv": "kpi\nnps\n",
    "macros/key.sql": "{% macro key() %}1{% endmacro %}",
    "tests/assert_a.sql": "select 1 where false",
    "target/manifest.json": "{}",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in _FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    return shutil.copytree(CONTRACTS, tmp_path / "contracts")


def fingerprint(project: Path, contracts: Path = CONTRACTS, timezone: str = "UTC", currency: str = "EUR") -> str:
    return fingerprint_of(project_meaning(project, read(contracts), timezone, currency))


def read(contracts: Path) -> list[Contract]:
    return [Contract.model_validate(yaml.safe_load(path.read_text())) for path in sorted(contracts.glob("*/*.yml"))]


def test_it_depends_on_content_not_on_place(project, tmp_path):
    assert fingerprint(project) == fingerprint(shutil.copytree(project, tmp_path / "a copy"))


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml",
        "models/staging/stg_a.sql",
        "models/marts/mart_a.sql",
        "seeds/kpis.csv",
        "macros/key.sql",
        "models/staging/stg_new.sql",
    ],
)
def test_it_changes_with_models_seeds_macros_and_project(project, name):
    before = fingerprint(project)
    path = project / name
    path.write_text((path.read_text() if path.exists() else "") + "\n# changed")
    assert fingerprint(project) != before


@pytest.mark.parametrize(
    ("old", "new"), [("table", "view"), ("data_type: int", "data_type: bigint"), ("mart_a", "mart_b")]
)
def test_it_changes_with_what_a_property_file_says(project, old, new):
    before = fingerprint(project)
    path = project / "models/marts/_marts.yml"
    path.write_text(path.read_text().replace(old, new))
    assert fingerprint(project) != before


@pytest.mark.parametrize(
    ("old", "new"), [("One row.", "One row per a."), ("[not_null]", "[unique]"), ("models:", "# x\nmodels:")]
)
def test_it_does_not_change_with_words_and_tests_of_a_property_file(project, old, new):
    before = fingerprint(project)
    path = project / "models/marts/_marts.yml"
    path.write_text(path.read_text().replace(old, new))
    assert fingerprint(project) == before


@pytest.mark.parametrize("name", ["tests/assert_a.sql", "target/manifest.json", "models/README.md"])
def test_it_does_not_change_with_tests_build_products_and_notes(project, name):
    before = fingerprint(project)
    (project / name).write_text("other")
    assert fingerprint(project) == before


def test_it_changes_with_a_renamed_file(project):
    before = fingerprint(project)
    (project / "models/marts/mart_a.sql").rename(project / "models/marts/mart_b.sql")
    assert fingerprint(project) != before


def test_it_changes_with_timezone_and_currency(project):
    assert (
        len(
            {
                fingerprint(project),
                fingerprint(project, timezone="Europe/Rome"),
                fingerprint(project, currency="USD"),
            }
        )
        == 3
    )


def test_it_changes_with_how_texts_are_estimated(project):
    meanings = [
        project_meaning(project, all_contracts(), "UTC", "EUR", wanted)
        for wanted in (None, TextSentiment("en", "a library 1"), TextSentiment("en", "a library 2"))
    ]
    assert len({fingerprint_of(meaning) for meaning in meanings}) == 3


def test_it_changes_with_the_shape_of_accepted_rows_but_not_with_the_words_of_a_contract(project, contracts):
    before = fingerprint(project, contracts)
    assert before == fingerprint(project)
    path = contracts / "canonical" / "order.yml"
    text = path.read_text()
    path.write_text("# a comment\n" + text)
    assert fingerprint(project, contracts) == before
    path.write_text(text.replace("type: decimal", "type: double", 1))
    assert fingerprint(project, contracts) != before


def test_another_release_of_what_spells_contact_points_counts(project, monkeypatch):
    before = fingerprint(project)
    monkeypatch.setattr("assets.versions.fingerprint.installed_version", lambda _: "0.1")
    assert fingerprint(project) != before


def test_it_changes_with_the_engine_and_not_with_where_the_engine_is():
    sources = load_sources(CHECKOUT.company_folder.file, CHECKOUT.data)
    engines = [None, *(EngineKeys(name="spark", address=address) for address in ("local", "sc://spark:15002"))]
    on_duckdb, here, there = (Setup(CHECKOUT, replace(sources, engine=engine)).fingerprint for engine in engines)
    assert on_duckdb != here == there
