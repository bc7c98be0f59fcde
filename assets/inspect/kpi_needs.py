"""What each KPI cannot do without, as kpi_needs.yml says it: the file, read.

Not here: holding deliveries against it (kpi_outlook.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

NEEDS_FILE = Path(__file__).with_name("kpi_needs.yml")
# Beside its columns, what is known of a record: whether several versions of it were delivered.
TOLD_AGAIN = "_told_again"
# Of a currency: the company's own.
COMPANYS = "company"

_TERM = re.compile(
    r"(?:table (?P<table>\w+\.\w+))|(?P<object>\w+)(?:\.(?P<column>\w+)(?:(?P<how>[=~])(?P<values>.+))?)?"
)


@dataclass(frozen=True)
class Term:
    """Something that may be known: a record, a value of it, or values in a table of the company.

    Attributes:
        object: Canonical object; empty: a company's table is meant.
        column: One of its columns; None: any record will do.
        values: What the value must be one of; None: any.
        within: The value holds one of them, in any case, rather than being one.
        table: A table of the company and its column; empty: none is meant.
    """

    object: str = ""
    column: str | None = None
    values: tuple[str, ...] | None = None
    within: bool = False
    table: str = ""

    def __str__(self) -> str:
        """As a person reads it."""
        if self.table:
            return f"values of {self.table}, a table of the company"
        if self.column is None:
            return self.object
        if self.column == TOLD_AGAIN:
            return f"several versions of {self.object}"
        said = f" ({' or '.join(self.values)})" if self.values else ""
        return f"{self.object}.{self.column}{said}"


@dataclass(frozen=True)
class Need:
    """One of several terms that has to hold of a record, and what is said where none does.

    `reason` names a row of the seed left_out_reasons; without one, `because` and `remedy` are said.
    """

    any: tuple[Term, ...]
    reason: str = ""
    because: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class MeasureNeeds:
    """What one measure counts and cannot do without."""

    measure: str
    counts: tuple[str, ...]
    among: tuple[Need, ...] = ()
    needs: tuple[Need, ...] = ()
    reads_0: tuple[Term, ...] = ()

    @property
    def clauses(self) -> tuple[Need, ...]:
        """All that must hold of a record that counts."""
        return (*self.among, *self.needs)


@cache
def load_needs() -> Mapping[str, MeasureNeeds]:
    """What every measure needs, by its name."""
    said: dict[str, dict[str, Any]] = yaml.load(NEEDS_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return {
        measure: MeasureNeeds(
            measure,
            (each["counts"], *each.get("or_counts", ())),
            tuple(map(_need, each.get("among", ()))),
            tuple(map(_need, each.get("needs", ()))),
            tuple(map(_term, each.get("reads_0", ()))),
        )
        for measure, each in said.items()
    }


def _need(said: Mapping[str, Any]) -> Need:
    return Need(**{**said, "any": tuple(map(_term, said["any"]))})


def _term(said: str) -> Term:
    found = _TERM.fullmatch(said)
    if found is None:
        raise ValueError(f"{NEEDS_FILE.name}: '{said}' is no term")
    if found["table"]:
        return Term(table=found["table"])
    values = tuple(found["values"].split(",")) if found["values"] else None
    return Term(found["object"], found["column"], values, found["how"] == "~")
