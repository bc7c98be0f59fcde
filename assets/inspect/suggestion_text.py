"""A suggested mapping as the text of a mapping file, with a word on whatever a person should look at.

Not here: what it suggests (suggestion.py).
"""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import yaml

from assets.inspect.derived import Unpivoted
from assets.inspect.said import Said
from assets.inspect.suggestion import Suggestion

_WIDTH = 118
# Characters fnmatch gives a meaning.
_PATTERN = re.compile(r"[*?[]")


def mapping_text(of: Suggestion, file: str, rows: int, declare: Sequence[str], notes: Sequence[str]) -> str:
    """The text of a mapping file with this one stream.

    Args:
        of: The suggestion.
        file: What it was made of, as a person names it.
        rows: Rows that were looked at.
        declare: Lines that company.yml needs for the stream.
        notes: What no declaration mends.
    """
    stream = of.contract.stream
    head = [
        f"Suggested for the stream {stream} from {rows:,} rows of {file}. Look it over: a name may mislead. "
        "docs/mapping.md explains every key; `journeymart check` says what a night makes of it.",
        *(f"company.yml needs for this stream: {line}" for line in declare),
        *(f"Note: {note}." for note in notes),
        *(
            ["What nobody could tell stands behind '#': take the '#' away from one line of each."]
            if _is_open(of)
            else []
        ),
    ]
    lines = [*_comment(head, 0), f"{stream}:"]
    if of.unpivot:
        lines += [*_unpivot(of.unpivot), *_questions(of.unpivot)]
    lines.append("  columns:")
    for name in of.contract.columns:
        if name in of.columns:
            lines += _column(name, of.columns[name])
        elif name in of.lacking:
            said = of.contract.columns[name].description.rstrip(".")
            lines += _comment([f"Needed, and nothing found: {name} ({said}). Say where it comes from:"], 4)
            lines.append(f"    # {name}: {_default(name)}")
    if of.ignored:
        lines.append("  ignore:  # Known and not wanted; take one out where it is of use above.")
        lines += [f"    - {_scalar(_exactly(name))}  # {_one_line(holds)}" for name, holds in of.ignored]
    return "\n".join(lines) + "\n"


def _is_open(of: Suggestion) -> bool:
    return bool(of.lacking) or any(not said.is_taken for said in of.columns.values())


def _default(name: str) -> str:
    return "{const: CHANGE}" if name.endswith("_id") else "CHANGE"


def _unpivot(unpivot: Unpivoted) -> list[str]:
    named = {"name": unpivot.name, "value": unpivot.value}
    lines = ["  unpivot:  # Each of these columns gives a row where it holds something.", "    columns:"]
    lines += [f"      - {_scalar(name)}" for name in unpivot.columns]
    return [*lines, *(f"    {key}: {_scalar(word)}" for key, word in named.items())]


def _questions(of: Unpivoted) -> list[str]:
    """Lines of the table that says what questions measure, to be put there."""
    rows = of.rows()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", *(rows[0] if rows else ())])
    writer.writerows(["CHANGE", *row.values()] for row in rows)
    told = "What they measure stands in seeds/survey_questions.csv of the company folder; as it seems:"
    return [*_comment([told], 2), *(f"  #   {_one_line(line)}" for line in text.getvalue().splitlines())]


def _column(name: str, said: Said) -> list[str]:
    lines = _comment([f"{said.because[0].upper()}{said.because[1:]}."], 4) if said.because else []
    mark = "" if said.is_taken else "# "
    return [*lines, *(f"    {mark}{name}: {_value(keys)}" for keys in said.choices)]


def _value(keys: Mapping[str, object]) -> str:
    if list(keys) == ["from"]:
        return _scalar(str(keys["from"]))
    return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in keys.items()) + "}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_scalar(str(each))}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(str(each)) for each in value) + "]"
    return _scalar(str(value))


def _scalar(text: str) -> str:
    """A text as YAML reads it back, bare where it can be."""
    bare = re.fullmatch(r"[^\W_](?:[\w .()/+-]*[\w.)])?", text) and yaml.safe_load(text) == text
    if bare:
        return text
    if '"' in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    quoted: str = yaml.dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return quoted.strip()


def _exactly(name: str) -> str:
    """A pattern that only this name fits."""
    return _PATTERN.sub(lambda mark: f"[{mark.group()}]", name)


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))


def _comment(sentences: Iterable[str], indent: int) -> list[str]:
    lead = " " * indent + "# "
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(_one_line(sentence), _WIDTH, initial_indent=lead, subsequent_indent=lead)
    ]
