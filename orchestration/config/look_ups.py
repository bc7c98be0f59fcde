"""What a mapping file looks up in other streams of its source, checked: streams, columns, names, no circle.

Not here: the rest of the file (mappings.py), looking up (assets/landing/looked_up.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestration.config.mapping_file import LookUpKeys, StreamMappingKeys
from orchestration.config.marked_yaml import KeyPath, MarkedYaml
from quality.contract.model import Contract, load_contract
from quality.landed.extract import ORIGIN
from quality.mapping.model import LookUp
from storage.nearest import nearest_words

# Their text means the same whichever rules its files are read by.
_TAKEN = ("text", "id", "currency", "boolean")


def look_ups(file: MarkedYaml, stream: str, said: StreamMappingKeys) -> tuple[LookUp, ...]:
    """What one stream looks up."""
    return tuple(
        LookUp(name, keys.from_, keys.stream, keys.column, file.line((stream, "lookup", name)))
        for name, keys in (said.lookup or {}).items()
    )


def require_look_ups(
    file: MarkedYaml, system: str, streams: Collection[str], said: Mapping[str, StreamMappingKeys]
) -> None:
    """Refuse what cannot be looked up.

    Args:
        file: The mapping file.
        system: System of the source it is of.
        streams: Streams the source names.
        said: What the file says of each stream.

    Raises:
        JourneymartError: File, line, key, what is wrong.
    """
    for stream, keys in said.items():
        _require_names(file, stream, keys)
        for name, each in (keys.lookup or {}).items():
            at = (stream, "lookup", name)
            if each.stream not in streams:
                hint = nearest_words(each.stream, streams)
                raise file.mistake(
                    (*at, "stream"), f"the source delivers no stream '{each.stream}' by company.yml; {hint}"
                )
            _require_column(file, (*at, "column"), each, load_contract(system, each.stream), said.get(each.stream))
    for stream in said:
        _require_no_circle(file, stream, said)


def _require_names(file: MarkedYaml, stream: str, said: StreamMappingKeys) -> None:
    """Refuse what is looked up by what is not delivered, and two columns of one name."""
    made = [said.unpivot.name.casefold(), said.unpivot.value.casefold()] if said.unpivot else []
    names = [*made, *(name.casefold() for name in said.lookup or {})]
    for name, each in (said.lookup or {}).items():
        at = (stream, "lookup", name)
        require_theirs(file, at, name)
        require_theirs(file, (*at, "from"), each.from_)
        if names.count(name.casefold()) > 1:
            raise file.mistake(at, f"'{name}' is the name of another column of this block, too")
        if each.from_.casefold() in names:
            raise file.mistake((*at, "from"), f"'{each.from_}' is made in this block; what names the key is delivered")


def _require_column(
    file: MarkedYaml, at: KeyPath, said: LookUpKeys, contract: Contract, mapped: StreamMappingKeys | None
) -> None:
    """Refuse a column that the other stream has not, or whose text means another thing elsewhere."""
    stream, column = said.stream, said.column
    if column not in contract.columns:
        hint = nearest_words(column, contract.columns, show=40)
        raise file.mistake(at, f"stream '{stream}' has no column '{column}'; {hint}")
    if mapped and column not in mapped.columns:
        line = file.line((stream, "columns"))
        raise file.mistake(at, f"line {line} says not where '{column}' of stream '{stream}' comes from")
    kind = contract.columns[column].type
    if kind not in _TAKEN:
        raise file.mistake(
            at,
            f"'{column}' is of type {kind}, written as files of '{stream}' write it; only {', '.join(_TAKEN)} can"
            " be looked up",
        )
    if len(contract.key) != 1:
        raise file.mistake(at, f"a record of '{stream}' is named by {' and '.join(contract.key)}, not by one column")


def _require_no_circle(file: MarkedYaml, stream: str, said: Mapping[str, StreamMappingKeys]) -> None:
    """Refuse streams of which each would have to land before the other."""

    def follow(way: tuple[str, ...]) -> None:
        keys = said.get(way[-1])
        for name, each in (keys.lookup or {}).items() if keys else ():
            if each.stream == stream:
                round_trip = " looks up ".join([*way, stream])
                raise file.mistake((way[-1], "lookup", name, "stream"), f"this goes in a circle: {round_trip}")
            if each.stream not in way:
                follow((*way, each.stream))

    follow((stream,))


def require_theirs(file: MarkedYaml, at: KeyPath, name: str) -> None:
    """Refuse a name of a delivered column that the product has for its own.

    Raises:
        JourneymartError: It is one.
    """
    if name.casefold().startswith("_value_") or name.casefold() in ORIGIN:
        raise file.mistake(at, f"'{name}' is the product's own word: no delivered column is called so")
