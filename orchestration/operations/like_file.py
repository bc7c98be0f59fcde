"""What a file tells of the source that will deliver its like: the pattern of its name, how it is written, its stream.

Not here: seeing it (assets/inspect), the entry of the company file (source_entry.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.operations.meant import day_in
from orchestration.operations.suggest_mapping import suggest_for_file

if TYPE_CHECKING:
    from assets.inspect.proposal import Proposal


@dataclass(frozen=True)
class LikeFile:
    """What a file tells.

    Attributes:
        name: Its name.
        stream: The canonical stream its columns are of.
        pattern: Its name, with `{date}` in place of the day in it.
        day: The day in its name; None: there is none.
        declare: How it is written, where that is not as usual.
        mapping: Text of a mapping file that makes its columns those of the stream.
        waiting: Columns of the stream of which a person must say what they are.
        questions: Rows of the table survey_questions, but for the source, where it holds a survey.
    """

    name: str
    stream: str
    pattern: str
    day: date | None
    declare: tuple[Proposal, ...]
    mapping: str
    waiting: tuple[str, ...]
    questions: tuple[Mapping[str, str], ...]


def like_file(file: Path, stream: str | None) -> LikeFile:
    """Look at a file.

    Args:
        file: The file.
        stream: The canonical stream it is of; None: its columns tell.

    Raises:
        WrongUsageError: There is no such file or stream, or the columns may be those of several.
        JourneymartError: It cannot be read.
    """
    suggested = suggest_for_file(file, stream, None)
    name = file.expanduser().resolve().name
    day = day_in(name)
    pattern = name if day is None else name.replace(day.isoformat(), "{date}", 1)
    waiting = (*suggested.lacking, *suggested.open)
    return LikeFile(
        name, suggested.stream, pattern, day, suggested.declare, suggested.text, waiting, suggested.questions
    )
