"""What a column says about people, also where its contract does not know it.

What lives here: the role of a column nobody contracted and of a key inside JSON, by what contracts call columns of that
name. Not here: the roles themselves (contracts, model.py), what follows from them (assets/erasure).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from quality.contract.model import Contract, Role, all_contracts

# Where contracts differ, the role that takes more out.
_PEOPLE: tuple[Role, ...] = ("conversation", "actor", "author", "subject")


def role_of(contract: Contract, name: str) -> Role | None:
    """What a column of an extract says: what its contract says, or what columns of that name say elsewhere."""
    column = contract.columns.get(name)
    return column.role if column else usual_roles().get(name)


@cache
def usual_roles() -> Mapping[str, Role]:
    """By name: how columns of any contract lead to a person, or to a conversation of theirs."""
    return {name: role for role in _PEOPLE for contract in all_contracts() for name in contract.having(role)}
