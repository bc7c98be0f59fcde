"""Which stream a person means by a name, and by a file alone.

Not here: what is done with it (check_extract.py, suggest_mapping.py).
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from storage.errors import JourneymartError

if TYPE_CHECKING:
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup
    from quality.contract.model import Contract


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class WrongUsageError(JourneymartError):
    """What was asked for is not there, or nobody can tell what is meant."""


def day_in(name: str) -> date | None:
    """The day a file's name tells; None: it tells none."""
    for found in _DAY.findall(name):
        try:
            return date.fromisoformat(found)
        except ValueError:
            continue
    return None


def declared_stream(setup: Setup | None, named: str | None) -> FileStream | None:
    """The stream of the company that is named; None: another is."""
    known = {str(each.stream): each for each in setup.sources.streams} if setup else {}
    return known.get(named or "")


def stream_of_company(setup: Setup, name: str) -> FileStream:
    """The stream of the company that is named.

    Raises:
        WrongUsageError: There is none.
    """
    try:
        return setup.sources.named(name)
    except JourneymartError as error:
        raise WrongUsageError(str(error)) from None


def named_contract(named: str) -> Contract:
    """The contract a person names as `ticket` or `zendesk/tickets`.

    Raises:
        WrongUsageError: There is none.
    """
    from quality.contract.model import load_contract

    system, _, stream = named.rpartition("/")
    try:
        return load_contract(system or "canonical", stream)
    except JourneymartError as error:
        raise WrongUsageError(str(error)) from None


def contract_of(stream: FileStream) -> Contract:
    """The contract of a stream of the company."""
    from quality.contract.model import load_contract

    return load_contract(stream.stream.system, stream.stream.stream)
