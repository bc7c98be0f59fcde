"""How a step fails: with one sentence, and without being tried again when trying again cannot help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from storage.errors import JourneymartError


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn what a person must act on into a failure that says just that, and that no retry repeats."""
    try:
        yield
    except JourneymartError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
