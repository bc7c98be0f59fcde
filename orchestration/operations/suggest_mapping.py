"""A mapping to start from, for a file or a stream's newest delivery.

What lives here: which file and stream are meant, and writing the mapping where none is. Not here: what it says
(assets/inspect), checking one (orchestration/config/mappings.py).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.operations.meant import (
    WrongUsageError,
    contract_of,
    declared_stream,
    named_contract,
    stream_of_company,
)
from storage.company_folder import MAPPINGS
from storage.errors import JourneymartError
from storage.files import whole_file

if TYPE_CHECKING:
    from assets.inspect.proposal import Proposal
    from assets.inspect.seen import SeenFile
    from assets.inspect.suggestion import Suggestion
    from assets.landing.connectors.config import FileStream
    from orchestration.config.setup import Setup

# How much better than all others a stream must fit to be taken.
_CLEAR = 0.15
# Fewer columns under a usual name tell no stream.
_FEWEST = 2
# What a file's name is worth that names the stream.
_NAMED = 0.3


@dataclass(frozen=True)
class SuggestedMapping:
    """A mapping to start from.

    Attributes:
        text: The text of a mapping file.
        stream: Which stream it is of, as a person names it.
        lacking: Columns that nothing can be made without and that nothing tells.
        open: Columns of which a person must choose what they are.
        declare: What the company file must say of how the file is written.
        questions: What its columns measure where they are questions: rows of the table survey_questions but for the
            source.
    """

    text: str
    stream: str
    lacking: tuple[str, ...]
    open: tuple[str, ...]
    declare: tuple[Proposal, ...]
    questions: tuple[Mapping[str, str], ...] = ()


def suggest_for_file(file: Path, named: str | None, setup: Setup | None) -> SuggestedMapping:
    """Suggest a mapping of a file.

    Args:
        file: The file.
        named: To which stream: `ticket`, or a source's of the company; None: its columns tell.
        setup: The company, if one is named.

    Raises:
        WrongUsageError: There is no such file or stream, or the columns may be those of several.
        JourneymartError: It cannot be read.
    """
    path = file.expanduser().resolve()
    if not path.is_file():
        raise WrongUsageError(f"{file} is no file: name one, or a stream of the company as source/stream.")
    return _suggested(path, declared_stream(setup, named), named)


def suggest_for_stream(name: str, setup: Setup) -> SuggestedMapping:
    """Suggest a mapping of a stream's newest delivery; of one that is pulled, and was not yet, of its first page.

    Raises:
        WrongUsageError: There is no such stream.
        JourneymartError: Nothing of it is delivered, or it cannot be read or pulled.
    """
    from assets.landing.connectors.drop_folder import available_dates, copy_out, find_delivery
    from orchestration.operations.first_page import first_page_file

    stream = stream_of_company(setup, name)
    days = available_dates(stream)
    if not days and stream.pull is not None:
        with tempfile.TemporaryDirectory(prefix="journeymart-map-") as work:
            file, _ = first_page_file(setup, stream, Path(work))
            return _suggested(file, stream, name)
    if not days:
        raise JourneymartError(
            f"Nothing of {name} lies in {stream.location}: deliver it, or name a file of it with --as {name}."
        )
    first = find_delivery(stream, days[-1])[0]
    with tempfile.TemporaryDirectory(prefix="journeymart-map-") as work:
        path = Path(work) / first.name
        copy_out(stream, first, path)
        return _suggested(path, stream, name)


def write_mapping(suggested: SuggestedMapping, setup: Setup) -> Path:
    """Write a suggested mapping into the company folder, if its source has none.

    Raises:
        WrongUsageError: It is of no source of the company.
        JourneymartError: The source has a mapping.
    """
    stream = declared_stream(setup, suggested.stream)
    if stream is None:
        known = ", ".join(str(each.stream) for each in setup.sources.streams)
        raise WrongUsageError(f"--write needs a stream of the company; name one with --as: {known}.")
    source = next(each for each in setup.sources.sources if each.name == stream.stream.source)
    target = setup.sources.file.parent / MAPPINGS / f"{source.name}.yml"
    mapped = [each.mapping.file for each in source.streams if each.mapping]
    if mapped or target.exists():
        there = mapped[0] if mapped else f"{MAPPINGS}/{target.name}"
        raise JourneymartError(
            f"{there} is there and stays as it is: leave out --write and put what is printed into it yourself."
        )
    target.parent.mkdir(exist_ok=True)
    with whole_file(target) as new:
        new.write_text(suggested.text, encoding="utf-8")
    return target


def _suggested(path: Path, declared: FileStream | None, named: str | None) -> SuggestedMapping:
    from assets.inspect.seen import see_file
    from assets.inspect.suggestion import suggest
    from assets.inspect.suggestion_text import mapping_text
    from assets.landing.connectors.config import FileFormat, FileLimits
    from quality.contract.model import all_contracts

    form = declared.format if declared else FileFormat("utf-8", ",", 1, FileLimits())
    known = {name for contract in all_contracts() for name in contract.columns}
    seen = see_file(path, form, known)
    if declared is not None:
        suggestion = suggest(seen, contract_of(declared), path.name)
    elif named is not None:
        suggestion = suggest(seen, named_contract(named), path.name)
    else:
        suggestion = _clear(_by_merit(seen, path.name), path.name)
    text = mapping_text(suggestion, path.name, seen.rows, [each.choice for each in seen.declare], seen.notes)
    return SuggestedMapping(
        text,
        named or suggestion.contract.stream,
        suggestion.lacking,
        tuple(name for name, said in suggestion.columns.items() if len(said.choices) > 1),
        seen.declare,
        tuple(suggestion.unpivot.rows()) if suggestion.unpivot else (),
    )


def _by_merit(seen: SeenFile, name: str) -> list[tuple[float, Suggestion]]:
    """Suggestions for every canonical stream, the one that fits best first."""
    from assets.inspect.suggestion import suggest
    from quality.contract.files import streams_of
    from quality.contract.model import load_contract

    words = set(re.split(r"[^a-z]+", name.lower()))
    fits = []
    for stream in streams_of("canonical"):
        suggestion = suggest(seen, load_contract("canonical", stream), name)
        is_named = set(stream.split("_")) <= {each for word in words for each in (word, word.rstrip("s"))}
        fits.append((suggestion.merit + (_NAMED if is_named else 0), suggestion))
    return sorted(fits, key=lambda each: (-each[0], each[1].contract.stream))


def _clear(fits: Sequence[tuple[float, Suggestion]], name: str) -> Suggestion:
    fits = [each for each in fits if each[1].placed >= _FEWEST]
    if not fits:
        raise WrongUsageError(
            f"{name} has too few columns under a usual name to tell which stream it is: say which with --as, such as "
            "--as ticket."
        )
    (best, suggestion), (second, other) = fits[0], fits[1] if len(fits) > 1 else (0.0, fits[0][1])
    if best - second < _CLEAR:
        raise WrongUsageError(
            f"{name} may be {suggestion.contract.stream} or {other.contract.stream}: say which with --as, such as "
            f"--as {suggestion.contract.stream}."
        )
    return suggestion
