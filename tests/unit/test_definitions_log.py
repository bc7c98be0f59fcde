"""The log of definitions: what counts as one, when it changed, and that it outlives a build from nothing."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from assets.versions.definition_log import definition_log, definitions
from assets.versions.fingerprint import project_meaning
from assets.versions.manifest import DefinitionChange, Manifest, read_manifest, write_manifest
from quality.contract.model import all_contracts
from storage.sealed import unsealed
from tests.checkout import CHECKOUT
from tests.unit.test_versions import manifest

KPIS = 'kpi,name,definition\ncsat,Satisfaction,Share of the satisfied\nnps,Promoters,"Promoters, less detractors"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "dbt_project.yml": "name: x\n",
        "models/marts/kpi/mart_kpi.sql": "select 1",
        "macros/kpi/value.sql": "{% macro value() %}1{% endmacro %}",
        "macros/keys.sql": "{% macro key() %}1{% endmacro %}",
        "seeds/kpis.csv": KPIS,
        "seeds/teams.csv": "team\na\n",
        "seeds/_seeds.yml": "seeds: []\n",
    }
    for name, text in files.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    return tmp_path / "project"


def defined(project: Path, timezone: str = "UTC") -> dict[str, str]:
    return definitions(project_meaning(project, all_contracts(), timezone, "EUR"), project)


def version(changes: tuple[DefinitionChange, ...] = (), **known: str) -> Manifest:
    made = manifest(1, set())
    return Manifest(**{**vars(made), "definitions": known, "definition_changes": changes})


def test_each_kpi_is_a_definition_and_so_is_each_seed_and_each_folder_of_models(project: Path) -> None:
    assert set(defined(project)) == {
        "kpis/csat", "kpis/nps", "seeds/teams", "seeds", "models/marts/kpi", "macros", "macros/kpi",
        "project/dbt_project", "project/contracts", "project/settings",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("seeds/kpis.csv", "Share of", "Part of", {"kpis/csat"}),
        ("seeds/kpis.csv", "Satisfaction", '"Satisfaction"', set()),
        ("seeds/kpis.csv", "csat,", "happy,", {"kpis/csat", "kpis/happy"}),
        ("seeds/teams.csv", "a", "b", {"seeds/teams"}),
        ("models/marts/kpi/mart_kpi.sql", "1", "2", {"models/marts/kpi"}),
        ("macros/kpi/value.sql", "}1{", "}2{", {"macros/kpi"}),
        ("seeds/_seeds.yml", "[]", "[{name: kpis, description: All}]", {"seeds"}),
    ],
)
def test_an_edit_changes_the_definition_it_is_in_and_no_other(
    project: Path, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = defined(project)
    path = project / file
    path.write_text(path.read_text().replace(old, new, 1))
    after = defined(project)
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} == changed


def test_the_settings_are_a_definition(project: Path) -> None:
    before, after = defined(project), defined(project, "Europe/Berlin")
    assert {name for name in before if before[name] != after[name]} == {"project/settings"}


def test_an_engine_is_a_definition_of_its_own(project: Path) -> None:
    meaning = project_meaning(project, all_contracts(), "UTC", "EUR")
    before, after = definitions(meaning, project), definitions({**meaning, "engine": "spark"}, project)
    assert after.keys() - before.keys() == {"project/engine"}
    assert {name for name in before if before[name] != after[name]} == set()


def test_every_kpi_of_the_project_is_known() -> None:
    project = CHECKOUT.composed_project()
    known = definitions(project_meaning(project, all_contracts(), "UTC", "EUR"), project)
    assert {"kpis/csat", "kpis/backlog", "macros/kpi", "models/marts/kpi"} <= known.keys()
    assert all(len(name) < 100 and len(hashed) == 16 for name, hashed in known.items())


def test_the_first_version_has_an_empty_log() -> None:
    assert definition_log(None, {"kpis/csat": "a"}, date(2026, 1, 5)) == ()


def test_a_version_that_kept_no_definitions_says_nothing_of_changes() -> None:
    assert definition_log(manifest(1, set()), {"kpis/csat": "a"}, date(2026, 1, 5)) == ()


def test_what_is_otherwise_than_in_the_version_before_is_added_to_the_log() -> None:
    earlier = DefinitionChange(date(2026, 1, 1), "kpis/ces", "changed")
    before = version((earlier,), **{"kpis/csat": "a", "kpis/nps": "b", "kpis/ces": "c"})
    now = {"kpis/csat": "a", "kpis/nps": "other", "kpis/new": "d"}
    today = date(2026, 1, 5)
    assert definition_log(before, now, today) == (
        earlier,
        DefinitionChange(today, "kpis/ces", "removed"),
        DefinitionChange(today, "kpis/new", "added"),
        DefinitionChange(today, "kpis/nps", "changed"),
    )


def test_an_unchanged_night_keeps_the_log_as_it_is() -> None:
    log = (DefinitionChange(date(2026, 1, 1), "kpis/csat", "changed"),)
    assert definition_log(version(log, **{"kpis/csat": "a"}), {"kpis/csat": "a"}, date(2026, 1, 5)) == log


def test_a_manifest_gives_back_the_log_it_was_given(tmp_path: Path) -> None:
    log = (DefinitionChange(date(2026, 1, 1), "kpis/csat", "changed"),)
    write_manifest(tmp_path, version(log, **{"kpis/csat": "a"}))
    read = read_manifest(tmp_path)
    assert (read.definitions, read.definition_changes) == ({"kpis/csat": "a"}, log)


def test_a_manifest_from_before_the_log_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, version())
    path = tmp_path / "manifest.json"
    said = unsealed(path.read_bytes())
    del said["definitions"], said["definition_changes"]
    path.write_text(json.dumps(said))
    assert (read_manifest(tmp_path).definitions, read_manifest(tmp_path).definition_changes) == ({}, ())


def test_definitions_do_not_depend_on_where_the_project_lies(project: Path, tmp_path: Path) -> None:
    assert defined(project) == defined(shutil.copytree(project, tmp_path / "a copy"))
