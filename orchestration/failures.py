"""How a step fails: with one sentence, and without being tried again where trying again cannot help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from storage.disk import explaining_the_disk
from storage.engine import memory_trouble
from storage.errors import JourneymartError, PassingError


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn what a person must act on into a failure that says just that; a retry is for what may pass by itself."""
    try:
        with explaining_the_disk():
            yield
    except JourneymartError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, PassingError)) from error
    except Exception as error:
        if said := memory_trouble(error):
            raise dg.Failure(description=said, allow_retries=False) from JourneymartError(said)
        raise
