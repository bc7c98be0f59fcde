"""The picture a stakeholder sees: few groups, arrows one way, short ways, and nothing in it untrue."""

from __future__ import annotations

from collections import Counter, deque
from graphlib import TopologicalSorter

import dagster as dg
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestration import keys
from orchestration.build import build_defs
from orchestration.check_words import ROWS
from orchestration.config.setup import Setup
from orchestration.config.sources import load_sources
from orchestration.dbt.asset_graph import WAY, AssetGraph, Source, built, drawn, is_public
from orchestration.dbt.lineage import through_steps
from orchestration.dbt.project import load_manifest
from orchestration.dbt.row_tests import row_tests
from orchestration.dbt_translator import Translator, check_target, dbt_tests
from tests.checkout import CHECKOUT

MART = dg.AssetKey(["marts", "mart_kpi_daily"])


def setup_of(sources):
    return Setup(CHECKOUT, load_sources(sources, CHECKOUT.data))


def graph_of(setup):
    return build_defs(setup=setup).resolve_asset_graph()


@pytest.fixture(scope="module")
def graph():
    return graph_of(setup_of(CHECKOUT.company_folder.file))


@pytest.fixture(scope="module")
def project():
    return AssetGraph(load_manifest(CHECKOUT))


def groups_of(graph):
    return {graph.get(key).group_name for key in graph.get_all_asset_keys()}


def arrows_between_groups(graph):
    group = {key: graph.get(key).group_name for key in graph.get_all_asset_keys()}
    return {
        (group[parent], group[key])
        for key in group
        for parent in graph.get(key).parent_keys
        if group[parent] != group[key]
    }


def steps_from(graph, key):
    """How many arrows each asset lies before `key`, by the shortest way."""
    found = {key: 0}
    waiting = deque([key])
    while waiting:
        here = waiting.popleft()
        for parent in graph.get(here).parent_keys - found.keys():
            found[parent] = found[here] + 1
            waiting.append(parent)
    return found


def test_the_sample_company_is_fourteen_groups_at_most_from_left_to_right(graph):
    groups = groups_of(graph)
    print(f"{len(groups)} groups of {len(graph.get_all_asset_keys())} assets")
    assert len(groups) <= 14
    sources = {name for name in groups if name.startswith("source_")}
    assert groups - sources == set(WAY)
    way = [*sources, *WAY]
    backwards = [(left, right) for left, right in arrows_between_groups(graph) if way.index(left) > way.index(right)]
    assert backwards == []


def test_thirty_arrows_at_most_lead_from_group_to_group(graph):
    arrows = arrows_between_groups(graph)
    print(f"{len(arrows)} arrows from group to group")
    assert len(arrows) <= 30, sorted(arrows)


def test_every_public_mart_is_eight_steps_at_most_from_each_of_its_sources(graph, project):
    farthest = {}
    for node in (node for node in project.manifest["nodes"].values() if node["resource_type"] == "model"):
        if not is_public(node):
            continue
        found = steps_from(graph, dg.AssetKey(["marts", node["name"]]))
        nearest = {}
        for key, steps in found.items():
            if key.path[0] == "accepted":
                nearest[key.path[1]] = min(steps, nearest.get(key.path[1], steps))
        farthest[node["name"]] = max(nearest.values(), default=0)
    print(f"{max(farthest.values())} steps at most from a source to one of {len(farthest)} public marts")
    assert {name: steps for name, steps in farthest.items() if steps > 8} == {}


def test_a_further_source_is_one_group_and_one_arrow_more(graph, tmp_path):
    told = yaml.safe_load(CHECKOUT.company_folder.file.read_text(encoding="utf-8"))
    told["sources"]["second_desk"] = told["sources"]["zendesk"]
    path = tmp_path / "sources.yml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    larger = graph_of(setup_of(path))
    assert groups_of(larger) - groups_of(graph) == {"source_second_desk"}
    assert arrows_between_groups(larger) - arrows_between_groups(graph) == {("source_second_desk", "records")}


def test_what_lies_in_a_store_comes_after_what_is_published_and_only_where_there_is_a_store(graph, tmp_path):
    told = yaml.safe_load(CHECKOUT.company_folder.file.read_text(encoding="utf-8"))
    path = tmp_path / "sources.yml"
    path.write_text(yaml.safe_dump({**told, "publish": {"to": "s3://bucket/prefix"}}), encoding="utf-8")
    larger = graph_of(setup_of(path))
    assert larger.get_all_asset_keys() - graph.get_all_asset_keys() == {keys.IN_STORE}
    assert larger.get(keys.IN_STORE).parent_keys == {keys.PUBLISHED}
    assert groups_of(larger) == groups_of(graph)


def test_nps_comes_from_the_surveys_by_way_of_answers(graph):
    before = steps_from(graph, MART)
    way = ("accepted/qualtrics/responses", "records/survey_answer", "marts/fct_survey_answer")
    assert [before[dg.AssetKey(each.split("/"))] for each in way] == [4, 3, 2]
    assert before[dg.AssetKey(["seeds", "kpis"])] == 1
    assert keys.NIGHT not in before


def test_whatever_a_model_reads_leads_to_it(graph, project):
    """Through mappings and views; only what everything reads, the calendar and the night's tables, is left out."""
    key_of = Translator(setup_of(CHECKOUT.company_folder.file), project.manifest).key_of
    for asset in project.assets:
        before = steps_from(graph, key_of(asset))
        read = {key_of(parent) for parent in project.parents_of(asset) if not isinstance(parent, Source)}
        assert read <= before.keys(), asset


def test_assets_come_after_what_they_are_made_from(project):
    place = {asset: n for n, asset in enumerate(project.in_order)}
    assert place.keys() == project.assets
    for asset in project.assets:
        assert all(
            place[parent] < place[asset] for parent in project.parents_of(asset) if not isinstance(parent, Source)
        )


def test_every_node_is_shown_by_an_asset_of_its_own_or_of_its_only_reader(project):
    nodes = built(project.manifest)
    assert {step for asset in project.assets for step in project.steps_of(asset)} == nodes.keys()
    for i in nodes.keys() - project.assets:
        assert nodes[i]["resource_type"] == "model"
        assert not is_public(nodes[i]), i
        readers = {project.asset_of(child) for child in project.manifest["child_map"][i] if child in nodes}
        is_mapping_or_view = nodes[i]["fqn"][1] == "staging" or nodes[i]["config"]["materialized"] == "view"
        assert is_mapping_or_view or readers == {project.asset_of(i)}, i


def test_every_public_mart_leads_to_what_is_published(graph, project):
    before = steps_from(graph, keys.PUBLISHED)
    marts = {node["name"] for node in built(project.manifest).values() if is_public(node)}
    assert {dg.AssetKey(["marts", name]) for name in marts} <= before.keys()


def test_every_test_of_dbt_is_a_check_that_says_what_it_means_and_what_to_do(graph, project):
    tests = {i: node for i, node in dbt_tests(project.manifest).items() if check_target(project.manifest, i)}
    shown = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    together = row_tests(project.manifest)
    assert {node["name"] for i, node in tests.items() if i not in together} <= {spec.name for spec in shown}
    rows = {spec.asset_key.path[-1]: spec.description for spec in shown if spec.name == ROWS}
    told = " ".join(rows.values())
    for i, test in together.items():
        assert (test.columns[0] in told) and tests[i], i
    assert "Every ticket_key is one of fct_ticket." in rows["fct_sla"]
    assert "No two rows have the same sla_key." in rows["fct_sla"]
    assert "dim_customer" in rows["fct_ticket"]
    for spec in shown:
        name = spec.name
        assert spec.description, name
        assert "If it fails" in spec.description or not spec.blocking, name
        assert not any(sign in spec.description for sign in "{}"), spec.description


def test_a_check_of_an_extract_says_the_limits_of_its_contract(graph):
    key = dg.AssetKey(["accepted", "zendesk", "tickets"])
    words = {k.name: graph.get_check_spec(k).description for k in graph.asset_check_keys if k.asset_key == key}
    assert "at most 1.00% of them" in words["quarantine"]
    assert "journeymart gate approve zendesk/tickets" in words["volume"]
    assert "approve" not in words["schema"], "nobody can approve a missing column"


def test_every_public_mart_says_what_it_is_for(graph, project):
    for node in built(project.manifest).values():
        if is_public(node):
            assert "**For:** " in graph.get(dg.AssetKey(["marts", node["name"]])).description, node["name"]


def test_columns_come_from_assets_through_their_steps():
    lineage = {
        "fct": {"score": [("view", "points")]},
        "view": {"points": [("mapping", "value"), ("seed", "scale")], "unread": [("mapping", "other")]},
        "mapping": {"value": [("source.accepted", "Score")]},
    }
    assert through_steps(lineage, {"fct", "seed"}) == {
        "fct": {"score": [("seed", "scale"), ("source.accepted", "Score")]}
    }


def test_columns_of_records_come_from_columns_of_extracts(project):
    translator = Translator(setup_of(CHECKOUT.company_folder.file), project.manifest)
    (dep,) = translator.column_lineage({"ticket": [("source.journeymart.zendesk.tickets", "id")]}).deps_by_column[
        "ticket"
    ]
    assert (dep.asset_key, dep.column_name) == (dg.AssetKey(["accepted", "zendesk", "tickets"]), "id")


NODES = st.integers(2, 9).flatmap(
    lambda n: st.fixed_dictionaries(
        {k: st.frozensets(st.integers(0, k - 1)) if k else st.just(frozenset()) for k in range(n)}
    )
)


def behind(parents):
    found = {}
    for node in TopologicalSorter(parents).static_order():
        found[node] = set().union(*({each, *found[each]} for each in parents[node]))
    return found


@given(NODES, st.lists(st.integers(0, 3), min_size=9, max_size=9).map(sorted))
def test_leaving_arrows_out_hides_no_way(parents, groups):
    shown = drawn(parents, groups.__getitem__)
    assert behind(shown) == behind(parents)
    assert all(shown[node] <= parents[node] for node in parents)


@given(NODES, st.lists(st.integers(0, 3), min_size=9, max_size=9).map(sorted))
def test_only_few_arrows_between_two_groups_are_left_out(parents, groups):
    shown = drawn(parents, groups.__getitem__)
    left_out = Counter((groups[p], groups[node]) for node in parents for p in parents[node] - shown[node])
    assert all(left != right and arrows < 3 for (left, right), arrows in left_out.items())
