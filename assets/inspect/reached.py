"""Whether a source can be reached, and whether its columns are those its contract or mapping expects.

What lives here: a page of what is pulled, or the newest delivery of what is delivered, and its columns. Not here: what
a night would make of it (delivery.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assets.inspect.columns import fit
from assets.landing.connectors.config import FileStream, RestPull
from assets.landing.connectors.drop_folder import available_dates
from assets.landing.peek import delivered_columns
from assets.pulling.extract import first_page
from quality.contract.model import Contract
from quality.gate.delivery_checks import needed_columns
from quality.mapping.statement import fit as fit_mapping
from storage.errors import JourneymartError


@dataclass(frozen=True)
class Reached:
    """One stream, asked for what it has.

    Attributes:
        stream: Which, as source/stream.
        found: What was looked at, in words; empty: nothing could be.
        columns: How many columns it has.
        missing: Columns that are needed and not there; of a mapped stream, as they are delivered.
        unknown: Columns that nothing is said of.
        problem: Why it could not be looked at; empty: it could.
    """

    stream: str
    found: str = ""
    columns: int = 0
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_well(self) -> bool:
        """Whether a night can go on with it."""
        return not self.problem and not self.missing


def reach(stream: FileStream, contract: Contract, day: date) -> Reached:
    """Ask a stream for what it has.

    Args:
        stream: The stream.
        contract: What it must look like.
        day: Of what is pulled: which date's extract is asked for.
    """
    name = str(stream.stream)
    try:
        if stream.pull is not None:
            page = first_page(stream, contract, day)
            # What an API does not tell comes as a column without a value.
            told = page.num_rows and isinstance(stream.pull, RestPull)
            names = [each for each in page.column_names if not told or page[each].null_count < page.num_rows]
            found = f"{page.num_rows:,} rows of {day}"
        else:
            days = available_dates(stream)
            if not days:
                return Reached(name, problem=f"nothing of it lies in {stream.location}")
            names, found = list(delivered_columns(stream, days[-1])), f"delivery of {days[-1]}"
    except JourneymartError as error:
        return Reached(name, problem=str(error))
    return _held_against(stream, contract, name, found, names)


def _held_against(stream: FileStream, contract: Contract, name: str, found: str, names: Sequence[str]) -> Reached:
    if stream.mapping is None:
        fitted = fit(names, contract)
        return Reached(name, found, len(names), fitted.missing, fitted.unknown)
    met = fit_mapping(stream.mapping, names)
    needed = needed_columns(contract) | {"where", "unpivot"}
    lacking = tuple(dict.fromkeys(each for each, _, target in met.lacking if target in needed))
    return Reached(name, found, len(names), lacking, met.unmapped)
