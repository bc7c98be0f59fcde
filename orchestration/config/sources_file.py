"""The shape of the company file: its keys, and what each may be.

Not here: what follows from several keys together (sources.py), what is said of a mistake (mistakes.py).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from datetime import date, time
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from orchestration.company.zones import time_zones
from quality.contract.currencies import CURRENCIES
from quality.contract.files import systems
from quality.contract.reading import DateOrder
from storage.nearest import nearest_words

_LANGUAGE = re.compile(r"[a-z]{2}")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_ENVIRONMENT_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET_IN_URL = re.compile(r"://[^/@]*:[^/@]*@")
_HOST_KEY = re.compile(r"(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/]+=*")
_ENGINE_ADDRESS = re.compile(r"sc://[\w.-]+:\d+|local(\[(\d+|\*)\])?|spark://[\w.,:-]+|yarn|k8s://\S+")
_STORE = re.compile(r"(s3|gs|az)://[\w.-]+(/[\w.=-]+)+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


# When the schedule first tries a night, in the reporting time zone: after midnight, when extracts of yesterday may be
# complete, and outside the hours that daylight saving skips or repeats.
FIRST_TRY = time(3, 30)


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


def _host_key(value: object) -> object:
    if not isinstance(value, str) or not _HOST_KEY.fullmatch(value):
        raise _refuse("must be a public key as it stands in known_hosts behind the host: kind, blank, letters")
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


def _engine_address(value: object) -> object:
    if not isinstance(value, str) or not _ENGINE_ADDRESS.fullmatch(value):
        raise _refuse(
            "must be sc://host:port, or a master: local[4], spark://host:port, yarn or k8s://https://host:port"
        )
    return value


def _store(value: object) -> object:
    if not isinstance(value, str) or not _STORE.fullmatch(value):
        raise _refuse(
            "must be a place in an object store, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix; "
            "credentials and the endpoint come from the environment"
        )
    return value


def _after_the_first_try(value: time) -> time:
    if value.hour <= FIRST_TRY.hour:
        raise _refuse(
            f"must be {FIRST_TRY.hour + 1:02}:00 or later, because a night is first tried at {FIRST_TRY:%H:%M}"
        )
    return value


def _time_of_day(value: object) -> object:
    if not isinstance(value, str) or not _TIME_OF_DAY.fullmatch(value):
        raise _refuse('must be a time of day in quotes, such as "08:30"')
    return value


Zone = Annotated[str, _one_of("time zone", time_zones, "IANA names such as Europe/Berlin or UTC")]
Currency = Annotated[str, _one_of("currency", lambda: CURRENCIES, "ISO 4217 codes such as EUR or USD")]
System = Annotated[str, _one_of("system", systems, "those there are contracts for")]
Encoding = Annotated[str, BeforeValidator(_encoding)]
FileName = Annotated[str, _placeholders("stream", "date"), Field(min_length=1)]
Location = Annotated[str, BeforeValidator(_no_secret), _placeholders("data"), Field(min_length=1)]
HostKey = Annotated[str, BeforeValidator(_host_key)]
VariableName = Annotated[str, BeforeValidator(_variable_name)]
EmptyText = Annotated[str, Field(strict=True, min_length=1)]
Language = Annotated[str, BeforeValidator(_language)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Role = Literal["crm", "other"]
Connector = Literal["files", "postgres", "rest"]
AlertKind = Literal["failed", "blocked", "quarantine", "late", "stale", "kpi", "restated", "shadow", "recovery"]


class StrictModel(BaseModel):
    """A part of the file, which knows its keys and no others; what each means is said below it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DeliveryKeys(StrictModel):
    """How files arrive; said for a source, and for a stream where it differs. None: not said here."""

    pattern: FileName | None = None
    """File name of one extract, with {stream} and {date} (as 2026-06-27). Needed here or for the source."""
    history: FileName | None = None
    """File name of the bulk history, read for the first extract date in place of `pattern`."""
    mode: Literal["increment", "full"] | None = None
    """increment (the default): a file holds what changed on its date. full: it is a dump of the whole table."""
    complete: Literal["manifest", "rename"] | None = None
    """How a delivery is known to be complete: manifest (the default): <file>.manifest.json with rows, bytes and sha256
    lies beside it. rename: it bears its final name only when it is."""
    when_missing: Literal["block", "carry_forward"] | None = None
    """block (the default): a missing extract stops the night. carry_forward: the marts go on and are marked stale."""
    timezone: Zone | None = None
    """IANA time zone of times that carry no offset; UTC if nothing is said."""
    encoding: Encoding | None = None
    """Encoding of CSV and JSON Lines files; utf-8 if nothing is said."""
    delimiter: Annotated[str, Field(strict=True, min_length=1, max_length=1)] | None = None
    """What parts the columns of a CSV file; a comma if nothing is said."""
    decimal: Literal[".", ","] | None = None
    """CSV: the decimal mark, `12,50` or `12.50`."""
    thousands: Literal[".", ",", " ", "'"] | None = None
    """CSV: what groups thousands; nothing if nothing is said."""
    dates: DateOrder | None = None
    """Dates that do not begin with their year: 31/12/2026 is day-first, 12/31/2026 month-first."""
    empty: Annotated[tuple[EmptyText, ...], Field(min_length=1)] | None = None
    """Texts that stand for nothing, in every column and exactly so."""
    header_rows: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    """CSV, Excel: rows above the first record; the first of them names the columns. 1 if nothing is said."""
    sheet: Annotated[str, Field(strict=True, min_length=1)] | None = None
    """Excel: which sheet holds the rows; the only one there is if nothing is said."""
    max_delete_share: Annotated[float, Field(ge=0, le=1)] | None = None
    """mode full: the largest share of known records that may vanish at once, 0.2 if nothing is said."""
    first_date: date | None = None
    """First extract date of a source or stream that began after the company's."""
    since: date | None = None
    """postgres, rest: the first extract reaches back to this day; to the beginning if nothing is said."""
    pull_hours: Annotated[float, Field(ge=0.1, le=24)] | None = None
    """rest: how long the pull of one extract may take, waits included; 8 if nothing is said."""
    overlap_minutes: Annotated[int, Field(strict=True, ge=0)] | None = None
    """postgres: how long before its day an extract reads again, for rows committed late; 60 if nothing is said."""
    statement_timeout: Annotated[int, Field(strict=True, ge=1)] | None = None
    """postgres: seconds after which the database gives up reading; 3600 if nothing is said."""


class StreamKeys(DeliveryKeys):
    """What is said of one stream."""

    cursor: str | None = None
    """Column that says when a record changed. It cuts a file without {date} in its name into days. postgres: it cuts
    the table into days; the column of the contract's `version` if nothing is said."""
    table: Annotated[str, Field(strict=True, min_length=1)] | None = None
    """postgres: the table or view, in upper and lower case as there, with its schema (support.ticket) where needed."""
    query: Annotated[str, Field(strict=True, min_length=1)] | None = None
    """postgres: a query to read in place of a table."""
    key: Annotated[tuple[Annotated[str, Field(strict=True, min_length=1)], ...], Field(min_length=1)] | None = None
    """postgres: the columns that name a record; the key of the contract if nothing is said."""


class SourceKeys(DeliveryKeys):
    """What is said of one source."""

    system: System
    """The vendor: names the contracts of the product (or of `contracts/`) its files must keep."""
    connector: Connector = "files"
    """How extracts arrive. files (the default): in a drop folder. postgres: read from a PostgreSQL database. rest:
    asked of the vendor's API."""
    role: Role | None = None
    """crm: its records say who the customers are. other: they do not. If nothing is said, system and streams tell."""
    location: Location | None = None
    """files: the drop folder: a path (relative to this file) or any URL fsspec knows; {data} is the data folder. rest:
    the address of the account, such as https://nordlicht.zendesk.com."""
    storage_options_env: dict[str, VariableName] = Field(default_factory=dict)
    """files: options of a URL's file system, each by the NAME of the environment variable that holds it."""
    known_hosts: Annotated[str, Field(strict=True, min_length=1)] | None = None
    """files: of sftp://, a file of known hosts as OpenSSH keeps it; ~/.ssh/known_hosts if nothing is said."""
    host_key: HostKey | None = None
    """files: of sftp://, the public key its host must show: "ssh-ed25519 AAAA..."."""
    connection_env: VariableName | None = None
    """postgres: the NAME of the environment variable that holds postgresql://user:password@host/database."""
    credentials_env: dict[str, VariableName] = Field(default_factory=dict)
    """rest: what the login needs, each by the NAME of the environment variable that holds it (docs/sources.md)."""
    api_version: Annotated[str, Field(strict=True, pattern=r"[\w.-]+")] | None = None
    """rest: the release of the vendor's API to ask, such as `62.0`; the one known here if nothing is said."""
    mapping: Annotated[str, Field(strict=True, pattern=r"[\w-]+")] | None = None
    """Which file in `mappings/`, or mapping of the product, says what its columns are; the one named like the source if
    nothing is said."""
    streams: Annotated[dict[str, StreamKeys | None], Field(min_length=1)]
    """The streams it delivers, by name; each may override the keys of its source."""


class NightKeys(StrictModel):
    """When a night is promised, in the reporting time zone."""

    started_by: TimeOfDay = time(5)
    """By when the night of the day before must have begun; "05:00" if nothing is said."""
    published_by: TimeOfDay = time(9)
    """By when it must be published; "09:00" if nothing is said."""
    tried_until: Annotated[TimeOfDay, AfterValidator(_after_the_first_try)] = time(20)
    """Until when the schedule looks again for what has arrived late; "20:00" if nothing is said."""


class AlertKeys(StrictModel):
    """Who is told what (docs/operations.md)."""

    to: Annotated[tuple[VariableName, ...], Field(min_length=1)]
    """Where messages go: each the NAME of an environment variable that holds an address as apprise writes it."""
    kinds: Annotated[tuple[AlertKind, ...], Field(min_length=1)] = get_args(AlertKind)
    """What is told, all if nothing is said. failed: a night failed. blocked: the gate keeps an extract out. quarantine:
    too many of its rows are at fault. late: a night did not begin, or is not published, by its hour. stale: readers see
    an old version. kpi: a figure got worse beyond chance. restated: a figure of a closed month is another than it was
    closed with. shadow: a sample that a night derived anew is not what stands. recovery: what was told has ended."""
    stale_after_hours: Annotated[float, Field(ge=1)] = 36.0
    """stale: how old what readers see may become; 36 if nothing is said."""


class EngineKeys(StrictModel):
    """What makes the models in place of DuckDB (docs/spark.md)."""

    name: Literal["spark"]
    """spark: Apache Spark 4."""
    address: Annotated[str, BeforeValidator(_engine_address)]
    """Where it is: sc://host:port of a Spark Connect server that reaches the data folder under the same path, or a
    master such as local[4], for which a night starts a driver of its own."""


class PublishKeys(StrictModel):
    """Where versions are published beside the data folder (docs/deployment.md)."""

    to: Annotated[str, BeforeValidator(_store)]
    """A place in an object store that is nobody else's: s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.
    Credentials and the endpoint come from the environment."""


class SourcesFile(StrictModel):
    """The whole file."""

    company: Annotated[str, Field(strict=True, min_length=1)]
    """Whose customers these are; shown in the marts' manifest and on the pages."""
    reporting_timezone: Zone
    """A day ends at midnight of this IANA time zone; extracts are fetched after it."""
    currency: Currency
    """Money in the marts is in this currency (ISO 4217 code)."""
    first_date: date
    """The first extract date; its extract holds all history before it, too."""
    text_sentiment: Language | None = None
    """Estimates the mood of English texts; the value is the language of texts whose source names none, such as "en"."""
    months_close_after_days: Annotated[int, Field(ge=1, le=366)] = 14
    """How many days after its end a month is closed: from then on a figure of it that changes is told, until somebody
    approves it; 14 if nothing is said."""
    nights: NightKeys = NightKeys()
    """When a night is promised, by the keys below."""
    alerts: AlertKeys | None = None
    """Who is told of what goes wrong, by the keys below; nobody if nothing is said."""
    engine: EngineKeys | None = None
    """What makes the models, by the keys below; DuckDB in the night's own process if nothing is said."""
    publish: PublishKeys | None = None
    """Where versions are published beside the data folder, by the key below; nowhere if nothing is said."""
    sources: Annotated[dict[str, SourceKeys], Field(min_length=1)]
    """The source systems, one entry per installation; the name is yours to choose."""
