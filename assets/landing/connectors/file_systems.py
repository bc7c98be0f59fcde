"""Drop folders on this machine and behind fsspec's URLs: what lies in one, and opening a file of it.

Nothing in them is trusted: links are not followed, only regular files are opened. Not here: which files are deliveries
(drop_folder.py).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast
from urllib.parse import unquote, urlsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from assets.landing.connectors.config import FileStream
from storage.errors import JourneymartError

_SFTP = ("sftp", "ssh")
# What listings of object stores and other file systems tell of a file, where they do.
_REMOTE_FACTS = ("size", "ETag", "etag", "md5", "mtime", "LastModified", "last_modified", "updated", "created")


class Entry(NamedTuple):
    """What a folder's listing tells of one name in it."""

    name: str
    is_folder: bool
    is_link: bool
    stamp: Callable[[], str]


class DropFolder(Protocol):
    """A drop folder on some file system."""

    def entries(self, path: str) -> list[Entry]:
        """What lies in a sub-folder ('' is the drop folder itself); nothing if it does not exist."""

    def open(self, path: str) -> AbstractContextManager[tuple[BinaryIO, int]]:
        """Context manager over (binary reader, size in bytes) of a regular file."""


class _LocalFolder:
    """A folder of this machine, walked without following any symbolic link below it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self, path: str) -> list[Entry]:
        try:
            with os.scandir(self.root / path) as found:
                return [
                    Entry(
                        entry.name,
                        entry.is_dir(follow_symlinks=False),
                        entry.is_symlink(),
                        partial(_local_stamp, entry),
                    )
                    for entry in found
                ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JourneymartError(
                f"The drop folder {self.root / path} cannot be read ({error.strerror}): check its path and permissions."
            ) from None

    @contextmanager
    def open(self, path: str) -> Iterator[tuple[BinaryIO, int]]:
        *folders, name = path.split("/")
        held: list[int] = []
        try:
            held.append(os.open(self.root, os.O_RDONLY | os.O_DIRECTORY))
            for folder in folders:
                held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=held[-1]))
            # Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=held[-1])
        except OSError as error:
            raise JourneymartError(
                f"{self.root / path} cannot be taken ({error.strerror}): deliver it as a regular, "
                "readable file inside the drop folder, not as a symbolic link."
            ) from None
        finally:
            for folder_descriptor in held:
                os.close(folder_descriptor)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise JourneymartError(f"{self.root / path} is not a regular file: deliver it as one.")
            yield file, before.st_size
            after = os.fstat(descriptor)
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise JourneymartError(
                    f"{self.root / path} changed while it was read: let the sender rename it to its final "
                    "name only when it is complete."
                )


@dataclass(frozen=True)
class _Reader:
    """A file far away, of which only what reading it says is explained: what whoever reads it says is not its fault."""

    file: BinaryIO
    explained: Callable[[], AbstractContextManager[None]]

    def read(self, size: int = -1) -> bytes:
        with self.explained():
            return self.file.read(size)


class _RemoteFolder:
    """A folder behind any other fsspec URL."""

    def __init__(self, filesystem: AbstractFileSystem, root: str, where: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")
        self.where = where.rstrip("/")

    def entries(self, path: str) -> list[Entry]:
        with self._explained():
            # Object stores cache listings; a delivery that arrived since must be seen.
            self.filesystem.invalidate_cache()
            try:
                found = self.filesystem.ls(f"{self.root}/{path}".rstrip("/") or "/", detail=True)
            except FileNotFoundError:
                return []
        return [
            Entry(
                entry["name"].rstrip("/").rpartition("/")[2],
                entry["type"] == "directory",
                bool(entry.get("islink")) or entry["type"] == "link",
                partial(_remote_stamp, entry),
            )
            for entry in found
        ]

    @contextmanager
    def open(self, path: str) -> Iterator[tuple[BinaryIO, int]]:
        full = f"{self.root}/{path}"
        with self._explained():
            facts = self.filesystem.info(full)
            if facts["type"] != "file" or facts.get("islink"):
                raise JourneymartError(f"{self.where}/{path} is not a regular file: deliver it as one.")
            file = self.filesystem.open(full, "rb")
        with closing(file):
            yield cast(BinaryIO, _Reader(file, self._explained)), int(facts["size"])
        with self._explained():
            self.filesystem.invalidate_cache()
            if _remote_stamp(self.filesystem.info(full)) != _remote_stamp(facts):
                raise JourneymartError(
                    f"{self.where}/{path} changed while it was read: let the sender give it its final name only when "
                    "it is complete."
                )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in a sentence what a file system that is far away says in many ways."""
        try:
            yield
        except JourneymartError:
            raise
        except _remote_errors() as error:
            raise JourneymartError(
                f"{self.where} cannot be read ({type(error).__name__}): see whether it can be reached from here, and "
                "whether the variables that storage_options_env names let us in. Nothing was landed of it."
            ) from None


def _local_stamp(entry: os.DirEntry[str]) -> str:
    try:
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        # It was taken away just now; whoever opens it says so.
        return "gone"
    return f"{facts.st_size}/{facts.st_mtime_ns}"


def _remote_stamp(entry: Mapping[str, Any]) -> str:
    return "/".join(str(entry[fact]) for fact in _REMOTE_FACTS if entry.get(fact) is not None)


def folder_of(stream: FileStream) -> DropFolder:
    """The drop folder of a stream.

    Raises:
        JourneymartError: Its pattern leaves the folder, or a variable that opens it is not set.
    """
    for pattern in filter(None, (stream.pattern, stream.history)):
        if any(part in ("", ".", "..") or "\\" in part for part in pattern.split("/")):
            raise JourneymartError(
                f"The pattern '{pattern}' of {stream.stream} leaves its drop folder: name files inside "
                f"{stream.location}."
            )
    scheme = stream.location.partition("://")[0]
    options = _storage_options(stream)
    try:
        if scheme in _SFTP:
            return _RemoteFolder(*_sftp(stream, options), stream.location)
        filesystem, root = url_to_fs(stream.location, **options)
    except ImportError:
        extra = {"s3": "s3", **dict.fromkeys(_SFTP, "sftp")}.get(scheme)
        package = f"journeymart[{extra}]" if extra else f"the package fsspec names for {scheme}"
        raise JourneymartError(
            f"{stream.location} needs a library that is not installed: `pip install '{package}'`."
        ) from None
    except _remote_errors() as error:
        raise JourneymartError(
            f"{stream.location} cannot be reached ({type(error).__name__}): check its name and port, and whether this "
            "machine may go there."
        ) from None
    if isinstance(filesystem, LocalFileSystem):
        return _LocalFolder(Path(root))
    return _RemoteFolder(filesystem, root, stream.location)


def _sftp(stream: FileStream, options: Mapping[str, str]) -> tuple[AbstractFileSystem, str]:
    """A connection to an SFTP server, the one there is if it still stands, and the folder there."""
    from assets.landing.connectors.sftp import KnownHostSftp

    parts = urlsplit(stream.location)
    said = {"port": parts.port, "username": parts.username}
    filesystem = KnownHostSftp(
        parts.hostname or "",
        known_hosts=stream.known_hosts,
        host_key=stream.host_key,
        **{name: value for name, value in {**said, **options}.items() if value is not None},
    )
    filesystem.require_connection()
    return filesystem, unquote(parts.path)


def _remote_errors() -> tuple[type[Exception], ...]:
    """What file systems raise where something is wrong far away, as far as they are loaded."""
    known: list[type[Exception]] = [OSError, EOFError]
    if paramiko := sys.modules.get("paramiko"):
        known.append(paramiko.SSHException)
    if botocore := sys.modules.get("botocore.exceptions"):
        known += [botocore.BotoCoreError, botocore.ClientError]
    return tuple(known)


def _storage_options(stream: FileStream) -> dict[str, str]:
    """Options of the file system, secrets among them, from the environment and from nowhere else."""
    lacking = sorted(variable for _, variable in stream.storage_options_env if variable not in os.environ)
    if lacking:
        raise JourneymartError(
            f"The environment variable {lacking[0]}, which opens {stream.location} for {stream.stream}, "
            "is not set: set it."
        )
    return {option: os.environ[variable] for option, variable in stream.storage_options_env}
