"""Which column of the contract a delivered column is, where its name is written otherwise.

Not here: judging that a column is missing (the gate).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from quality.contract.model import Contract


def contract_names(delivered: Sequence[str], contract: Contract) -> tuple[str, ...]:
    """The delivered names, each replaced by the contract's where exactly one column can be meant.

    `Order ID`, `orderId` and `ORDER_ID ` are `order_id`, unless there is a column of that very name, or two of them.
    """
    exact = set(delivered) & set(contract.columns)
    wanted = {folded_name(name): name for name in contract.columns if name not in exact}
    spelled = Counter(folded_name(name) for name in delivered if name not in exact)
    alike = Counter(folded_name(name) for name in contract.columns)
    found = {folded: name for folded, name in wanted.items() if spelled[folded] == 1 and alike[folded] == 1}
    return tuple(name if name in exact else found.get(folded_name(name), name) for name in delivered)


def folded_name(name: str) -> str:
    """A name without case and without all that parts its words."""
    return re.sub(r"[\W_]+", "", name.casefold())
