"""dbt finds a table it knows of by its name.

What lives here: finding one. Not here: when dbt runs (orchestration/processes/dbt.py).

dbt keeps the tables it knows of by their names, and compares each of them with the one it looks for: as many steps as a
build has tables, at every model, twice. Leans on the inside of dbt-adapters, which the lock pins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.dbt.replaced import replaced

if TYPE_CHECKING:
    from dbt.adapters.base.impl import BaseAdapter
    from dbt.adapters.base.relation import BaseRelation


@contextmanager
def found_by_name() -> Iterator[None]:
    """Within this block tables of a schema that dbt knows are found by name."""
    from dbt.adapters.base.impl import BaseAdapter
    from dbt.adapters.reference_keys import _ReferenceKey

    as_ever: Callable[[BaseAdapter, str, str, str], BaseRelation | None] = BaseAdapter.get_relation

    def get_relation(self: BaseAdapter, database: str, schema: str, identifier: str) -> BaseRelation | None:
        if (database, schema) not in self.cache:
            return as_ever(self, database, schema, identifier)
        known = self.cache.relations.get(_ReferenceKey(database.lower(), schema.lower(), identifier.lower()))
        # Whether it is written as asked for is dbt's to say.
        matches: list[BaseRelation] = self._make_match([known.inner] if known else [], database, schema, identifier)
        return matches[0] if matches else None

    with replaced(BaseAdapter, "get_relation", get_relation):
        yield
