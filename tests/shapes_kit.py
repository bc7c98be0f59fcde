"""Companies told twice: by a vendor's API (emulated), and as the tables that Fivetran or Airbyte leave of them.

What lives here: which vendors, and what both routes tell. Not here: the records and tables (crm_shapes_kit.py,
survey_shapes_kit.py), comparing them (tests/integration/test_shipped_mappings.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quality.contract.files import streams_of
from tests import hubspot_emulator, qualtrics_emulator, salesforce_emulator
from tests.crm_shapes_kit import (
    airbyte_hubspot,
    airbyte_salesforce,
    fivetran_hubspot,
    fivetran_salesforce,
    portal,
    salesforce,
)
from tests.emulator_kit import Host, Row
from tests.survey_shapes_kit import INVITATIONS, brand, fivetran_qualtrics

# The tables tell of invitations that the API has forgotten; answers to HubSpot's surveys no shipped mapping reads.
_BY_ONE_ROUTE = frozenset({"distributions", "feedback_submissions"})


@dataclass(frozen=True)
class Told:
    """A company by several routes.

    Attributes:
        system: The vendor.
        credentials: What its API asks for.
        host: Makes its API.
        shapes: Makes the statements that leave the same in a warehouse, by shape.
        more: Rows that a shape tells and the API does not, by shape and stream.
    """

    system: str
    credentials: Mapping[str, str]
    host: Callable[[], Host]
    shapes: Mapping[str, Callable[[Any], Iterable[str]]]
    more: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)

    def entry(self, base: str) -> str:
        """The source that asks the API, as company.yml says it."""
        login = ", ".join(f"{name}: API_{name.upper()}" for name in self.credentials)
        streams = "".join(f"      {name}:\n" for name in self.streams())
        return (
            f"  api:\n    system: {self.system}\n    connector: rest\n    location: {base}\n"
            f"    credentials_env: {{{login}}}\n    streams:\n{streams}"
        )

    def streams(self) -> list[str]:
        """What all routes tell."""
        return [name for name in streams_of(self.system) if name not in _BY_ONE_ROUTE]


_ARCHIVED = (("contacts", 5), ("companies", 5), ("deals", 5))
VENDORS: Mapping[str, Told] = {
    "hubspot": Told(
        "hubspot",
        hubspot_emulator.CREDENTIALS,
        lambda: portal(_ARCHIVED),
        {"fivetran_hubspot": fivetran_hubspot},
    ),
    # Of contacts and companies that are archived Airbyte tells nothing.
    "hubspot, deals archived": Told(
        "hubspot",
        hubspot_emulator.CREDENTIALS,
        lambda: portal(_ARCHIVED[2:]),
        {"airbyte_hubspot": airbyte_hubspot},
    ),
    "qualtrics": Told(
        "qualtrics",
        qualtrics_emulator.CREDENTIALS,
        brand,
        {"fivetran_qualtrics": fivetran_qualtrics},
        {("fivetran_qualtrics", "distributions"): INVITATIONS},
    ),
    "salesforce": Told(
        "salesforce",
        salesforce_emulator.CREDENTIALS,
        salesforce,
        {"fivetran_salesforce": fivetran_salesforce, "airbyte_salesforce": airbyte_salesforce},
    ),
}
