"""What Jinja makes of dbt's templates, kept from one night to the next.

What lives here: keeping, and finding again. Not here: when dbt runs (orchestration/processes/dbt.py), what dbt itself
keeps of a project (project.py).

Models and macros are templates, which Jinja turns into Python: the same of the same text, every night. Jinja keeps what
it made of files; dbt hands it texts.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from orchestration.dbt.replaced import replaced
from storage.files import whole_file

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.nodes import Template

# Below dbt's target folder.
KEPT = "templates.bin"
# What turns a text into code: of another release's the code would be another.
_MADE_BY = f"{sys.implementation.cache_tag} {version('jinja2')} {version('dbt-common')}".encode()

Compile = Callable[..., Any]


@contextmanager
def kept_templates(target: Path) -> Iterator[None]:
    """Within this block dbt uses what Jinja made of a text before; at its end what was used is kept.

    Args:
        target: dbt's target folder.
    """
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    file = target / KEPT
    kept = _read(file)
    used: dict[bytes, bytes] = {}
    as_ever = MacroFuzzEnvironment.compile
    with replaced(MacroFuzzEnvironment, "compile", _finding(as_ever, kept, used)):
        yield
    if used.keys() != kept.keys():
        _write(file, used)


def _finding(as_ever: Compile, kept: dict[bytes, bytes], used: dict[bytes, bytes]) -> Compile:
    """`Environment.compile` of Jinja that looks a text up first."""

    def compiled(environment: Environment, source: str | Template, *arguments: object, **named: object) -> object:
        if arguments or named or not isinstance(source, str):
            return as_ever(environment, source, *arguments, **named)
        key = hashlib.sha256(f"{type(environment).__qualname__}\0{source}".encode()).digest()
        code = kept.get(key)
        if code is None:
            made: CodeType = as_ever(environment, source)
            used[key] = marshal.dumps(made)
            return made
        used[key] = code
        return marshal.loads(code)  # noqa: S302 (our own, its hash was compared)

    return compiled


def _read(file: Path) -> dict[bytes, bytes]:
    """What is kept; nothing if it is of other releases, or not as it was written."""
    with suppress(FileNotFoundError):
        content = file.read_bytes()
        digest, body = content[:32], content[32:]
        if hashlib.sha256(_MADE_BY + body).digest() == digest:
            kept: dict[bytes, bytes] = marshal.loads(body)  # noqa: S302 (our own, its hash was compared)
            return kept
    return {}


def _write(file: Path, used: dict[bytes, bytes]) -> None:
    body = marshal.dumps(used)
    with whole_file(file) as new:
        new.write_bytes(hashlib.sha256(_MADE_BY + body).digest() + body)
