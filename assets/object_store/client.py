"""An object store as we use it: put, put on a condition, read, list, delete; and its errors in one sentence.

What lives here: the one place that knows the library (obstore). Not here: what is put where (pointer.py, mirror.py).

Credentials and the endpoint come from the environment, by the variables each store's own tools read, and from nowhere
else. Whatever the library says of an error may quote an answer, so only its kind and the status are told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import JourneymartError, PassingError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

# What a request may lack: a moment of a network. A store that is gone is said after half a minute.
_RETRIES, _PATIENCE = 3, timedelta(seconds=30)
# Read piece by piece, so that no single request is long.
_PIECE = 8 * 2**20
_STATUS = re.compile(r"status code: (\d{3}[ \w]*)")


class MovedMeanwhileError(Exception):
    """What was to be replaced is not what was read: somebody else was faster."""


@dataclass(frozen=True)
class ObjectStore:
    """A place in an object store; keys are below its prefix."""

    url: str
    client: Client

    def read(self, key: str) -> tuple[bytes, str] | None:
        """What an object holds, and the tag of just that content; None: there is none."""
        with self._explained():
            try:
                found = self.client.get(key)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            return bytes(found.bytes()), str(found.meta["e_tag"])

    def put_if(self, key: str, content: bytes, tag: str | None) -> None:
        """Replace an object that still bears a tag; None: make one where there is none. One request.

        Raises:
            MovedMeanwhileError: The store refused, because it is not so.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._explained():
            try:
                self.client.put(key, content, mode={"e_tag": tag} if tag else "create")
            except (AlreadyExistsError, PreconditionError):
                raise MovedMeanwhileError from None

    def put_file(self, key: str, path: Path) -> None:
        """Send a file."""
        with self._explained():
            self.client.put(key, path)

    def sha256(self, key: str, size: int) -> str:
        """Hash of an object's first `size` bytes, as the store gives them."""
        digest = hashlib.sha256()
        with self._explained():
            for start in range(0, size, _PIECE):
                digest.update(self.client.get_range(key, start=start, length=min(_PIECE, size - start)))
        return digest.hexdigest()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Objects below a prefix, with their sizes."""
        with self._explained():
            return {each["path"]: each["size"] for batch in self.client.list(prefix) for each in batch}

    def folders(self, prefix: str) -> tuple[str, ...]:
        """Names right below a prefix that have objects below them."""
        with self._explained():
            found = self.client.list_with_delimiter(prefix)["common_prefixes"]
        return tuple(path.rpartition("/")[2] for path in found)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        with self._explained():
            for key in keys:
                self.client.delete(key)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError):
            raise JourneymartError(
                f"{self.url} refuses these credentials: give them the rights that docs/deployment.md names."
            ) from None
        except FileNotFoundError:
            raise JourneymartError(
                f"{self.url} has no such bucket, or lost an object meanwhile: check its name."
            ) from None
        except (BaseError, OSError) as error:
            status = _STATUS.search(str(error))
            why = f"it answers {status[1].strip()}" if status else "no answer"
            raise PassingError(
                f"{self.url} cannot be reached ({why}): check its address, the credentials in the environment and "
                "whether this machine may go there."
            ) from None


def open_store(url: str) -> ObjectStore:
    """Open a place in an object store; nothing is asked of it yet.

    Args:
        url: As in `s3://bucket/prefix`.

    Raises:
        JourneymartError: The library is not installed, or the environment lacks what it needs.
    """
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise JourneymartError(
            f"{url} needs a library that is not installed: `pip install 'journeymart[object-store]'`."
        ) from None
    try:
        # What else there is to say of connections is read from the environment only where nothing is said here.
        client = from_url(url, retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE})
    except BaseError as error:
        raise JourneymartError(
            f"{url} cannot be opened ({type(error).__name__}): the environment lacks what docs/deployment.md names."
        ) from None
    return ObjectStore(url, client)
