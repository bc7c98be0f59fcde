"""What is said of trouble with the disk: full, read-only, somebody else's, something else in the place of a file.

Not here: asking for room beforehand (files.py).

DuckDB and SQLite tell of it in words of their own, in which no values stand where they are matched here.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import JourneymartError

_WHY = {
    errno.ENOSPC: "the disk is full: free some space, then try again",
    errno.EDQUOT: "the quota of the disk is used up: free some space, then try again",
    errno.EROFS: "the disk is read-only: mount it for writing, then try again",
    errno.EACCES: "this user may not: change its owner or mode, then try again",
    errno.EPERM: "this user may not: change its owner or mode, then try again",
    errno.ENOTDIR: "a file lies where a folder should be: move it away, then try again",
    errno.EISDIR: "a folder lies where a file should be: move it away, then try again",
    errno.EEXIST: "something else lies in its place: move it away, then try again",
    errno.EIO: "the disk gave no answer: see to the disk, then try again",
}
_WORDS = {
    errno.ENOSPC: re.compile(r"No space left on device|database or disk is full"),
    errno.EROFS: re.compile(r"Read-only file system|attempt to write a readonly database"),
    errno.EACCES: re.compile(r"Permission denied|unable to open database file"),
}


def disk_trouble(error: BaseException) -> str | None:
    """What is wrong with the disk, in one sentence, if that is what stands behind an error; None: it is another."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _WHY:
            return f"{seen.filename or 'A file'} could not be written or read, because {_WHY[seen.errno]}."
        if type(seen).__module__.partition(".")[0] in {"_duckdb", "duckdb", "sqlite3"}:
            number = next((number for number, words in _WORDS.items() if words.search(str(seen))), None)
            if number is not None:
                return f"A database file could not be written or read, because {_WHY[number]}."
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


@contextmanager
def explaining_the_disk() -> Iterator[None]:
    """Turn trouble with the disk into an error that says it in one sentence.

    Raises:
        JourneymartError: The disk is full, read-only or somebody else's.
    """
    try:
        yield
    except JourneymartError:
        raise
    except Exception as error:
        if said := disk_trouble(error):
            raise JourneymartError(said) from None
        raise
