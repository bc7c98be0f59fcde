"""Mapping files of a company: which columns of a source's deliveries are which of the contract's, read and checked.

What lives here: which file is a source's, and what only the contract can show to be wrong. Not here: the file's shape
(mapping_file.py), what is looked up in other streams (look_ups.py), what a mapping means (quality/mapping). Reading one
touches no delivery: whether its columns are delivered is said when one lands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

import quality
from orchestration.config.look_ups import look_ups, require_look_ups, require_theirs
from orchestration.config.mapping_file import MappingFile, StreamMappingKeys, ValueKeys, keys_at
from orchestration.config.marked_yaml import KeyPath, MarkedYaml, read_marked_yaml
from orchestration.config.mistakes import first_mistake
from quality.contract.model import Contract, load_contract
from quality.contract.reading import Reading
from quality.gate.delivery_checks import needed_columns
from quality.mapping.expressions import ExpressionError, columns_of
from quality.mapping.model import Condition, StreamMapping, Unpivot, Value, has_zone
from storage.company_folder import MAPPINGS
from storage.errors import JourneymartError
from storage.nearest import nearest_words

# What comes with the product for shapes that other tools leave: mappings, and entries of sources.
_SHIPPED = Path(quality.__file__).parent / MAPPINGS
_ENTRY = ".entry.yml"
# Of these a column has at most one, and each says where it comes from.
_ORIGINS = ("from", "const", "sql", "key")
# Ways to read a delivered column; at most one.
_WAYS = {"values": ("values", "otherwise"), "format": ("format", "timezone"), "decimal": ("decimal", "thousands")}


def mapping_of(folder: Path, name: str, *, is_named: bool) -> Path | None:
    """The mapping file of a source; None: it has none.

    Args:
        folder: The folder of the company file.
        name: Name of the source, or of the file it names.
        is_named: The company file names it, so it must be there.

    Raises:
        JourneymartError: It is named and not there.
    """
    path = folder / MAPPINGS / f"{name}.yml"
    if path.is_file():
        return path
    if is_named:
        shipped = shipped_mappings()
        if name in shipped:
            return shipped[name]
        there = sorted({each.stem for each in (folder / MAPPINGS).glob("*.yml")} | shipped.keys())
        hint = nearest_words(name, there)
        raise JourneymartError(f"there is no mapping '{name}'; {hint}")
    return None


def shipped_mappings() -> Mapping[str, Path]:
    """The mappings that come with the product, by name: of shapes in which other tools leave a vendor's data."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.yml")) if not path.name.endswith(_ENTRY)}


def shipped_entries() -> Mapping[str, Path]:
    """Entries of sources that come with the product, for company.yml, by the shape they are for."""
    return {path.name.removesuffix(_ENTRY): path for path in sorted(_SHIPPED.glob(f"*{_ENTRY}"))}


def read_mappings(path: Path, system: str, streams: Collection[str]) -> Mapping[str, StreamMapping]:
    """The mappings of one file, by stream.

    Args:
        path: The file.
        system: System of the source it is of; its contracts say what is mapped to.
        streams: Streams the source names.

    Raises:
        JourneymartError: It cannot be read or holds a mistake: file, line, key, what is wrong.
    """
    try:
        file = read_marked_yaml(path, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise JourneymartError(f"The mapping file {path} cannot be read ({reason}).") from None
    if path.parent == _SHIPPED:
        # What it knows besides is not delivered to this company.
        file = replace(file, values={stream: said for stream, said in file.values.items() if stream in streams})
    for stream in file.values:
        if stream not in streams:
            hint = nearest_words(stream, streams)
            raise file.mistake((stream,), f"the source delivers no stream '{stream}' by company.yml; {hint}")
    try:
        said = MappingFile.model_validate(file.values).root
    except ValidationError as error:
        raise first_mistake(file, error, keys_at) from None
    require_look_ups(file, system, streams, said)
    return {stream: _stream(file, stream, keys, load_contract(system, stream)) for stream, keys in said.items()}


def _stream(file: MarkedYaml, stream: str, said: StreamMappingKeys, contract: Contract) -> StreamMapping:
    at = (stream,)
    for name in said.columns:
        if name not in contract.columns:
            hint = nearest_words(name, contract.columns, show=40)
            raise file.mistake((*at, "columns", name), f"stream '{stream}' has no column '{name}'; {hint}")
    if lacking := [name for name in contract.columns if name in needed_columns(contract) - set(said.columns)]:
        raise file.mistake(
            (*at, "columns"),
            f"{', '.join(lacking)} of stream '{stream}' {'is' if len(lacking) == 1 else 'are'} not mapped, and the "
            "contract cannot do without: say where it comes from ({const: ...} where nothing tells)",
        )
    return StreamMapping(
        file=f"{MAPPINGS}/{file.path.name}",
        line=file.line(at),
        columns=tuple(
            (name, _value(file, (*at, "columns", name), keys, contract)) for name, keys in said.columns.items()
        ),
        where=_where(file, (*at, "where"), said.where),
        unpivot=_unpivot(file, (*at, "unpivot"), said),
        ignore=said.ignore,
        optional=said.optional,
        lookups=look_ups(file, stream, said),
    )


def _value(file: MarkedYaml, at: KeyPath, said: ValueKeys, contract: Contract) -> Value:
    keys = {(known.alias or name): getattr(said, name) for name, known in ValueKeys.model_fields.items()}
    given = [key for key, value in keys.items() if value is not None]
    origins = [key for key in given if key in _ORIGINS]
    if len(origins) != 1:
        found = " and ".join(origins) or "none"
        raise file.mistake(at, f"a column comes from one of {', '.join(_ORIGINS)}; here stands {found}")
    ways = [way for way, members in _WAYS.items() if set(members) & set(given)]
    if ways and (said.from_ is None or len(ways) > 1):
        raise file.mistake(at, f"{' and '.join(ways)} cannot stand together with {origins[0]}; what is more, takes sql")
    for one, other in (("otherwise", "values"), ("timezone", "format")):
        if one in given and other not in given:
            raise file.mistake((*at, one), f"says nothing without '{other}'")
    number = None
    if "decimal" in ways:
        number = Reading(decimal=said.decimal, thousands=said.thousands)
        if number.decimal is not None and number.decimal == number.thousands:
            raise file.mistake(at, f"'{said.decimal}' cannot be both 'decimal' and 'thousands'")
    formats = said.format or ()
    if formats:
        _require_times(file, at, formats, said, contract)
    for name in filter(None, (said.from_, *(said.key or ()))):
        require_theirs(file, at, name)
    return Value(
        column=said.from_,
        const=said.const,
        sql=said.sql,
        names=_names(file, (*at, "sql"), said.sql) if said.sql else (),
        key=said.key or (),
        values=tuple((text.strip(), meant) for text, meant in (said.values or {}).items()),
        otherwise=said.otherwise,
        formats=formats,
        timezone=said.timezone,
        number=number,
        line=file.line(at),
    )


def _require_times(
    file: MarkedYaml, at: KeyPath, formats: tuple[str, ...], said: ValueKeys, contract: Contract
) -> None:
    """Refuse formats of what is no date or time, that cannot be read, or of which only some tell the zone."""
    name = str(at[-1])
    kind = contract.columns[name].type
    if kind not in ("date", "timestamp"):
        raise file.mistake((*at, "format"), f"is for dates and times, and {name} is of type {kind}")
    zoned = [has_zone([each]) for each in formats]
    if any(zoned) and not all(zoned):
        raise file.mistake(
            (*at, "format"), "some of the formats have an offset (%z) and some do not; take sql for that"
        )
    if said.timezone and any(zoned):
        raise file.mistake((*at, "timezone"), "the times carry their offset (%z), so no zone can be said")
    try:
        for each in formats:
            columns_of(f"""strptime('', '{each.replace("'", "''")}')""")
    except ExpressionError as error:
        raise file.mistake((*at, "format"), str(error)) from None


def _where(file: MarkedYaml, at: KeyPath, expression: str | None) -> Condition | None:
    if expression is None:
        return None
    return Condition(expression, _names(file, at, f"({expression}\n)::boolean", expression), file.line(at))


def _unpivot(file: MarkedYaml, at: KeyPath, said: StreamMappingKeys) -> Unpivot | None:
    keys = said.unpivot
    if keys is None:
        return None
    for name in (keys.name, keys.value):
        require_theirs(file, at, name)
    if keys.name.casefold() == keys.value.casefold():
        raise file.mistake(at, f"'{keys.name}' cannot be called both name and value")
    return Unpivot(keys.columns, keys.name, keys.value, file.line(at))


def _names(file: MarkedYaml, at: KeyPath, expression: str, written: str | None = None) -> tuple[str, ...]:
    """The columns an expression names."""
    try:
        names = columns_of(expression)
    except ExpressionError as error:
        raise file.mistake(at, f"{str(error).rstrip('.')}, in {written or expression}") from None
    for name in names:
        require_theirs(file, at, name)
    return names
