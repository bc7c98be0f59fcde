"""The examples of docs/mapping.md are true: what they deliver lands as the rows they show."""

from __future__ import annotations

import csv
import io
import re

import pytest

from orchestration.config.settings import PROJECT
from tests.mapping_kit import FIRST, Company

PAGE = (PROJECT / "docs" / "mapping.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/mapping.md shows no {name}"
    return found[1]


@pytest.mark.parametrize("of", ["desk", "survey", "log"])
def test_an_example_lands_as_it_is_shown(tmp_path, of):
    company = Company(tmp_path)
    mapping, delivery = example(f"mapping of the {of}"), example(f"delivery of the {of}")
    stream = mapping.partition(":")[0]
    delimiter = ";" if ";" in delivery else ","
    (one,) = company.says(f"{stream}: {{pattern: 'x_{{date}}.csv', delimiter: '{delimiter}'}}", mapping).streams
    (company.drop / f"x_{FIRST}.csv").write_text(delivery, encoding="utf-8")
    company.land(one)
    shown = list(csv.DictReader(io.StringIO(example(f"rows of the {of}"))))
    landed = [{name: row[name] or "" for name in row if name not in ("_file", "_row")} for row in company.rows(one)]
    assert landed == shown


def test_the_example_of_a_look_up_lands_as_it_is_shown(tmp_path):
    company = Company(tmp_path)
    ticket, agent, contact = company.says("ticket:\nagent:\ncontact:", example("mapping of the look-up")).streams
    for stream, delivered in ((agent, "agents"), (contact, "contacts"), (ticket, "delivery")):
        file = company.drop / f"{stream.stream.stream}_{FIRST}.csv"
        file.write_text(example(f"{delivered} of the look-up"), encoding="utf-8")
        company.land(stream)
    shown = list(csv.DictReader(io.StringIO(example("rows of the look-up"))))
    landed = [{name: row[name] or "" for name in row if name not in ("_file", "_row")} for row in company.rows(ticket)]
    assert landed == shown
    mapped = company.manifest(ticket).mapped
    assert mapped and mapped.without_partner == {"Customer mail (line 4 of mappings/desk.yml)": 1}
