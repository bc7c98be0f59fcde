"""The company, its source systems and how their streams arrive: the company file, read and put together.

What lives here: what follows from the file. Not here: its shape (sources_file.py), what is said of a mistake in it
(mistakes.py), fetching (assets/landing/connectors), what an extract must hold (quality/contracts). Reading it touches
no network, no database and no drop folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assets.landing.connectors.config import PULLED_PATTERN, FileStream
from orchestration.config.connectors import require_own_keys, take_pull
from orchestration.config.mappings import mapping_of, read_mappings
from orchestration.config.marked_yaml import KeyPath, MarkedYaml, read_marked_yaml
from orchestration.config.mistakes import company_keys_at, first_mistake, meaning
from orchestration.config.sources_file import (
    AlertKeys,
    EngineKeys,
    NightKeys,
    Role,
    SourceKeys,
    SourcesFile,
    StreamKeys,
)
from quality.contract.files import streams_of
from quality.contract.model import load_contract
from quality.contract.reading import Reading
from quality.mapping.model import StreamMapping
from storage.data_folder import StreamId
from storage.errors import JourneymartError
from storage.nearest import nearest_words

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Products that are CRMs whatever streams they deliver, and canonical streams that a CRM does not begin with.
_CRM_PRODUCTS = frozenset({"hubspot", "salesforce"})
_OF_DESKS_AND_SURVEYS = frozenset(
    {"ticket", "ticket_event", "survey_question", "survey_invitation", "survey_answer", "feedback"}
)


@dataclass(frozen=True)
class Source:
    """One installation of a vendor's product, with its role and the streams it delivers."""

    name: str
    system: str
    role: Role
    streams: tuple[FileStream, ...]


@dataclass(frozen=True)
class Sources:
    """All that the company file says.

    Attributes:
        file: Where it was read from.
        company: Whose customers these are.
        reporting_timezone: IANA zone whose midnight ends a day.
        currency: ISO 4217 code of the marts' money.
        first_date: The first extract date; it holds all history.
        text_sentiment: Language of texts whose source names none; None: the mood of texts is not estimated.
        months_close_after_days: How many days after its end a month is closed.
        nights: When a night is promised.
        alerts: Who is told of what goes wrong; None: nobody.
        engine: What makes the models; None: DuckDB.
        publish_to: A place in an object store where versions are published, too; None: nowhere.
        sources: The source systems, in the order of the file.
    """

    file: Path
    company: str
    reporting_timezone: str
    currency: str
    first_date: date
    text_sentiment: str | None
    months_close_after_days: int
    nights: NightKeys
    alerts: AlertKeys | None
    engine: EngineKeys | None
    publish_to: str | None
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
    """Read and validate a company file.

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
            f"The company file {path} cannot be read ({reason}): set JOURNEYMART_COMPANY to a company folder "
            "(`journeymart init FOLDER` makes one), or JOURNEYMART_SOURCES to a file alone."
        ) from None
    file = read_marked_yaml(path, text)
    try:
        parsed = SourcesFile.model_validate(file.values)
    except ValidationError as error:
        raise first_mistake(file, error, company_keys_at) from None
    if parsed.engine and parsed.text_sentiment:
        raise file.mistake(("text_sentiment",), "moods are estimated on DuckDB only: take this key out, or 'engine'")
    roles = _roles(parsed.sources)
    return Sources(
        file=path,
        company=parsed.company,
        reporting_timezone=parsed.reporting_timezone,
        currency=parsed.currency,
        first_date=parsed.first_date,
        text_sentiment=parsed.text_sentiment,
        months_close_after_days=parsed.months_close_after_days,
        nights=parsed.nights,
        alerts=parsed.alerts,
        engine=parsed.engine,
        publish_to=parsed.publish.to if parsed.publish else None,
        sources=tuple(_source(file, data, parsed, name, roles[name]) for name in parsed.sources),
    )


def _roles(sources: Mapping[str, SourceKeys]) -> dict[str, Role]:
    """What each source is: what the file says, else what its product or its streams say.

    A source of people or accounts is a CRM if deals or orders lie beside them, or if it takes neither requests nor
    answers. Streams are no more than a hint, so they count only where no other source is known to be a CRM.
    """
    known: dict[str, Role] = {
        name: source.role or "crm" for name, source in sources.items() if source.role or source.system in _CRM_PRODUCTS
    }
    hinted: Role = "other" if "crm" in known.values() else "crm"
    return {name: known.get(name, hinted if _may_be_crm(source) else "other") for name, source in sources.items()}


def _may_be_crm(source: SourceKeys) -> bool:
    streams = set(source.streams)
    return (
        source.system == "canonical"
        and bool(streams & {"contact", "account"})
        and ("order" in streams or not streams & _OF_DESKS_AND_SURVEYS)
    )


def _source(file: MarkedYaml, data: Path, parsed: SourcesFile, name: str, role: Role) -> Source:
    """Put a source's defaults under its streams' own words, and check what only the whole can show."""
    at, source = ("sources", name), parsed.sources[name]
    if not _NAME.fullmatch(name):
        raise file.mistake(at, "a source's name has small letters, digits and underscores, and begins with a letter")
    require_own_keys(file, at, source)
    known = streams_of(source.system)
    for stream in source.streams:
        if stream not in known:
            hint = nearest_words(stream, known)
            raise file.mistake((*at, "streams", stream), f"system '{source.system}' has no stream '{stream}'; {hint}")
    mappings = _mappings(file, at, source, name)
    read_by: dict[str, str] = {}
    streams = []
    for stream in source.streams:
        here = (*at, "streams", stream)
        mapping = mappings.get(stream)
        said = _said(file, parsed, source, here, stream)
        pull = take_pull(file, here, source, said, load_contract(source.system, stream))
        location = str(data / "pulled" / name) if pull else _resolve(source.location or "", file.path, data)
        files = said["pattern"].replace("{stream}", stream)
        if files in read_by and not (mapping and read_by[files] in mappings):
            raise file.mistake(
                here,
                f"reads the same files as stream '{read_by[files]}' ({said['pattern']}); put {{stream}} into "
                "the pattern, give each stream its own, or say in a mapping what each takes of them",
            )
        cursor = said.get("cursor") if pull is None else None
        if mapping and cursor and cursor not in dict(mapping.columns):
            raise file.mistake(
                (*here, "cursor"), f"line {mapping.line} of {mapping.file} says not where '{cursor}' comes from"
            )
        if mapping and cursor:
            _require_own_day(file, (*here, "cursor"), mapping, cursor)
        read_by[files] = stream
        streams.append(
            FileStream(
                stream=StreamId(source=name, system=source.system, stream=stream),
                location=location,
                pull=pull,
                known_hosts=_beside(source.known_hosts, file.path),
                host_key=source.host_key,
                storage_options_env=tuple(sorted(source.storage_options_env.items())),
                reading=_reading(file, here, said),
                mapping=mapping,
                **{"first_date": parsed.first_date, **said},
            )
        )
    return Source(name=name, system=source.system, role=role, streams=tuple(streams))


def _require_own_day(file: MarkedYaml, at: KeyPath, mapping: StreamMapping, cursor: str) -> None:
    """Refuse a cursor that is looked up, or made of rows, where its day says what can be looked up."""
    made = {each.name.casefold() for each in mapping.lookups}
    if made and mapping.unpivot:
        made |= {mapping.unpivot.name.casefold(), mapping.unpivot.value.casefold()}
    value = dict(mapping.columns)[cursor]
    if names := [name for name in value.columns if name.casefold() in made]:
        raise file.mistake(
            at, f"line {value.line} of {mapping.file} makes it of '{names[0]}', but its day says what is looked up"
        )


def _mappings(file: MarkedYaml, at: KeyPath, source: SourceKeys, name: str) -> Mapping[str, StreamMapping]:
    """What of a source is mapped, by stream."""
    try:
        path = mapping_of(file.path.parent, source.mapping or name, is_named=source.mapping is not None)
    except JourneymartError as error:
        raise file.mistake((*at, "mapping"), str(error)) from None
    return read_mappings(path, source.system, source.streams) if path else {}


def _said(file: MarkedYaml, parsed: SourcesFile, source: SourceKeys, at: KeyPath, stream: str) -> dict[str, Any]:
    """What is said of a stream, by itself or by its source."""
    own = source.streams[stream] or StreamKeys()
    said = {
        key: value
        for key in StreamKeys.model_fields
        if (value := getattr(own, key) if getattr(own, key) is not None else getattr(source, key, None)) is not None
    }
    if "first_date" in said and said["first_date"] < parsed.first_date:
        raise file.mistake(at, f"its first_date lies before the company's, {parsed.first_date}")
    if source.connector != "files":
        return {"pattern": PULLED_PATTERN, **said}
    if "pattern" not in said:
        raise file.mistake(at, f"the key 'pattern' is missing, here or for the whole source{meaning('pattern')}")
    columns = load_contract(source.system, stream).columns if "cursor" in said else {}
    if "cursor" in said and said["cursor"] not in columns:
        hint = nearest_words(said["cursor"], columns, show=40)
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


def _beside(path: str | None, file: Path) -> str | None:
    """A path beside the company file, made absolute."""
    return str((file.parent / Path(path).expanduser()).absolute()) if path else None


def _resolve(location: str, path: Path, data: Path) -> str:
    """Turn a location into a URL or an absolute path; relative ones lie beside the company file."""
    filled = location.replace("{data}", str(data))
    if "://" in filled:
        return filled
    return str(_beside(filled, path))
