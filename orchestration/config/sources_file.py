"""The shape of the company file: its keys, and what each may be.

Not here: what follows from several keys together (sources.py), what is said of a mistake (mistakes.py).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from quality.contract.currencies import CURRENCIES
from quality.contract.files import systems
from quality.contract.reading import DateOrder
from storage.nearest import nearest_words

_LANGUAGE = re.compile(r"[a-z]{2}")
_ENVIRONMENT_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET_IN_URL = re.compile(r"://[^/@]*:[^/@]*@")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _refuse(message: str) -> PydanticCustomError:
    return PydanticCustomError("journeymart", "{message}", {"message": message})


def _one_of(kind: str, choices: Callable[[], Iterable[str]], example: str) -> BeforeValidator:
    """A validator for a word out of a long list."""

    def check(value: object) -> object:
        if isinstance(value, str) and value not in (allowed := frozenset(choices())):
            hint = nearest_words(value, allowed) or f"allowed: {example}"
            raise _refuse(f"'{value}' is not a {kind}; {hint}")
        return value

    return BeforeValidator(check)


def _encoding(value: object) -> object:
    if isinstance(value, str):
        try:
            codecs.lookup(value)
        except LookupError:
            raise _refuse(
                f"'{value}' is not an encoding; allowed: any Python knows, such as utf-8, cp1252, utf-16"
            ) from None
    return value


def _placeholders(*allowed: str) -> BeforeValidator:
    """A validator for text with placeholders in braces."""

    def check(value: object) -> object:
        for name in _PLACEHOLDER.findall(value) if isinstance(value, str) else ():
            if name not in allowed:
                names = ", ".join(f"{{{word}}}" for word in allowed)
                raise _refuse(f"unknown placeholder {{{name}}}; allowed: {names}")
        return value

    return BeforeValidator(check)


def _no_secret(value: object) -> object:
    if isinstance(value, str) and _SECRET_IN_URL.search(value):
        raise _refuse(
            "no user name or password may stand in the location; name environment variables under storage_options_env"
        )
    return value


def _variable_name(value: object) -> object:
    if not isinstance(value, str) or not _ENVIRONMENT_VARIABLE.fullmatch(value):
        raise _refuse(
            "must be the NAME of an environment variable that holds the secret (such as CRM_PASSWORD), "
            "not the secret itself"
        )
    return value


def _language(value: object) -> object:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise _refuse(
            "must be the language of texts whose source names none, as two letters (ISO 639-1) in quotes, such as 'en'"
        )
    return value


Zone = Annotated[str, _one_of("time zone", available_timezones, "IANA names such as Europe/Berlin or UTC")]
Currency = Annotated[str, _one_of("currency", lambda: CURRENCIES, "ISO 4217 codes such as EUR or USD")]
System = Annotated[str, _one_of("system", systems, "those there are contracts for")]
Encoding = Annotated[str, BeforeValidator(_encoding)]
FileName = Annotated[str, _placeholders("stream", "date"), Field(min_length=1)]
Location = Annotated[str, BeforeValidator(_no_secret), _placeholders("data"), Field(min_length=1)]
VariableName = Annotated[str, BeforeValidator(_variable_name)]
EmptyText = Annotated[str, Field(strict=True, min_length=1)]
Language = Annotated[str, BeforeValidator(_language)]
Role = Literal["crm", "other"]


class StrictModel(BaseModel):
    """A part of the file, which knows its keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeliveryKeys(StrictModel):
    """How files arrive; said for a source, and for a stream where it differs. None: not said here."""

    pattern: FileName | None = None
    history: FileName | None = None
    mode: Literal["increment", "full"] | None = None
    complete: Literal["manifest", "rename"] | None = None
    when_missing: Literal["block", "carry_forward"] | None = None
    timezone: Zone | None = None
    encoding: Encoding | None = None
    delimiter: Annotated[str, Field(strict=True, min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    dates: DateOrder | None = None
    empty: Annotated[tuple[EmptyText, ...], Field(min_length=1)] | None = None
    header_rows: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    max_delete_share: Annotated[float, Field(ge=0, le=1)] | None = None
    first_date: date | None = None


class StreamKeys(DeliveryKeys):
    """What is said of one stream."""

    cursor: str | None = None


class SourceKeys(DeliveryKeys):
    """What is said of one source."""

    system: System
    connector: Literal["files"] = "files"
    role: Role | None = None
    location: Location
    storage_options_env: dict[str, VariableName] = Field(default_factory=dict)
    streams: Annotated[dict[str, StreamKeys | None], Field(min_length=1)]


class SourcesFile(StrictModel):
    """The whole file."""

    company: Annotated[str, Field(strict=True, min_length=1)]
    reporting_timezone: Zone
    currency: Currency
    first_date: date
    text_sentiment: Language | None = None
    sources: Annotated[dict[str, SourceKeys], Field(min_length=1)]
