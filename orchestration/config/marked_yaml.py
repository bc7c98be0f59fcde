"""YAML whose keys remember their lines, so that a mistake is said with its place.

What lives here: reading such a file and saying where. Not here: what may stand in it (sources.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from storage.errors import JourneymartError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class MarkedYaml:
    """A YAML file of keys and values, and the line of each key."""

    path: Path
    values: dict[Any, Any]
    lines: Mapping[KeyPath, int]

    def line(self, at: KeyPath) -> int:
        """Line of a key, or of the nearest one around it that is there."""
        return next(self.lines[at[:length]] for length in range(len(at), -1, -1) if at[:length] in self.lines)

    def mistake(self, at: KeyPath, message: str) -> JourneymartError:
        """A mistake in one line: file, line, key, what is wrong."""
        return _mistake(self.path, self.line(at), at, message)


def read_marked_yaml(path: Path, text: str) -> MarkedYaml:
    """Parse the text of a file.

    Raises:
        JourneymartError: It is not YAML, indents with tabs, says a key twice, or is no list of keys.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise JourneymartError(f"{path}, line {number}: a tab stands at the start of the line; indent with spaces.")
    lines: dict[KeyPath, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        values = _values(loader, node, (), lines, path) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise JourneymartError(f"{path}{where}: this is not valid YAML: {error.problem or error.context}.") from None
    except yaml.reader.ReaderError as error:
        where = f", line {text.count(chr(10), 0, error.position) + 1}"
        raise JourneymartError(f"{path}{where}: a character stands here that YAML forbids: take it out.") from None
    except RecursionError:
        raise JourneymartError(f"{path}: an alias (*) stands in what it names, or all is nested too deep.") from None
    if not isinstance(values, dict):
        raise JourneymartError(f"{path}: this is not a list of keys, one per line, each with its value.")
    return MarkedYaml(path, values, lines)


def _values(loader: yaml.SafeLoader, node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int], path: Path) -> Any:  # noqa: ANN401 - whatever stands in the file
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_values(loader, child, (*at, n), lines, path) for n, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        try:
            return loader.construct_object(node)
        except ValueError:
            # What looks like a day but is none, such as 2026-06-31: the rules of the file refuse it.
            return node.value
    values: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        # As it is written: a key 01 or Yes is neither a number nor a truth.
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(loader.construct_object(key_node, True))
        here, line = (*at, key), key_node.start_mark.line + 1
        if key in values:
            raise _mistake(path, line, here, f"the key stands twice, first on line {lines[here]}")
        lines[here] = line
        values[key] = _values(loader, value_node, here, lines, path)
    return values


def _mistake(path: Path, line: int, at: KeyPath, message: str) -> JourneymartError:
    where = ".".join(map(str, at)) or "the file"
    return JourneymartError(f"{path}, line {line}: {where}: {message.rstrip('.')}.")
