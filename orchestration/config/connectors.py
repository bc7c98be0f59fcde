"""What a connector has of its own in the company file: which keys, and how a stream is pulled by what they say.

Not here: the shape of a key (sources_file.py), what all connectors share (sources.py), pulling (assets/pulling).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from assets.landing.connectors.config import PostgresPull, Pull, RestPull
from orchestration.config.marked_yaml import KeyPath, MarkedYaml
from orchestration.config.mistakes import meaning
from orchestration.config.sources_file import Connector, SourceKeys
from quality.contract.model import Contract

# Keys that some connectors read; what is named nowhere here, all do.
_OWN_KEYS: dict[Connector, frozenset[str]] = {
    "files": frozenset(
        {
            "location",
            "storage_options_env",
            "known_hosts",
            "host_key",
            "pattern",
            "history",
            "complete",
            "encoding",
            "delimiter",
            "header_rows",
            "sheet",
            "mode",
            "cursor",
            "max_delete_share",
            "mapping",
        }
    ),
    "postgres": frozenset(
        {
            "connection_env",
            "table",
            "query",
            "key",
            "since",
            "overlap_minutes",
            "statement_timeout",
            "mode",
            "cursor",
            "max_delete_share",
            "mapping",
        }
    ),
    "rest": frozenset({"location", "credentials_env", "since", "pull_hours", "api_version"}),
}
_NEEDED: dict[Connector, tuple[str, ...]] = {
    "files": ("location",),
    "postgres": ("connection_env",),
    "rest": ("location", "credentials_env"),
}

# A host alone: paths are the vendor's. Without encryption only within this machine.
_HOST = re.compile(r"https://[\w.-]+(:\d+)?/?|http://(127\.0\.0\.1|localhost)(:\d+)?/?")


def require_own_keys(file: MarkedYaml, at: KeyPath, source: SourceKeys) -> None:
    """Refuse keys of another connector, which nothing would read, and the lack of the one that is needed.

    Raises:
        JourneymartError: With file, line and key.
    """
    said = [(at, source), *(((*at, "streams", name), stream) for name, stream in source.streams.items() if stream)]
    for where, keys in said:
        for key in sorted(keys.model_fields_set):
            owners = [each for each, own in _OWN_KEYS.items() if key in own]
            if owners and source.connector not in owners:
                raise file.mistake(
                    (*where, key),
                    f"is a key of sources with connector: {' or '.join(owners)}, and this one has {source.connector}",
                )
    for needed in _NEEDED[source.connector]:
        if not getattr(source, needed):
            raise file.mistake(at, f"the key '{needed}' is missing{meaning(needed)}")


def take_pull(
    file: MarkedYaml, at: KeyPath, source: SourceKeys, said: dict[str, Any], contract: Contract
) -> Pull | None:
    """How a stream is pulled, by what is said of it, whose keys are taken out of that; None: it is not pulled.

    Raises:
        JourneymartError: What is said does not say how; with file, line and key.
    """
    match source.connector:
        case "files":
            return None
        case "postgres":
            return _postgres(file, at, source, said, contract)
        case "rest":
            return _rest(file, at, source, said)


def _postgres(
    file: MarkedYaml, at: KeyPath, source: SourceKeys, said: dict[str, Any], contract: Contract
) -> PostgresPull:
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


def _rest(file: MarkedYaml, stream: KeyPath, source: SourceKeys, said: dict[str, Any]) -> RestPull:
    from assets.pulling.rest.vendors import VENDORS

    at = stream[:2]
    vendor = VENDORS.get(source.system)
    if vendor is None:
        raise file.mistake(
            (*at, "connector"),
            f"no API of '{source.system}' is known here; allowed: {', '.join(VENDORS)}; others deliver files",
        )
    if stream[-1] not in vendor.streams:
        raise file.mistake(
            stream,
            f"is not asked of the API of '{source.system}'; allowed: {', '.join(vendor.streams)}; others deliver "
            "files, as a source of their own",
        )
    location, named = source.location or "", source.credentials_env
    if not _HOST.fullmatch(location):
        raise file.mistake((*at, "location"), f"must be the account's own address, such as {vendor.example}")
    if set(named) not in [set(kind.credentials) for kind in vendor.logins]:
        kinds = "; or ".join(" and ".join(kind.credentials) for kind in vendor.logins)
        raise file.mistake((*at, "credentials_env"), f"'{source.system}' takes {kinds}")
    if source.api_version and vendor.version is None:
        raise file.mistake((*at, "api_version"), f"the API of '{source.system}' has no releases to choose from")
    return RestPull(
        base=location.rstrip("/"),
        credentials_env=tuple(named.items()),
        since=said.pop("since", None),
        version=source.api_version,
        **({"hours": said.pop("pull_hours")} if "pull_hours" in said else {}),
    )
