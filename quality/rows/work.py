"""Names of the working table, its views, and what the gate adds to the columns of a contract. Not here: making it."""

from __future__ import annotations

from collections.abc import Mapping

WORK = "work"
# The rows to be accepted; announced deletions apart, because they have a key and nothing else.
TO_ACCEPT = "to_accept"
TO_DELETE = "to_delete"

# What the gate adds to the columns of the contract, in this order.
ADDED_COLUMNS: Mapping[str, str] = {
    "_extra": "json",
    "_source": "varchar",
    "_extract_date": "date",
    "_file": "varchar",
    "_row": "bigint",
    "_op": "varchar",
    "_version_at": "timestamptz",
}
