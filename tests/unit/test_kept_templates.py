"""What Jinja makes of dbt's templates is made once, and is what it would be made into again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dbt_common.clients.jinja import MacroFuzzEnvironment, get_environment
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from orchestration.dbt.templates import KEPT, kept_templates
from tests.checkout import CHECKOUT

SUM = "{% set total = a + b %}{{ total }}"


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts that Jinja itself turns into Python."""
    texts = []
    as_ever = MacroFuzzEnvironment._parse

    def parsed(environment: MacroFuzzEnvironment, source: str, *rest: object) -> object:
        texts.append(source)
        return as_ever(environment, source, *rest)

    monkeypatch.setattr(MacroFuzzEnvironment, "_parse", parsed)
    yield texts


def rendered(text: str, *, native: bool = False, **values: object) -> object:
    """What dbt would make of a template."""
    return get_environment(native=native).from_string(text).render(values)


def test_a_text_is_turned_into_python_in_the_first_night_only(tmp_path: Path, generated: list[str]) -> None:
    for night in range(3):
        with kept_templates(tmp_path):
            assert rendered(SUM, a=night, b=2) == str(night + 2)
    assert generated == [SUM]


def test_what_is_no_longer_used_is_not_kept(tmp_path: Path, generated: list[str]) -> None:
    for text in (SUM, "{{ a }}", SUM):
        with kept_templates(tmp_path):
            rendered(text, a=1, b=2)
    assert generated == [SUM, "{{ a }}", SUM]


def test_a_text_that_gives_values_and_one_that_gives_text_are_two(tmp_path: Path) -> None:
    for _ in range(2):
        with kept_templates(tmp_path):
            assert (rendered(SUM, a=1, b=2), rendered(SUM, native=True, a=1, b=2)) == ("3", 3)


@given(st.integers(0), st.binary(max_size=40))
def test_a_damaged_file_is_made_again(tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes) -> None:
    target = tmp_path_factory.mktemp("target")
    with kept_templates(target):
        rendered(SUM, a=1, b=2)
    content = (target / KEPT).read_bytes()
    at = place % len(content)
    (target / KEPT).write_bytes(content[:at] + damage)
    with kept_templates(target):
        assert rendered(SUM, a=1, b=2) == "3"
    assert (target / KEPT).read_bytes() == content


def test_a_mistake_is_told_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TemplateSyntaxError), kept_templates(tmp_path):
            rendered("{% if %}")


def test_every_macro_of_the_project_is_the_same_code_when_found_again(tmp_path: Path) -> None:
    texts = [file.read_text(encoding="utf-8") for file in sorted((CHECKOUT.dbt_project / "macros").rglob("*.sql"))]
    assert texts
    expected = [get_environment().compile(text) for text in texts]
    for _ in range(2):
        with kept_templates(tmp_path):
            assert [get_environment().compile(text) for text in texts] == expected
