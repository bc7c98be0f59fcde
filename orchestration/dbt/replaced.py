"""An attribute of a class of dbt, replaced for a while.

Not here: what dbt does otherwise meanwhile (templates.py, unsaid_events.py, found_relations.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def replaced(owner: type, name: str, by: object) -> Iterator[None]:
    """Within this block a class has another attribute of its own, afterwards the one it had, or none.

    Args:
        owner: The class.
        name: The attribute's.
        by: What it is meanwhile.
    """
    had = vars(owner).get(name)
    setattr(owner, name, by)
    try:
        yield
    finally:
        if had is None:
            delattr(owner, name)
        else:
            setattr(owner, name, had)
