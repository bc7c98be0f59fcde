"""What a stream's columns are made of where no delivered column is one of them by itself.

What lives here: the last change out of the times there are, a status out of milestones, an id out of its parts, and the
answers of a survey with a column per question. Pure. Not here: columns that are delivered (suggestion.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from assets.inspect.placing import Placing, Seen
from assets.inspect.questions import Question, question
from assets.inspect.said import Said
from assets.inspect.usual_names import UsualNames, likeness
from assets.inspect.written_times import WrittenTimes
from quality.contract.model import DUCKDB_TYPES
from quality.rows.casts import identifier, literal

# Statuses that a milestone tells, the last one first, and what stands before any.
_MILESTONES: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "ticket": ((("solved_at", "solved"),), "open"),
    "order": (
        (
            ("returned_at", "returned"),
            ("cancelled_at", "cancelled"),
            ("delivered_at", "completed"),
            ("shipped_at", "shipped"),
        ),
        "placed",
    ),
}
# A question of a survey, by the name of its column.
_QUESTION = re.compile(
    r"(?i)q\d+\b.*|.*\?|.*\b(nps|csat|ces|recommend|weiterempfehl\w*|satisf\w*|zufrieden\w*|effort)\b.*"
)
# Answers are whole numbers up to these, the latter where the name of the column asks.
_SCALE, _LONG_SCALE = 10, 100
# Answers in words come again and again; texts do not.
_ANSWER_WORDS, _AGAIN = 20, 3


@dataclass(frozen=True)
class Unpivoted:
    """Delivered columns that give a row each.

    Attributes:
        columns: Their names.
        name: What the column with their name is called.
        value: What the column with their value is called.
        questions: What each of them measures, as it seems.
        surveys: The surveys they are questions of; none: they are too many to tell.
    """

    columns: tuple[str, ...]
    name: str
    value: str
    questions: tuple[Question, ...]
    surveys: tuple[str, ...]

    def rows(self) -> list[Mapping[str, str]]:
        """What the questions measure, as rows of the table survey_questions but for the source."""
        return [
            {"survey_id": survey, **{name: "" if each is None else str(each) for name, each in asdict(asked).items()}}
            for survey in self.surveys
            for asked in self.questions
        ]


@dataclass(frozen=True)
class Derived:
    """What is said of columns that are not delivered as such."""

    columns: Mapping[str, Said]
    unpivot: Unpivoted | None = None


def derive(placing: Placing, names: UsualNames, file: str) -> Derived:
    """Say what columns are made of that no delivered column is.

    Args:
        placing: What is delivered.
        names: What the stream's columns are called.
        file: Name of the file.
    """
    found: dict[str, Said] = {}
    unpivot = None
    if placing.contract.stream == "survey_answer" and not {"score", "answer", "question_id"} & placing.placed.keys():
        unpivot = _survey(placing, names, found, file)
    if "survey_id" in placing.contract.columns and "survey_id" not in placing.placed and (stem := _stem(file)):
        found["survey_id"] = Said(({"const": stem},), "no column names the survey: the name of the file does")
    for column, parts in names.keys.items():
        if column not in placing.placed and column not in found and all(part in placing.placed for part in parts):
            key = [placing.placed[part].name for part in parts]
            found[column] = Said(({"key": key},), "no column names a row: these do together")
    if "ordered_at" in placing.contract.columns and "ordered_at" not in placing.placed:
        found.update(("ordered_at", said) for said in _creation(placing))
    if (version := placing.contract.version) and version not in placing.placed:
        found.update((version, said) for said in _last_change(placing))
    if "status" in placing.contract.columns and "status" not in placing.placed:
        found.update(("status", said) for said in _status(placing))
    if (first := placing.placed.get("first_replied_at")) and "is_replied" not in placing.placed:
        found["is_replied"] = Said(
            ({"sql": f"{identifier(first.name)} is not null"},),
            "take it if an empty first reply says that nobody has answered yet",
            is_offer=True,
        )
    return Derived(found, unpivot)


def _survey(placing: Placing, names: UsualNames, found: dict[str, Said], file: str) -> Unpivoted | None:
    """Columns of a survey that are questions, and what its rows are made of."""
    free = [*placing.left, *(placing.placed[name] for name in ("comment",) if name in placing.placed)]
    scores = [seen.name for seen in free if _is_score(seen)]
    words = [seen.name for seen in free if _is_question(seen) and _repeats(seen) and seen.name not in scores]
    texts = [seen.name for seen in free if _is_text(seen, names) and seen.name not in (*scores, *words)]
    asked = tuple(seen.name for seen in free if seen.name in (*scores, *words, *texts))
    if not asked:
        return None
    taken = {seen.name.casefold() for seen in (*placing.left, *placing.placed.values())}
    name, value = (
        next(each for each in several if each not in taken)
        for several in (("question", "asked", "_question"), ("answer", "given", "_answer"))
    )
    for column, columns in (("score", scores), ("answer", words), ("comment", texts)):
        if columns and len(columns) == len(asked):
            found[column] = Said(({"from": value},))
        elif columns:
            listed = ", ".join(map(literal, columns))
            condition = f"{identifier(name)} in ({listed})"
            found[column] = Said(({"sql": f"case when {condition} then {identifier(value)} end"},))
    found["question_id"] = Said(
        ({"from": name},), "the name of the column; seeds/survey_questions.csv says what it asks"
    )
    if "response_id" in placing.placed:
        found["answer_id"] = Said(({"key": [placing.placed["response_id"].name, name]},))
    questions = tuple(
        Question(seen.name, "other")
        if seen.name in texts
        else question(seen.name, seen.values, is_scored=seen.name in scores)
        for seen in free
        if seen.name in asked
    )
    named = placing.placed.get("survey_id")
    return Unpivoted(asked, name, value, questions, tuple(named.values) if named else (_stem(file),))


def _stem(file: str) -> str:
    """The name of a file without its date and endings."""
    return re.sub(r"[\W_]*\d{4}-\d{2}-\d{2}.*$", "", file).partition(".")[0].strip()


def _is_score(seen: Seen) -> bool:
    if seen.times is not None or not seen.values or not all(re.fullmatch(r"\d{1,3}", each) for each in seen.values):
        return False
    return max(map(int, seen.values)) <= (_LONG_SCALE if _is_question(seen) else _SCALE)


def _repeats(seen: Seen) -> bool:
    return 0 < len(seen.values) <= _ANSWER_WORDS and len(seen.values) * _AGAIN <= seen.look.filled


def _is_question(seen: Seen) -> bool:
    return seen.times is None and not seen.is_empty and bool(_QUESTION.fullmatch(seen.name))


def _is_text(seen: Seen, names: UsualNames) -> bool:
    if seen.times is not None or seen.look.kind == "e-mail address":
        return False
    return _is_question(seen) or likeness(seen.name, "comment", names) > 0


def _last_change(placing: Placing) -> Iterator[Said]:
    """The latest of the times there are: of one alone itself; dues and promises are no changes."""
    times = [
        seen
        for name, seen in placing.placed.items()
        if DUCKDB_TYPES[placing.contract.columns[name].type] == "timestamptz"
        and placing.contract.columns[name].holds != "due"
        and not seen.is_empty
    ]
    # Times with and without an offset cannot be compared without the zone, which is the stream's.
    written = {seen.name: seen.times for seen in times if seen.times}
    with_offset = [name for name, each in written.items() if each.has_offset]
    alike = (
        with_offset if len(with_offset) * 2 > len(written) else [name for name in written if name not in with_offset]
    )
    if not alike or len(written) < len(times):
        return
    most = max(1, *(len(written[name].choices) for name in alike))
    choices = tuple(_latest({name: _formats(written[name], place) for name in alike}, written) for place in range(most))
    which = "this time does" if len(alike) == 1 else "the latest of these does"
    yield Said(choices, f"no column says when a row last changed: {which}; a change that moves no time is not seen")


def _formats(times: WrittenTimes, place: int) -> tuple[str, ...]:
    """The formats of the times of a column in one way to read the file."""
    return times.choices[min(place, len(times.choices) - 1)] if times.choices else ()


def _latest(columns: Mapping[str, Sequence[str]], written: Mapping[str, WrittenTimes]) -> Mapping[str, object]:
    """The keys of the latest of some times, by column and its formats."""
    if len(columns) == 1:
        ((name, formats),) = columns.items()
        return {"from": name, **({"format": formats[0] if len(formats) == 1 else list(formats)} if formats else {})}
    moments = (_moment(name, formats, written[name].has_offset) for name, formats in columns.items())
    return {"sql": f"greatest({', '.join(moments)})"}


def _moment(column: str, formats: Sequence[str], has_offset: bool) -> str:
    name = identifier(column)
    if not formats:
        return f"try_cast({name} as {'timestamptz' if has_offset else 'timestamp'})"
    listed = ", ".join(map(literal, formats))
    return f"try_strptime({name}, {listed if len(formats) == 1 else f'[{listed}]'})"


def _creation(placing: Placing) -> Iterator[Said]:
    """When an order was bought: when it was created, if that is all there is."""
    created = placing.placed.get("created_at")
    if created and created.times:
        ways = range(max(1, len(created.times.choices)))
        choices = (_latest({created.name: _formats(created.times, way)}, {created.name: created.times}) for way in ways)
        yield Said(tuple(choices), "no column says when it was bought: its creation does")


def _status(placing: Placing) -> Iterator[Said]:
    """A status out of milestones."""
    milestones, before = _MILESTONES.get(placing.contract.stream, ((), ""))
    told = [(placing.placed[name].name, status) for name, status in milestones if name in placing.placed]
    if told:
        cases = " ".join(f"when {identifier(name)} is not null then {literal(status)}" for name, status in told)
        yield Said(({"sql": f"case {cases} else {literal(before)} end"},), "no column says the status: milestones do")
