"""Reads and validates `sources.yml`: which source systems there are, and how their streams arrive.

What lives here: the shape of the file and the one line a person gets for a mistake in it. Not here: fetching
(assets/connectors) or what an extract must hold (quality/contracts). Reading it touches no network, no
database and no drop folder.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from assets.landing.connectors.config import FileStream
from orchestration.config.marked_yaml import KeyPath, MarkedYaml, read_marked_yaml
from quality.contract.currencies import CURRENCIES
from quality.contract.model import CONTRACTS, load_contract
from quality.contract.reading import DateOrder, Reading
from storage.data_folder import StreamId
from storage.errors import JourneymartError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LANGUAGE = re.compile(r"[a-z]{2}")
_ENVIRONMENT_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET_IN_URL = re.compile(r"://[^/@]*:[^/@]*@")
_LIKE_A_SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
# Products that are CRMs whatever streams they deliver, and canonical streams that a CRM does not begin with.
_CRM_PRODUCTS = frozenset({"salesforce"})
_OF_DESKS_AND_SURVEYS = frozenset(
    {"ticket", "ticket_event", "survey_question", "survey_invitation", "survey_answer", "feedback"}
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _refuse(message: str) -> PydanticCustomError:
    return PydanticCustomError("journeymart", "{message}", {"message": message})


def _nearest(word: object, choices: Iterable[str], *, show: int = 12) -> str:
    """What is allowed in place of a word: the nearest choice first, then all of them if they are few."""
    allowed = sorted(choices)
    near = difflib.get_close_matches(str(word), allowed, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'?" if near else ""
    listing = f"allowed: {', '.join(allowed)}" if len(allowed) <= show else ""
    return "; ".join(part for part in (hint, listing) if part)


def _one_of(kind: str, choices: Iterable[str], example: str) -> BeforeValidator:
    """A validator for a word out of a long list."""
    allowed = frozenset(choices)

    def check(value: object) -> object:
        if isinstance(value, str) and value not in allowed:
            hint = _nearest(value, allowed) or f"allowed: {example}"
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


Zone = Annotated[str, _one_of("time zone", available_timezones(), "IANA names such as Europe/Berlin or UTC")]
Currency = Annotated[str, _one_of("currency", CURRENCIES, "ISO 4217 codes such as EUR or USD")]
System = Annotated[
    str, _one_of("system", (p.name for p in CONTRACTS.iterdir() if p.is_dir()), f"the folders of {CONTRACTS}")
]
Encoding = Annotated[str, BeforeValidator(_encoding)]
FileName = Annotated[str, _placeholders("stream", "date"), Field(min_length=1)]
Location = Annotated[str, BeforeValidator(_no_secret), _placeholders("data"), Field(min_length=1)]
VariableName = Annotated[str, BeforeValidator(_variable_name)]
EmptyText = Annotated[str, Field(strict=True, min_length=1)]
Language = Annotated[str, BeforeValidator(_language)]
Role = Literal["crm", "other"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _How(_Strict):
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


class _Stream(_How):
    cursor: str | None = None


class _Source(_How):
    system: System
    connector: Literal["files"] = "files"
    role: Role | None = None
    location: Location
    storage_options_env: dict[str, VariableName] = Field(default_factory=dict)
    streams: Annotated[dict[str, _Stream | None], Field(min_length=1)]


class _File(_Strict):
    company: Annotated[str, Field(strict=True, min_length=1)]
    reporting_timezone: Zone
    currency: Currency
    first_date: date
    text_sentiment: Language | None = None
    sources: Annotated[dict[str, _Source], Field(min_length=1)]


@dataclass(frozen=True)
class Source:
    """One installation of a vendor's product, with its role and the streams it delivers."""

    name: str
    system: str
    role: Role
    streams: tuple[FileStream, ...]


@dataclass(frozen=True)
class Sources:
    """All that `sources.yml` says.

    Attributes:
        file: Where it was read from.
        company: Whose customers these are.
        reporting_timezone: IANA zone whose midnight ends a day.
        currency: ISO 4217 code of the marts' money.
        first_date: The first extract date; it holds all history.
        text_sentiment: Language of texts whose source names none; None: the mood of texts is not estimated.
        sources: The source systems, in the order of the file.
    """

    file: Path
    company: str
    reporting_timezone: str
    currency: str
    first_date: date
    text_sentiment: str | None
    sources: tuple[Source, ...]

    @property
    def streams(self) -> tuple[FileStream, ...]:
        """All streams of all sources."""
        return tuple(stream for source in self.sources for stream in source.streams)

    @property
    def crms(self) -> tuple[str, ...]:
        """Names of the sources whose records say who the customers are."""
        return tuple(source.name for source in self.sources if source.role == "crm")

    def named(self, name: str) -> FileStream:
        """The stream a person names as source/stream.

        Raises:
            JourneymartError: There is no such stream.
        """
        known = {str(stream.stream): stream for stream in self.streams}
        if name not in known:
            raise JourneymartError(f"There is no stream '{name}' in {self.file}: name one of {', '.join(known)}.")
        return known[name]

    def streams_of(self, system: str, stream: str) -> tuple[FileStream, ...]:
        """The streams that feed one contract: one per installation of the system."""
        return tuple(s for s in self.streams if (s.stream.system, s.stream.stream) == (system, stream))


def load_sources(path: Path, data: Path) -> Sources:
    """Read and validate `sources.yml`.

    Args:
        path: The file.
        data: The data folder, for `{data}` in locations.

    Raises:
        JourneymartError: The file cannot be read or holds a mistake: file, line, key, what is wrong,
        what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise JourneymartError(
            f"The sources file {path} cannot be read ({reason}): set JOURNEYMART_SOURCES to a file that "
            "names the source systems."
        ) from None
    file = read_marked_yaml(path, text)
    try:
        parsed = _File.model_validate(file.values)
    except ValidationError as error:
        # A key that is misspelt is told before the one that is missing because of it.
        first = min(error.errors(), key=lambda found: (found["type"] == "missing", file.line(found["loc"])))
        raise file.mistake(*_explain(first)) from None
    roles = _roles(parsed.sources)
    return Sources(
        file=path,
        company=parsed.company,
        reporting_timezone=parsed.reporting_timezone,
        currency=parsed.currency,
        first_date=parsed.first_date,
        text_sentiment=parsed.text_sentiment,
        sources=tuple(_source(file, data, parsed, name, roles[name]) for name in parsed.sources),
    )


def _roles(sources: Mapping[str, _Source]) -> dict[str, Role]:
    """What each source is: what the file says, else what its product or its streams say.

    A source of people or accounts is a CRM if deals or orders lie beside them, or if it takes neither requests nor
    answers. Streams are no more than a hint, so they count only where no other source is known to be a CRM.
    """
    known: dict[str, Role] = {
        name: source.role or "crm" for name, source in sources.items() if source.role or source.system in _CRM_PRODUCTS
    }
    hinted: Role = "other" if "crm" in known.values() else "crm"
    return {name: known.get(name, hinted if _may_be_crm(source) else "other") for name, source in sources.items()}


def _may_be_crm(source: _Source) -> bool:
    streams = set(source.streams)
    return (
        source.system == "canonical"
        and bool(streams & {"contact", "account"})
        and ("order" in streams or not streams & _OF_DESKS_AND_SURVEYS)
    )


def _source(file: MarkedYaml, data: Path, parsed: _File, name: str, role: Role) -> Source:
    """Put a source's defaults under its streams' own words, and check what only the whole can show."""
    at, source = ("sources", name), parsed.sources[name]
    if not _NAME.fullmatch(name):
        raise file.mistake(at, "a source's name has small letters, digits and underscores, and begins with a letter")
    known = {path.stem for path in (CONTRACTS / source.system).glob("*.yml")}
    read_by: dict[str, str] = {}
    streams = []
    for stream in source.streams:
        here = (*at, "streams", stream)
        if stream not in known:
            hint = _nearest(stream, known)
            raise file.mistake(here, f"system '{source.system}' has no stream '{stream}'; {hint}")
        said = _said(file, parsed, source, here, stream)
        files = said["pattern"].replace("{stream}", stream)
        if files in read_by:
            raise file.mistake(
                here,
                f"reads the same files as stream '{read_by[files]}' ({said['pattern']}); put {{stream}} into "
                "the pattern, or give each stream its own",
            )
        read_by[files] = stream
        streams.append(
            FileStream(
                stream=StreamId(source=name, system=source.system, stream=stream),
                location=_resolve(source.location, file.path, data),
                storage_options_env=tuple(sorted(source.storage_options_env.items())),
                reading=_reading(file, here, said),
                **{"first_date": parsed.first_date, **said},
            )
        )
    return Source(name=name, system=source.system, role=role, streams=tuple(streams))


def _said(file: MarkedYaml, parsed: _File, source: _Source, at: KeyPath, stream: str) -> dict[str, Any]:
    """What is said of a stream, by itself or by its source."""
    own = source.streams[stream] or _Stream()
    said = {
        key: value
        for key in _Stream.model_fields
        if (value := getattr(own, key) if getattr(own, key) is not None else getattr(source, key, None)) is not None
    }
    if "pattern" not in said:
        raise file.mistake(at, f"the key 'pattern' is missing, here or for the whole source{_meaning('pattern')}")
    if "first_date" in said and said["first_date"] < parsed.first_date:
        raise file.mistake(at, f"its first_date lies before the company's, {parsed.first_date}")
    columns = load_contract(source.system, stream).columns if "cursor" in said else {}
    if "cursor" in said and said["cursor"] not in columns:
        hint = _nearest(said["cursor"], columns, show=40)
        raise file.mistake((*at, "cursor"), f"stream '{stream}' has no column '{said['cursor']}'; {hint}")
    if said.get("mode") != "full" and "{date}" not in said["pattern"] and "cursor" not in said:
        raise file.mistake(
            at,
            "a file without {date} in its name needs a 'cursor' (the column that says when a record "
            "changed), or mode: full",
        )
    return said


def _reading(file: MarkedYaml, at: KeyPath, said: dict[str, Any]) -> Reading:
    """The reading rules among what is said of a stream, taken out of it."""
    reading = Reading(**{rule: said.pop(rule) for rule in Reading.__dataclass_fields__ if rule in said})
    if reading.decimal is not None and reading.decimal == reading.thousands:
        raise file.mistake(at, f"'{reading.decimal}' cannot be both 'decimal' and 'thousands'")
    return reading


def _resolve(location: str, path: Path, data: Path) -> str:
    """Turn a location into a URL or an absolute path; relative ones lie beside the sources file."""
    filled = location.replace("{data}", str(data))
    if "://" in filled:
        return filled
    return str((path.parent / Path(filled).expanduser()).absolute())


def _explain(error: ErrorDetails) -> tuple[KeyPath, str]:
    """Say one finding of pydantic in plain words: where, what is wrong, what is allowed.

    Repeats no secret.
    """
    at, kind, context = error["loc"], error["type"], error.get("ctx", {})
    key = str(at[-1]) if at else ""
    if kind == "missing":
        return at[:-1], f"the key '{key}' is missing{_meaning(key)}"
    if kind == "extra_forbidden":
        hints = [_nearest(key, _model_at(at[:-1]).model_fields, show=20)]
        if _LIKE_A_SECRET.search(key):
            hints.append("secrets stand as names of environment variables under storage_options_env")
        return at, "; ".join(["unknown key", *filter(None, hints)])
    if kind == "journeymart":
        return at, str(context["message"])
    if kind == "literal_error":
        return at, f"'{error['input']}' is not allowed; allowed: {context['expected'].replace(' or ', ', ')}"
    if kind in {"less_than_equal", "greater_than_equal"}:
        bound = f"at most {context['le']}" if "le" in context else f"at least {context['ge']}"
        return at, f"is out of range; allowed: {bound}"
    return at, f"{_EXPECTED.get(kind, 'cannot be understood')}{_meaning(key)}"


_EXPECTED = {
    "string_type": "must be text (in quotes if it looks like a number, a date or yes/no)",
    "too_short": "nothing stands here; at least one is needed",
    "string_too_short": "is empty",
    "string_too_long": "is too long; allowed: 1 character",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
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
    "system": "the vendor, one of " + ", ".join(sorted(p.name for p in CONTRACTS.iterdir() if p.is_dir())),
    "location": "the drop folder or its URL",
    "streams": "the streams this source delivers, by name",
    "pattern": "the file name, such as {stream}_{date}.csv",
}


def _meaning(key: str) -> str:
    return f": {_MEANINGS[key]}" if key in _MEANINGS else ""


def _model_at(at: KeyPath) -> type[_Strict]:
    """The model whose keys stand at a place of the file."""
    match at:
        case ("sources", _, "streams", _, *_):
            return _Stream
        case ("sources", _, *_):
            return _Source
        case _:
            return _File
