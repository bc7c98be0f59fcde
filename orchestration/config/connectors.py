"""What a connector has of its own in the company file: which keys, and how a stream is pulled by what they say.

Not here: the shape of a key (sources_file.py), what all connectors share (sources.py), pulling (assets/pulling).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from assets.landing.connectors.config import PostgresPull
from orchestration.config.marked_yaml import KeyPath, MarkedYaml
from orchestration.config.mistakes import meaning
from orchestration.config.sources_file import Connector, SourceKeys
from quality.contract.model import Contract

_OWN_KEYS: dict[Connector, frozenset[str]] = {
    "files": frozenset(
        {
            "location",
            "storage_options_env",
            "pattern",
            "history",
            "complete",
            "encoding",
            "delimiter",
            "header_rows",
        }
    ),
    "postgres": frozenset({"connection_env", "table", "query", "key", "since", "overlap_minutes", "statement_timeout"}),
}
_NEEDED: dict[Connector, str] = {"files": "location", "postgres": "connection_env"}


def require_own_keys(file: MarkedYaml, at: KeyPath, source: SourceKeys) -> None:
    """Refuse keys of another connector, which nothing would read, and the lack of the one that is needed.

    Raises:
        JourneymartError: With file, line and key.
    """
    said = [(at, source), *(((*at, "streams", name), stream) for name, stream in source.streams.items() if stream)]
    for where, keys in said:
        for key in sorted(keys.model_fields_set):
            owner = next((each for each, own in _OWN_KEYS.items() if key in own), source.connector)
            if owner != source.connector:
                raise file.mistake(
                    (*where, key), f"is a key of sources with connector: {owner}, and this one has {source.connector}"
                )
    needed = _NEEDED[source.connector]
    if getattr(source, needed) is None:
        raise file.mistake(at, f"the key '{needed}' is missing{meaning(needed)}")


def take_pull(
    file: MarkedYaml, at: KeyPath, source: SourceKeys, said: dict[str, Any], contract: Contract
) -> PostgresPull | None:
    """How a stream is pulled, by what is said of it, whose keys are taken out of that; None: it is not pulled.

    Raises:
        JourneymartError: What is said does not say how; with file, line and key.
    """
    if source.connector != "postgres":
        return None
    table, query = said.pop("table", None), said.pop("query", None)
    if (table is None) == (query is None):
        raise file.mistake(at, "a stream read from a database needs either 'table' or 'query'")
    is_whole = said.get("mode") == "full"
    if is_whole and "cursor" in said:
        raise file.mistake((*at, "cursor"), "mode: full reads the whole table each night; leave one of the two out")
    cursor = said.pop("cursor", contract.version)
    if cursor is None and not is_whole:
        raise file.mistake(at, "needs a 'cursor' (the column that says when a record changed), or mode: full")
    return PostgresPull(
        connection_env=source.connection_env or "",
        table=table,
        query=query,
        key=tuple(said.pop("key", contract.key)),
        cursor=None if is_whole else cursor,
        since=said.pop("since", None),
        **{
            field: timedelta(**{unit: said.pop(key)})
            for key, field, unit in (
                ("overlap_minutes", "overlap", "minutes"),
                ("statement_timeout", "statement_timeout", "seconds"),
            )
            if key in said
        },
    )
