"""The one line a person gets for a mistake in a company's files: what is wrong, and what is allowed.

Not here: where it stands (marked_yaml.py), what is a mistake (sources_file.py, sources.py; mapping_file.py,
mappings.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestration.config.marked_yaml import KeyPath, MarkedYaml
from orchestration.config.sources_file import (
    AlertKeys,
    EngineKeys,
    NightKeys,
    PublishKeys,
    SourceKeys,
    SourcesFile,
    StreamKeys,
    StrictModel,
)
from quality.contract.files import systems
from storage.errors import JourneymartError
from storage.nearest import nearest_words

_SECRETS = "storage_options_env, connection_env or credentials_env (of alerts: to)"
_LIKE_A_SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)


def first_mistake(
    file: MarkedYaml, error: ValidationError, keys_at: Callable[[KeyPath], type[StrictModel]]
) -> JourneymartError:
    """The first of several findings in a file; a key that is misspelt is told before the one missing because of it.

    Args:
        file: Where they are.
        error: The findings.
        keys_at: The keys that may stand at a place of the file.
    """
    first = min(error.errors(), key=lambda found: (found["type"] == "missing", file.line(found["loc"])))
    return file.mistake(*_explained(first, keys_at))


def _explained(error: ErrorDetails, keys_at: Callable[[KeyPath], type[StrictModel]]) -> tuple[KeyPath, str]:
    """Say one finding of pydantic in plain words: where, what is wrong, what is allowed. Repeats no secret."""
    at, kind, context = error["loc"], error["type"], error.get("ctx", {})
    key = str(at[-1]) if at else ""
    if kind == "missing":
        return at[:-1], f"the key '{key}' is missing{meaning(key)}"
    if kind == "extra_forbidden":
        hints = [nearest_words(key, _keys_of(keys_at(at[:-1])), show=20)]
        if _LIKE_A_SECRET.search(key):
            hints.append(f"secrets stand as names of environment variables under {_SECRETS}")
        return at, "; ".join(["unknown key", *filter(None, hints)])
    if kind == "journeymart":
        return at, str(context["message"])
    if kind == "literal_error":
        return at, f"'{error['input']}' is not allowed; allowed: {context['expected'].replace(' or ', ', ')}"
    if kind in {"less_than_equal", "greater_than_equal"}:
        bound = f"at most {context['le']}" if "le" in context else f"at least {context['ge']}"
        return at, f"is out of range; allowed: {bound}"
    return at, f"{_EXPECTED.get(kind, 'cannot be understood')}{meaning(key)}"


_EXPECTED = {
    "string_type": "must be text (in quotes if it looks like a number, a date or yes/no)",
    "too_short": "nothing stands here; at least one is needed",
    "string_too_short": "is empty",
    "string_too_long": "is too long; allowed: 1 character",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must be a list of keys, one per line and indented",
    "model_type": "must be a list of keys, one per line and indented",
    "date_type": "must be a day",
    "date_parsing": "must be a day",
    "date_from_datetime_parsing": "must be a day",
    "date_from_datetime_inexact": "must be a day",
}

_MEANINGS = {
    "company": "the company's name",
    "reporting_timezone": "an IANA time zone such as Europe/Berlin",
    "currency": "an ISO 4217 code such as EUR",
    "first_date": "a day written as 2026-06-27",
    "sources": "the source systems by name",
    "to": "the addresses, each by the NAME of the environment variable that holds it",
    "location": "the drop folder or its URL; of connector: rest, the address of the account",
    "credentials_env": "what the login needs, as names of environment variables",
    "connection_env": "the NAME of the environment variable that holds postgresql://user:password@host/database",
    "streams": "the streams this source delivers, by name",
    "pattern": "the file name, such as {stream}_{date}.csv",
}


def meaning(key: str) -> str:
    """What a key stands for, to be put behind its name; empty where the name says it."""
    if key == "system":
        return f": the vendor, one of {', '.join(systems())}"
    return f": {_MEANINGS[key]}" if key in _MEANINGS else ""


def _keys_of(model: type[StrictModel]) -> list[str]:
    """Its keys, as they are written."""
    return [known.alias or name for name, known in model.model_fields.items()]


_PARTS: dict[str, type[StrictModel]] = {
    "nights": NightKeys,
    "alerts": AlertKeys,
    "engine": EngineKeys,
    "publish": PublishKeys,
}


def company_keys_at(at: KeyPath) -> type[StrictModel]:
    """The model whose keys stand at a place of the company file."""
    match at:
        case ("sources", _, "streams", _, *_):
            return StreamKeys
        case ("sources", _, *_):
            return SourceKeys
        case (str(part), *_) if part in _PARTS:
            return _PARTS[part]
        case _:
            return SourcesFile
